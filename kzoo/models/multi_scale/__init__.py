from kzoo.models.multi_scale.multi_scale import MultiScale
from kzoo.models.multi_scale.pixelrnn import MultiScalePixelRNN

__all__ = ["MultiScale", "MultiScalePixelRNN"]
