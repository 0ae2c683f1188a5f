"""The Diagonal BiLSTM (van den Oord et al. 2016, arXiv:1601.06759, section 3.2)."""

import keras
import numpy as np
from keras import ops

from kzoo import backend
from kzoo.layers.masked_conv import at_column
from kzoo.models.autoregressive.pixelrnn.lstm import cell, lstm
from kzoo.models.autoregressive.pixelrnn.lstm_layer import LSTMLayer


@keras.saving.register_keras_serializable(package="kzoo")
class DiagonalBiLSTM(LSTMLayer):
    """Two LSTMs along the diagonals, one from the left to the right and one back.

    From the left, the state at pixel (i, j) depends on the pixel's input and on the states at
    (i, j-1) and (i-1, j); from the right, on those at (i, j+1) and (i-1, j). The states from the
    right are shifted down by one row, then both are added. Together they see all pixels that come
    before, with one exception: the last pixel of the row above. A pixel sees it through the
    network's first convolution only, if it is near enough.

    Args:
        units: int, h of the paper.
        groups, condition_features: see `LSTMLayer`.

    Input and output shape: `(height, width, batch, 2 * units)`.
    """

    def __init__(self, units, **kwargs):
        super().__init__(units, kernel_size=1, directions=2, taps=2, **kwargs)

    def call(self, x, condition=None):
        """`condition`: (1 or h, 1 or w, b, condition_features), or `None`."""
        height, width, batch_size, _ = x.shape
        inputs = self.with_condition(x, condition)
        chain = chain_length(batch_size)
        inputs = ops.stack([skew(inputs, chain), skew(ops.flip(inputs, axis=1), chain)], axis=1)
        # At step t, row i is at column (t - i) % width: the first column has no left neighbour.
        steps = np.arange(chain * width + height - 1)
        keep = (steps[:, None] - np.arange(height)) % width != 0
        states = lstm(inputs, *self.lstm_weights(), (0, -1), keep.astype("float32"))
        right, left = (unskew(states[:, i], width, chain) for i in (0, 1))
        left = ops.pad(ops.flip(left[:-1], axis=1), ((1, 0), (0, 0), (0, 0), (0, 0)))
        return x + self.expand(ops.cast(right + left, x.dtype))

    # Sampling: one row, and one pixel of it, at a time ----------------------------------------

    def start_row(self, rows, condition=None):
        """The caches of a row, see `PixelSampler`, from both h above and the condition."""
        batch_size, width, units = rows[0].shape
        kernel = ops.cast(self.input_kernel()[:, : 2 * units], "float32")
        beside, above = ops.split(ops.cast(self.state_kernel(), "float32"), 2, axis=1)
        addends = [ops.matmul(h, above[i]) for i, h in enumerate(rows)]
        bias = self.by_direction(self.input_to_state.bias[None])
        if condition is not None:
            bias = bias[:, None] + self.by_direction(self.condition_addend(condition))
        addends = [ops.cast(bias[i], "float32") + addend for i, addend in enumerate(addends)]
        right = (ops.concatenate([kernel[0], beside[0]]), addends[0])
        left = (kernel[1], beside[1], addends[1])
        states = ops.zeros((batch_size, 1 + width, units))  # a column to the left of the image
        inputs = ops.zeros((batch_size, width, 2 * units))
        return (right, left, rows[1]), (inputs, states, states)

    def step(self, x, row_cache, pixel_cache, column):
        """`call` for the pixel x (b, 2 units) at a column: the output and the cache."""
        (kernel, addend), _, left_above = row_cache
        inputs, h_row, c_row = pixel_cache
        inputs = ops.slice_update(inputs, (0, column, 0), ops.cast(x, "float32")[:, None])
        sources = ops.concatenate([at_column(inputs, column), at_column(h_row, column)], axis=-1)
        z = ops.matmul(sources, kernel) + at_column(addend, column)
        h, c = cell(z, at_column(c_row, column))
        h_row = ops.slice_update(h_row, (0, column + 1, 0), h[:, None])
        c_row = ops.slice_update(c_row, (0, column + 1, 0), c[:, None])
        states = ops.cast(h + at_column(left_above, column), x.dtype)
        return x + self.expand(states), (inputs, h_row, c_row)

    def end_row(self, row_cache, pixel_cache):
        """The states of a complete row: those from the right to the left are computed here."""
        _, (kernel, beside, addend), _ = row_cache
        inputs, h_row, _ = pixel_cache
        gates = ops.matmul(inputs, kernel) + addend
        batch_size, width, _ = inputs.shape

        def column_before(i, carry):
            h, c, row = carry
            column = width - 1 - i
            h, c = cell(ops.matmul(h, beside) + at_column(gates, column), c)
            return h, c, ops.slice_update(row, (0, column, 0), h[:, None])

        zeros = ops.zeros((batch_size, self.units))
        row = ops.zeros((batch_size, width, self.units))
        _, _, left = backend.repeat(width, column_before, (zeros, zeros, row))
        return h_row[:, 1:], left


def chain_length(batch_size):
    """How many images follow one another in the skewed maps, so that fewer steps are idle.

    Each row starts one step after the row above it, so an image of width w and height h takes
    w + h - 1 steps; n images in a chain take n w + h - 1.
    """
    if batch_size is None:  # at the time of tracing
        return 1
    return next(n for n in (8, 4, 2, 1) if n == 1 or (batch_size % n == 0 and batch_size >= 8 * n))


def skew(x, chain):
    """The skewed map (figure 3, right): row i is shifted by i columns, and columns come first.

    Args:
        x: (h, w, b, f).
        chain: int that divides b: b / chain rows of that many images each.

    Returns:
        (chain * w + h - 1, h, b / chain, f).
    """
    height, width, _, features = x.shape
    length = chain * width
    if chain > 1:
        x = ops.reshape(x, (height, width, chain, -1, features))
        x = ops.transpose(x, (0, 2, 1, 3, 4))
        x = ops.reshape(x, (height, length, -1, features))
    # Rows are one element longer than in the result, so each starts one further to the right.
    x = ops.pad(x, ((0, 0), (0, height), (0, 0), (0, 0)))
    x = ops.reshape(x, (height * (length + height), -1, features))[:-height]
    x = ops.reshape(x, (height, length + height - 1, -1, features))
    return ops.transpose(x, (1, 0, 2, 3))


def unskew(x, width, chain):
    """The inverse of `skew`: from (chain * width + h - 1, h, b / chain, f) to (h, width, b, f)."""
    steps, height, _, features = x.shape
    length = chain * width
    x = ops.reshape(ops.transpose(x, (1, 0, 2, 3)), (height * steps, -1, features))
    x = ops.pad(x, ((0, height), (0, 0), (0, 0)))
    x = ops.reshape(x, (height, steps + 1, -1, features))[:, :length]
    if chain > 1:
        x = ops.reshape(x, (height, chain, width, -1, features))
        x = ops.transpose(x, (0, 2, 1, 3, 4))
        x = ops.reshape(x, (height, width, -1, features))
    return x
