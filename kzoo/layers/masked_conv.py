"""Masked convolution over pixels in raster order (van den Oord et al. 2016, arXiv:1601.06759).

Section 3.4 and figure 2 (right) of the paper: a pixel may see the pixels above it and to its left,
and among its own channels those that come earlier in the order R, G, B; mask "A" hides the channel
itself, mask "B" shows it.
"""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class MaskedConv2D(keras.layers.Layer):
    """A "same" convolution, stride 1, that sees only what comes earlier in raster order.

    The features of input and output are split into `groups` contiguous parts of (nearly) equal
    size, one for every image channel. At the centre of the kernel a feature of group `g` reads the
    groups `< g` under mask "A" and `<= g` under mask "B". The kernel holds only the rows down to
    the pixel's own, because the mask would zero all rows below.

    For sampling pixel by pixel, `store` and `step` compute one pixel of `call` from a cache of the
    rows that the kernel covers. A 1x1 convolution needs none: `call` takes a pixel as it is.

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
        self,
        filters,
        kernel_size,
        mask_type,
        groups=1,
        kernel_initializer="he_normal",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if mask_type not in ("A", "B"):
            raise ValueError(f"`mask_type` must be 'A' or 'B', got {mask_type!r}.")
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"`kernel_size` must be odd and positive, got {kernel_size}.")
        if not 1 <= groups <= filters:
            raise ValueError(
                f"`groups` must be between 1 and `filters`={filters}, got groups={groups}."
            )
        self.filters = filters
        self.kernel_size = kernel_size
        self.mask_type = mask_type
        self.groups = groups
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.rows = kernel_size // 2 + 1  # rows of the square kernel that the mask leaves
        self.margin = kernel_size // 2

    def build(self, input_shape):
        if len(input_shape) != 4:
            raise ValueError(
                "MaskedConv2D expects an input of shape (batch, height, width, features), "
                f"got {tuple(input_shape)}."
            )
        features = input_shape[-1]
        if features < self.groups:
            raise ValueError(
                f"MaskedConv2D with groups={self.groups} expects at least as many input "
                f"features, got {features}."
            )
        self.mask = causal_mask(
            self.kernel_size, features, self.filters, self.mask_type, self.groups
        )
        self.kernel = self.add_weight(
            shape=self.mask.shape, initializer=self.kernel_initializer, name="kernel"
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def masked_kernel(self):
        return self.kernel * ops.convert_to_tensor(self.mask, self.kernel.dtype)

    def call(self, x):
        if self.kernel_size == 1:  # a product per pixel, also for a single pixel (batch, features)
            return ops.matmul(x, self.masked_kernel()[0, 0]) + self.bias
        margin = self.margin
        x = ops.pad(x, ((0, 0), (margin, 0), (margin, margin), (0, 0)))
        x = ops.conv(x, self.masked_kernel(), padding="valid", data_format="channels_last")
        return x + self.bias

    def initial_cache(self, batch_size, width):
        """Zeros `(batch_size, rows, width + kernel_size - 1, features)`: all above the image.

        The layer must be built.
        """
        features = self.kernel.shape[2]
        shape = (batch_size, self.rows, width + 2 * self.margin, features)
        return ops.zeros(shape, self.compute_dtype)

    def store(self, cache, x, column):
        """Writes the input `x` `(batch, features)` of the pixel at `column` to the newest row."""
        return ops.slice_update(
            cache, (0, self.rows - 1, column + self.margin, 0), x[:, None, None]
        )

    def step(self, cache, column):
        """The output `(batch, filters)` of `call` at `column` of the newest row in the cache."""
        features = self.kernel.shape[2]
        size = (ops.shape(cache)[0], self.rows, self.kernel_size, features)
        patch = ops.slice(cache, (0, 0, column, 0), size)
        patch = ops.reshape(patch, (-1, self.rows * self.kernel_size * features))
        y = ops.matmul(patch, ops.reshape(self.masked_kernel(), (-1, self.filters))) + self.bias
        return ops.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "mask_type": self.mask_type,
            "groups": self.groups,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


def causal_mask(kernel_size, in_features, out_features, mask_type, groups):
    """The 0/1 mask `(kernel_size // 2 + 1, kernel_size, in_features, out_features)`, float32."""
    centre = kernel_size // 2
    mask = np.ones((centre + 1, kernel_size, in_features, out_features), "float32")
    mask[centre, centre + 1 :] = 0.0
    source = np.arange(in_features) * groups // in_features  # the group of every feature
    target = np.arange(out_features) * groups // out_features
    sees = np.less if mask_type == "A" else np.less_equal
    mask[centre, centre] = sees(source[:, None], target[None, :])
    return mask


def next_row(cache):
    """A layer's cache at the start of a row: the oldest row drops out, a row of zeros comes in."""
    return ops.concatenate([cache[:, 1:], ops.zeros_like(cache[:, :1])], axis=1)
