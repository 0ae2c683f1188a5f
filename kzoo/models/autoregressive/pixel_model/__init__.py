from kzoo.models.autoregressive.pixel_model.pixel_model import PixelModel

__all__ = ["PixelModel"]
