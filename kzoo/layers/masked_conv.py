"""Masked convolution over pixels in raster order (van den Oord et al. 2016, arXiv:1601.06759).

Section 3.4 and figure 2 (right) of the paper: a pixel may see the pixels above it and to its left,
and among its own channels those that come earlier in the order R, G, B; mask "A" hides the channel
itself, mask "B" shows it.
"""

import keras
import numpy as np
from keras import ops

from kzoo.checks import check_name, check_odd, check_positive_int
from kzoo.configs import Configured


class IncrementalConv:
    """Computes a convolution for one pixel of a row, when the later pixels are not yet known.

    A mixin. The layer has `left`, the number of pixels to the left that a pixel sees,
    `in_features`, and a method `row_cache`, which is called once per row. It returns
    `(addend, kernel)`: (batch, 1 or width, filters), or `None`, and
    ((left + 1) * in_features, filters).
    """

    strides = 1

    def initial_row(self, batch_size, width):
        """The inputs in a row before its first pixel, zeros, with the padding to their left."""
        return ops.zeros((batch_size, self.left + width, self.in_features), self.compute_dtype)

    def store(self, row, x, column):
        """`row` with the input x (batch, in_features) of the pixel at `column`."""
        return ops.slice_update(row, (0, column + self.left, 0), x[:, None])

    def step(self, row_cache, row, column):
        """The outputs (batch, filters) at a column, from the inputs stored in `row` so far."""
        addend, kernel = row_cache
        batch_size, _, features = row.shape
        window = ops.slice(row, (0, column, 0), (batch_size, self.left + 1, features))
        y = ops.matmul(ops.reshape(window, (batch_size, (self.left + 1) * features)), kernel)
        if addend is None:
            return y
        if addend.shape[1] == 1:
            return y + addend[:, 0]
        return y + at_column(addend, column // self.strides)


def at_column(x, column):
    """x (b, w, f) at a column, an int or an integer tensor: (b, f)."""
    return ops.squeeze(ops.slice(x, (0, column, 0), (x.shape[0], 1, x.shape[2])), 1)


class MaskedConv(Configured, IncrementalConv, keras.layers.Layer):
    """A convolution under a mask, whose features are divided among the image channels.

    Args:
        filters, kernel_size, mask_type, groups, kernel_initializer: as in `MaskedConv2D`.
    """

    def __init__(self, filters, kernel_size, mask_type, groups, kernel_initializer, **kwargs):
        super().__init__(**kwargs)
        self.filters = check_positive_int("filters", filters)
        self.kernel_size = check_odd("kernel_size", kernel_size)
        self.mask_type = check_name("mask_type", mask_type, ("A", "B"))
        self.groups = groups
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.left = self.kernel_size // 2

    def check_input(self, features):
        """`ValueError` unless the features of the input can be divided among the channels."""
        if features < self.groups:
            raise ValueError(
                f"{type(self).__name__} with groups={self.groups} expects at least as many input "
                f"features, got {features}."
            )

    def add_kernel(self, shape):
        return self.add_weight(shape=shape, initializer=self.kernel_initializer, name="kernel")

    def add_bias(self):
        return self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)


