"""Explicit densities, exact: images drawn pixel by pixel."""

from kzoo.models.autoregressive.gated_pixelcnn import GatedPixelCNN
from kzoo.models.autoregressive.multi_scale import MultiScale, MultiScalePixelRNN
from kzoo.models.autoregressive.pixel_model import PixelModel
from kzoo.models.autoregressive.pixelcnn import PixelCNN
from kzoo.models.autoregressive.pixelcnn_plus_plus import PixelCNNPlusPlus
from kzoo.models.autoregressive.pixelrnn import PixelRNN

__all__ = [
    "GatedPixelCNN",
    "MultiScale",
    "MultiScalePixelRNN",
    "PixelCNN",
    "PixelCNNPlusPlus",
    "PixelModel",
    "PixelRNN",
]
