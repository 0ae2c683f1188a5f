from kzoo.models.latent.vae.vae import VAE

__all__ = ["VAE"]
