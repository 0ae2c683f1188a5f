from kzoo.models.autoregressive.pixelcnn_plus_plus.pixelcnn_plus_plus import PixelCNNPlusPlus

__all__ = ["PixelCNNPlusPlus"]
