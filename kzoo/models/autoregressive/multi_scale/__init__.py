from kzoo.models.autoregressive.multi_scale.multi_scale import MultiScale
from kzoo.models.autoregressive.multi_scale.pixelrnn import MultiScalePixelRNN

__all__ = ["MultiScale", "MultiScalePixelRNN"]
