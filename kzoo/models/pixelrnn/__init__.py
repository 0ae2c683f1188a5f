from kzoo.models.pixelrnn.pixelrnn import PixelRNN

__all__ = ["PixelRNN"]
