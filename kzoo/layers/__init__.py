from kzoo.layers.masked_conv import MaskedConv2D

__all__ = ["MaskedConv2D"]
