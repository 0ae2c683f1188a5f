"""Layers that Keras does not have."""

from kzoo.layers.batch_normalization import BatchNormalization
from kzoo.layers.masked_conv import MaskedConv2D

__all__ = ["BatchNormalization", "MaskedConv2D"]
