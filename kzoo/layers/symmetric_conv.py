"""Convolutions whose zero padding is the same on both sides.

Keras's "same" padding of an even image under strides 2 puts one more row and column of zeros
behind the image than before it. The published DCGAN and CFG networks pad both sides alike, and so
do these layers, through `kzoo.backend`.
"""

import keras
from keras import ops

from kzoo import backend

_FIXED = {
    "padding": "same",
    "data_format": "channels_last",
    "dilation_rate": 1,
    "groups": 1,
    "output_padding": None,
}


def _checked(kernel_size, strides, kwargs):
    """The arguments for Keras's layer, once it is clear that they fit a symmetric convolution."""
    for name, value in _FIXED.items():
        given = kwargs.pop(name, value)
        if given not in (value, (value, value), [value, value]):  # a config has pairs
            raise ValueError(f"A symmetric convolution has {name}={value!r}, got {given!r}.")
    kernel_size, strides = _side("kernel_size", kernel_size), _side("strides", strides)
    if kernel_size % 2 == 0:
        raise ValueError(f"kernel_size must be odd, got {kernel_size!r}.")
    fixed = {"padding": "same", "data_format": "channels_last"}
    return {**kwargs, **fixed, "kernel_size": kernel_size, "strides": strides}


def _side(name, value):
    """The int of an int or of a pair of equal ints, which a config has."""
    sides = tuple(value) if isinstance(value, list | tuple) else (value, value)
    if len(sides) != 2 or sides[0] != sides[1] or not isinstance(sides[0], int) or sides[0] < 1:
        raise ValueError(f"{name} must be one positive int for both sides, got {value!r}.")
    return sides[0]


class _Symmetric:
    """A mixin before a layer of Keras; `convolution` is the function of `kzoo.backend`."""

    def __init__(self, filters, kernel_size, strides=1, **kwargs):
        super().__init__(filters, **_checked(kernel_size, strides, kwargs))

    def call(self, inputs):
        outputs = self.convolution(inputs, ops.convert_to_tensor(self.kernel), self.strides[0])
        outputs = outputs + self.bias if self.use_bias else outputs
        return outputs if self.activation is None else self.activation(outputs)


@keras.saving.register_keras_serializable(package="kzoo")
class SymmetricConv2D(_Symmetric, keras.layers.Conv2D):
    """`keras.layers.Conv2D` with `kernel_size // 2` zeros on every side.

    With strides s, output pixel i is centred on input pixel s i.

    Args:
        filters: int, number of output features.
        kernel_size: odd int, of the square kernel.
        strides: int, of both sides.
        **kwargs: the bias, activation, initializers, regularizers and constraints of
            `keras.layers.Conv2D`.

    Input shape: `(batch, height, width, features)`.
    Output shape: `(batch, ceil(height / strides), ceil(width / strides), filters)`.

    Raises:
        ValueError: for an even kernel, a kernel or strides that are not square, or another
            padding, data format, dilation or grouping.
    """

    convolution = staticmethod(backend.convolution)


@keras.saving.register_keras_serializable(package="kzoo")
class SymmetricConv2DTranspose(_Symmetric, keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose` that is the transpose of a `SymmetricConv2D`.

    Args:
        filters, kernel_size, strides, **kwargs: as in `SymmetricConv2D`.

    Input shape: `(batch, height, width, features)`.
    Output shape: `(batch, height * strides, width * strides, filters)`.

    Raises:
        ValueError: as `SymmetricConv2D`.
    """

    convolution = staticmethod(backend.transposed_convolution)
