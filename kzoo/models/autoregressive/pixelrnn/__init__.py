from kzoo.models.autoregressive.pixelrnn.pixelrnn import PixelRNN

__all__ = ["PixelRNN"]
