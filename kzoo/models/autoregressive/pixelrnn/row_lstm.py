"""The Row LSTM (van den Oord et al. 2016, arXiv:1601.06759, section 3.1)."""

import keras
from keras import ops

from kzoo.layers.masked_conv import at_column, rows_product
from kzoo.models.autoregressive.pixelrnn.lstm import cell, lstm
from kzoo.models.autoregressive.pixelrnn.lstm_layer import LSTMLayer


@keras.saving.register_keras_serializable(package="kzoo")
class RowLSTM(LSTMLayer):
    """An LSTM from the top row to the bottom row, one step per row.

    The state at a pixel depends on the pixel's input and those to its left, and on the states of
    the row above at `kernel_size` columns around it, so that it sees a triangle above it.

    Args:
        units: int, h of the paper.
        kernel_size: int, odd, k of the paper, of both components.
        groups, condition_features: see `LSTMLayer`.

    Input and output shape: `(height, width, batch, 2 * units)`.
    """

    def __init__(self, units, kernel_size=3, **kwargs):
        super().__init__(units, kernel_size, directions=1, taps=kernel_size, **kwargs)
        self.kernel_size = kernel_size
        margin = kernel_size // 2
        self.offsets = tuple(range(-margin, margin + 1))

    def call(self, x, condition=None):
        """`condition`: (1 or h, 1 or w, b, condition_features), or `None`."""
        margin = self.input_to_state.left
        padded = ops.pad(x, ((0, 0), (margin, 0), (0, 0), (0, 0)))
        width = x.shape[1]
        inputs = ops.concatenate([padded[:, i : i + width] for i in range(margin + 1)], axis=-1)
        inputs = self.with_condition(inputs, condition)
        states = lstm(inputs[:, None], *self.lstm_weights(), self.offsets)[:, 0]
        return x + self.expand(ops.cast(states, x.dtype))

    # Sampling: one row, and one pixel of it, at a time ----------------------------------------

    def start_row(self, rows, condition=None):
        """The caches of a row, see `PixelSampler`, from `(h, c)` above and the condition."""
        h, c = rows
        batch_size, width, units = h.shape
        kernel = ops.reshape(self.state_kernel(), (1, self.taps, units, 4 * units))
        addend = rows_product(h[:, None], kernel, self.kernel_size // 2)
        if condition is not None:
            addend = addend + self.condition_addend(condition)
        addend = ops.cast(addend, self.compute_dtype)
        row_cache = (self.input_to_state.row_cache(addend), c)
        return row_cache, (self.input_to_state.initial_row(batch_size, width), h, c)

    def step(self, x, row_cache, pixel_cache, column):
        """`call` for the pixel x (b, 2 units) at a column: the output and the cache."""
        input_cache, c_above = row_cache
        inputs, h_row, c_row = pixel_cache
        inputs = self.input_to_state.store(inputs, x, column)
        z = ops.cast(self.input_to_state.step(input_cache, inputs, column), "float32")
        h, c = cell(z, at_column(c_above, column))
        h_row = ops.slice_update(h_row, (0, column, 0), h[:, None])
        c_row = ops.slice_update(c_row, (0, column, 0), c[:, None])
        return x + self.expand(ops.cast(h, x.dtype)), (inputs, h_row, c_row)

    def end_row(self, row_cache, pixel_cache):
        """The states of a complete row."""
        return pixel_cache[1:]

    def get_config(self):
        return {**super().get_config(), "kernel_size": self.kernel_size}
