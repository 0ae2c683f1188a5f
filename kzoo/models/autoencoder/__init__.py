from kzoo.models.autoencoder.autoencoder import Autoencoder

__all__ = ["Autoencoder"]
