from kzoo.models.latent.autoencoder.autoencoder import Autoencoder

__all__ = ["Autoencoder"]
