from kzoo.models.autoregressive.gated_pixelcnn.gated_pixelcnn import GatedPixelCNN

__all__ = ["GatedPixelCNN"]
