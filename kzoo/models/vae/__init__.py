from kzoo.models.vae.vae import VAE

__all__ = ["VAE"]
