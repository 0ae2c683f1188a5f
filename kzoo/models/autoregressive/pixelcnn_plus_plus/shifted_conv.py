"""The convolutions of PixelCNN++ (arXiv:1701.05517, section 2.3 and the authors' program).

No kernel is masked. A "down" convolution sees its own row and those above, on both sides; a
"down_right" one sees its own column and those to the left only.
"""

import keras
from keras import ops

from kzoo.checks import check_name
from kzoo.layers.masked_conv import IncrementalConv, rows_product
from kzoo.layers.weight_norm import WeightNorm

_SHIFTS = ("down", "down_right")


@keras.saving.register_keras_serializable(package="kzoo")
class ShiftedConv2D(IncrementalConv, WeightNorm):
    """A weight-normalized convolution over what lies above and to the left.

    With strides s, output pixel (i, j) sees the input's rows down to s i. Of the columns, "down"
    sees `kernel_size[1] // 2` on either side of s j, "down_right" those up to s j.

    Args:
        filters: int, number of output features.
        shift: "down" or "down_right".
        kernel_size: (rows, columns), by default (2, 3) for "down" and (2, 2) for "down_right".
        strides: int, of both sides.
        init_scale: positive float, see `WeightNorm`.

    Input shape: `(batch, height, width, features)`.
    Output shape: `(batch, ceil(height / strides), ceil(width / strides), filters)`.

    Raises:
        ValueError: for an unknown `shift`.
    """

    def __init__(self, filters, shift, kernel_size=None, strides=1, init_scale=1.0, **kwargs):
        super().__init__(filters, init_scale, **kwargs)
        self.shift = check_name("shift", shift, _SHIFTS)
        self.kernel_size = tuple(kernel_size or ((2, 3) if shift == "down" else (2, 2)))
        self.strides = strides
        columns = self.kernel_size[1]
        self.left = columns // 2 if shift == "down" else columns - 1
        self.right = columns // 2 if shift == "down" else 0

    def build(self, input_shape):
        self.in_features = input_shape[-1]
        self.build_kernel((*self.kernel_size, self.in_features))

    def linear(self, x, kernel):
        x = ops.pad(x, ((0, 0), (self.kernel_size[0] - 1, 0), (self.left, self.right), (0, 0)))
        return ops.conv(x, kernel, self.strides, padding="valid", data_format="channels_last")

    # Sampling: one row of a "down" convolution, one pixel of a "down_right" one -----------------

    def initial_row(self, batch_size, width):
        """A row of inputs without any pixel, zeros, with the padding of "down_right"."""
        if self.shift == "down_right":
            return super().initial_row(batch_size, width)
        return ops.zeros((batch_size, width, self.in_features), self.compute_dtype)

    def row(self, *rows):
        """A row of outputs of a "down" convolution from the rows that it sees, (b, w, f) each."""
        y = rows_product(ops.stack(rows, axis=1), self.kernel(), self.left)
        return y[:, :: self.strides] + self.bias()

    def row_cache(self, row):
        """What a row of a "down_right" convolution takes from the row above it.

        Args:
            row: the input's row above, with its padding (b, left + w, f).

        Returns:
            `(above, kernel)`: (b, w / strides, filters), and a matrix for `step`.
        """
        kernel = self.kernel()
        above = rows_product(row[:, None], kernel[:-1], 0)[:, :: self.strides]
        return above + self.bias(), ops.reshape(kernel[-1], (-1, self.filters))


@keras.saving.register_keras_serializable(package="kzoo")
class ShiftedConv2DTranspose(WeightNorm):
    """A weight-normalized transposed convolution to twice the height and width.

    Input pixel (i, j) goes to the rows 2 i and 2 i + 1 of the output, and to the columns 2 j and
    2 j + 1; with "down", whose kernel is 2x3, also to the column 2 j - 1.

    Args:
        filters: int, number of output features.
        shift: "down" or "down_right".
        init_scale: positive float, see `WeightNorm`.

    Input shape: `(batch, height, width, features)`.
    Output shape: `(batch, 2 height, 2 width, filters)`.

    Raises:
        ValueError: for an unknown `shift`.
    """

    def __init__(self, filters, shift, init_scale=1.0, **kwargs):
        super().__init__(filters, init_scale, **kwargs)
        self.shift = check_name("shift", shift, _SHIFTS)

    def build(self, input_shape):
        self.build_kernel((2, 3 if self.shift == "down" else 2, input_shape[-1]))

    def linear(self, x, kernel):
        _, height, width, _ = x.shape
        rows = [self.upsampled(x, kernel[i]) for i in range(2)]  # (b, h, 2 w, filters) each
        return ops.reshape(ops.stack(rows, axis=2), (-1, 2 * height, 2 * width, self.filters))

    def upsampled(self, x, kernel):
        """Twice the columns of x (..., w, f), by one row (columns, f, filters) of the kernel."""
        parts = [ops.matmul(x, kernel[j]) for j in range(kernel.shape[0])]
        if self.shift == "down":
            before, even, odd = parts
            end = [(0, 0)] * (len(x.shape) - 2) + [(0, 1), (0, 0)]
            parts = even, odd + ops.pad(before[..., 1:, :], end)
        y = ops.stack(parts, axis=-2)  # (..., w, 2, filters)
        return ops.reshape(y, (-1, *y.shape[1:-3], 2 * y.shape[-3], self.filters))

    # Sampling ----------------------------------------------------------------------------------

    def row(self, x, parity):
        """The output's row 2 i + parity from the input's row i (b, w, f), of "down"."""
        return self.upsampled(x, self.kernel()[parity]) + self.bias()

    def row_cache(self, parity):
        """What `step` needs in a row 2 i + parity."""
        kernel = self.kernel()[parity]
        return kernel[0], kernel[1], self.bias()

    def step(self, row_cache, x, parity):
        """The output's column 2 j + parity (b, filters) from the input's column j, (b, f)."""
        return ops.matmul(x, row_cache[parity]) + row_cache[2]
