"""The Row LSTM (van den Oord et al. 2016, arXiv:1601.06759, section 3.1)."""

import keras
from keras import ops

from kzoo.models.pixelrnn.lstm import lstm
from kzoo.models.pixelrnn.lstm_layer import LSTMLayer


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
        margin = self.input_to_state.margin
        padded = ops.pad(x, ((0, 0), (margin, 0), (0, 0), (0, 0)))
        width = x.shape[1]
        inputs = ops.concatenate([padded[:, i : i + width] for i in range(margin + 1)], axis=-1)
        inputs = self.with_condition(inputs, condition)
        states = lstm(inputs[:, None], *self.lstm_weights(), self.offsets)[:, 0]
        return x + self.expand(ops.cast(states, x.dtype))

    def get_config(self):
        return {**super().get_config(), "kernel_size": self.kernel_size}
