"""Layers that Keras does not have."""

from kzoo.layers.batch_normalization import BatchNormalization
from kzoo.layers.diff_augment import DiffAugment, DiffColor, DiffCutout, DiffTranslation
from kzoo.layers.fade import Fade
from kzoo.layers.image_pool import ImagePool
from kzoo.layers.latent_codes import LatentCodes
from kzoo.layers.masked_conv import MaskedConv2D
from kzoo.layers.masked_row_conv import MaskedRowConv2D
from kzoo.layers.spectral_normalization import SpectralNormalization
from kzoo.layers.symmetric_conv import SymmetricConv2D, SymmetricConv2DTranspose
from kzoo.layers.vector_quantizer import VectorQuantizer

__all__ = [
    "BatchNormalization",
    "DiffAugment",
    "DiffColor",
    "DiffCutout",
    "DiffTranslation",
    "Fade",
    "ImagePool",
    "LatentCodes",
    "MaskedConv2D",
    "MaskedRowConv2D",
    "SpectralNormalization",
    "SymmetricConv2D",
    "SymmetricConv2DTranspose",
    "VectorQuantizer",
]
