from kzoo.models.vqvae.vqvae import VQVAE

__all__ = ["VQVAE"]
