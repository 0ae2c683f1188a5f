"""Masked convolution along a row of pixels (van den Oord et al. 2016, arXiv:1601.06759)."""

import keras
from keras import ops

from kzoo.checks import check_positive_int
from kzoo.layers.masked_conv import MaskedConv, channel_mask


@keras.saving.register_keras_serializable(package="kzoo")
class MaskedRowConv2D(MaskedConv):
    """A convolution along a row: a pixel sees itself and the pixels to its left.

    The horizontal stack of the gated PixelCNN (arXiv:1606.05328, figure 2) and the input-to-state
    component of the row and diagonal LSTMs. Features are divided among the image channels as in
    `MaskedConv2D`; with `blocks`, the output consists of that many parts (the gates of a unit),
    each of which is divided among the channels.

    Args:
        filters: int, number of output features, a multiple of `blocks`.
        kernel_size: int, odd; the width of the kernel before masking. 1 sees the pixel only.
        mask_type: "A" or "B", as in `MaskedConv2D`.
        groups: int, number of image channels.
        blocks: int, number of parts of the output.
        use_bias: whether to add a bias.
        kernel_initializer: as in `keras.layers.Conv2D`.

    Input shape: `(batch, height, width, features)`.
    Output shape: `(batch, height, width, filters)`.

    Raises:
        ValueError: for an unknown `mask_type`, an even or non-positive `kernel_size`, `filters`
            that `blocks` does not divide, or fewer features than groups.
    """

    def __init__(
        self,
        filters,
        kernel_size,
        mask_type,
        groups=1,
        blocks=1,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(filters, kernel_size, mask_type, groups, kernel_initializer, **kwargs)
        self.blocks = check_positive_int("blocks", blocks)
        if filters % blocks or filters // blocks < groups:
            raise ValueError(
                f"`filters` must be a multiple of `blocks`={blocks}, with at least "
                f"`groups`={groups} features in each, got {filters}."
            )
        self.use_bias = use_bias

    def build(self, input_shape):
        self.in_features = features = input_shape[-1]
        self.check_input(features)
        self.kernel = self.add_kernel((self.left + 1, features, self.filters))
        self.mask = channel_mask(features, self.filters, self.mask_type, self.groups, self.blocks)
        if self.use_bias:
            self.bias = self.add_bias()

    def masked_kernel(self):
        """`(taps, features, filters)`, the pixel itself being the last tap."""
        kernel = ops.cast(self.kernel, self.compute_dtype)
        if self.mask.all():
            return kernel
        mask = ops.convert_to_tensor(self.mask[None], kernel.dtype)
        centre = kernel[-1:] * mask
        return ops.concatenate([kernel[:-1], centre]) if self.left else centre

    def call(self, x):
        kernel = self.masked_kernel()
        if self.left:
            x = ops.pad(x, ((0, 0), (0, 0), (self.left, 0), (0, 0)))
            x = ops.conv(x, kernel[None], padding="valid", data_format="channels_last")
        else:
            x = ops.matmul(x, kernel[0])
        return x + ops.cast(self.bias, x.dtype) if self.use_bias else x

    # Sampling: one pixel of `call` at a time ---------------------------------------------------

    def row_cache(self, addend=None):
        """`(addend, kernel)` for `step`; `addend` (batch, 1 or width, filters) joins the bias."""
        kernel = ops.reshape(self.masked_kernel(), (-1, self.filters))
        bias = ops.cast(self.bias, self.compute_dtype)[None, None] if self.use_bias else None
        if addend is None:
            return bias, kernel
        return (addend if bias is None else addend + bias), kernel
