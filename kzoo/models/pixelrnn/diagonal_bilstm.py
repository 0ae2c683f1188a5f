"""The Diagonal BiLSTM (van den Oord et al. 2016, arXiv:1601.06759, section 3.2)."""

import keras
import numpy as np
from keras import ops

from kzoo.models.pixelrnn.lstm import lstm
from kzoo.models.pixelrnn.lstm_layer import LSTMLayer


@keras.saving.register_keras_serializable(package="kzoo")
class DiagonalBiLSTM(LSTMLayer):
    """Two LSTMs along the diagonals, one from the left to the right and one back.

    The state at pixel (i, j) depends on the pixel's input and on the states at (i, j-1) and
    (i-1, j), where the other direction has (i, j+1) and (i-1, j). The latter's states are shifted
    down by one row before both are added: together they see every pixel that comes before.

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


def chain_length(batch_size):
    """How many images follow one another in the skewed maps, so that fewer steps are idle.

    A row of an image of width w waits for the rows above it: an image of height h takes w + h - 1
    steps, n images in a chain take n w + h - 1.
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
    # Rows of one more element than the result has: each starts one further to the right.
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
