from kzoo.models.gated_pixelcnn.gated_pixelcnn import GatedPixelCNN

__all__ = ["GatedPixelCNN"]
