from kzoo.models.latent.vqvae.vqvae import VQVAE

__all__ = ["VQVAE"]
