from kzoo.models.pixel_model.pixel_model import PixelModel

__all__ = ["PixelModel"]