@keras.saving.register_keras_serializable(package="kzoo")
class MaskedConv2D(MaskedConv):
    """A "same" convolution, stride 1, that sees only what comes earlier in raster order.

    The features of input and output are split into `groups` contiguous parts of (nearly) equal
    size, one for every image channel. At the centre of the kernel a feature of group `g` reads the
    groups `< g` under mask "A" and `<= g` under mask "B". The kernel holds only the rows down to
    the pixel's own, because the mask would zero all rows below.

    For sampling pixel by pixel, `row_cache` computes what a row takes from the rows above it, and
    `store` and `step` compute one pixel of `call`. A 1x1 convolution does not need them: its
    `call` also takes a single pixel.

    Args:
        filters: int, number of output features, at least `groups`.
        kernel_size: int, odd; the width of the square kernel of the paper.
        mask_type: "A" or "B".
        groups: int, number of image channels. The input needs at least as many features.
        kernel_initializer: as in `keras.layers.Conv2D`.

    Input shape: `(batch, height, width, features)`.
    Output shape: `(batch, height, width, filters)`.

    Raises:
        ValueError: for an unknown `mask_type`, an even or non-positive `kernel_size`, fewer
            features than groups, or an input that is not of rank 4.
    """

    def __init__(
        self, filters, kernel_size, mask_type, groups=1, kernel_initializer="he_normal", **kwargs
    ):
        super().__init__(filters, kernel_size, mask_type, groups, kernel_initializer, **kwargs)
        if not 1 <= groups <= filters:
            raise ValueError(
                f"`groups` must be between 1 and `filters`={filters}, got groups={groups}."
            )

    def build(self, input_shape):
        if len(input_shape) != 4:
            raise ValueError(
                "MaskedConv2D expects an input of shape (batch, height, width, features), "
                f"got {tuple(input_shape)}."
            )
        self.in_features = features = input_shape[-1]
        self.check_input(features)
        shape = (self.left + 1, self.kernel_size, features, self.filters)
        self.kernel, self.bias = self.add_kernel(shape), self.add_bias()
        self.mask = causal_mask(
            self.kernel_size, features, self.filters, self.mask_type, self.groups
        )

    def masked_kernel(self):
        if self.mask.all():
            return ops.convert_to_tensor(self.kernel)
        return self.kernel * ops.convert_to_tensor(self.mask, self.kernel.dtype)

    def call(self, x):
        if self.kernel_size == 1:  # a product per pixel, also for a single pixel (batch, features)
            return ops.matmul(x, self.masked_kernel()[0, 0]) + self.bias
        x = ops.pad(x, ((0, 0), (self.left, 0), (self.left, self.left), (0, 0)))
        x = ops.conv(x, self.masked_kernel(), padding="valid", data_format="channels_last")
        return x + self.bias

    # Sampling: one pixel of `call` at a time ---------------------------------------------------

    def initial_rows(self, batch_size, width):
        """The inputs above the first row, zeros `(batch_size, rows, width, features)`."""
        shape = (batch_size, self.left, width, self.in_features)
        return ops.zeros(shape, self.compute_dtype)

    def row_cache(self, rows, addend=None):
        """What a row's outputs take from the rows above it, and the kernel for the row itself.

        Args:
            rows: the inputs above `(batch, rows, width, features)`.
            addend: what is added to the outputs `(batch, 1 or width, filters)`, or `None`.

        Returns:
            `(above, kernel)`: `(batch, width, filters)`, and a matrix for `step`.
        """
        kernel = self.masked_kernel()
        above = rows_product(rows, kernel[:-1], self.left) + self.bias
        above = ops.cast(above, self.compute_dtype)
        kernel = ops.reshape(kernel[-1, : self.left + 1], (-1, self.filters))
        kernel = ops.cast(kernel, self.compute_dtype)
        return (above if addend is None else above + addend), kernel

    def next_rows(self, rows, row):
        """`rows` for the next row: without the oldest, with the complete `row`."""
        if not self.left:
            return rows
        return ops.concatenate([rows[:, 1:], row[:, None, self.left :]], axis=1)


def causal_mask(kernel_size, in_features, out_features, mask_type, groups):
    """The 0/1 mask `(kernel_size // 2 + 1, kernel_size, in_features, out_features)`, float32."""
    centre = kernel_size // 2
    mask = np.ones((centre + 1, kernel_size, in_features, out_features), "float32")
    mask[centre, centre + 1 :] = 0.0
    mask[centre, centre] = channel_mask(in_features, out_features, mask_type, groups)
    return mask


def channel_mask(in_features, out_features, mask_type, groups, blocks=1):
    """Which features of a pixel see which, 0/1: `(in_features, out_features)`, float32.

    Args:
        in_features, out_features: their numbers.
        mask_type: "A" or "B".
        groups: number of image channels.
        blocks: number of equal parts of the output, each divided among the channels.
    """
    source = np.arange(in_features) * groups // in_features  # the group of every feature
    size = out_features // blocks
    target = np.tile(np.arange(size) * groups // size, blocks)
    sees = np.less if mask_type == "A" else np.less_equal
    return sees(source[:, None], target[None, :]).astype("float32")


def rows_product(rows, kernel, margin):
    """A convolution whose kernel is as high as its input, by one matrix product.

    Args:
        rows: (b, r, w, f).
        kernel: (r, k, f, F).
        margin: zeros on both sides, `k // 2` for as many outputs as inputs.

    Returns:
        (b, w + 2 margin - k + 1, F).
    """
    height, size, features, filters = kernel.shape
    rows = ops.pad(rows, ((0, 0), (0, 0), (margin, margin), (0, 0)))
    width = rows.shape[2] - size + 1
    patches = [rows[:, i, j : j + width] for i in range(height) for j in range(size)]
    if not patches:
        return ops.zeros((rows.shape[0], width, filters), rows.dtype)
    kernel = ops.cast(ops.reshape(kernel, (-1, filters)), rows.dtype)
    return ops.matmul(ops.concatenate(patches, axis=-1), kernel)
