from kzoo.models.pixelcnn.pixelcnn import PixelCNN

__all__ = ["PixelCNN"]
