"""The gated residual blocks of PixelCNN++ (arXiv:1701.05517 and the authors' program)."""

import keras
from keras import ops

from kzoo.configs import Configured
from kzoo.layers.weight_norm import WeightNormDense
from kzoo.models.autoregressive.pixelcnn_plus_plus.shifted_conv import ShiftedConv2D


def concat_elu(x):
    """elu of x and of -x: twice the features (Shang et al. 2016, arXiv:1603.05201, with elu)."""
    return ops.elu(ops.concatenate([x, -x], axis=-1))


def gate(x):
    """first half of the features * sigmoid(second half)."""
    size = x.shape[-1] // 2
    return x[..., :size] * ops.sigmoid(x[..., size:])


@keras.saving.register_keras_serializable(package="kzoo")
class GatedResnet(Configured, keras.layers.Layer):
    """x + gate(conv(dropout(f(conv(f(x)) + nin(f(shortcuts))))) + condition), f = concat_elu.

    Args:
        filters: int, features of x.
        shift: of the convolutions, see `ShiftedConv2D`.
        shortcuts: int, number of further inputs of `filters` features.
        dropout: float in [0, 1), the fraction of features dropped in training.
        condition_features: int, of the condition; 0 for none.

    Input: x, the short-cut connections and a condition, each `(batch, height, width, features)`.
    Output shape: that of x.
    """

    def __init__(self, filters, shift, shortcuts=0, dropout=0.0, condition_features=0, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.shift = shift
        self.shortcuts = shortcuts
        self.condition_features = condition_features
        options = {"dtype": self.dtype_policy}
        self.conv_in = ShiftedConv2D(filters, shift, name="conv_in", **options)
        # At first, a block changes little.
        self.conv_out = ShiftedConv2D(
            2 * filters, shift, init_scale=0.1, name="conv_out", **options
        )
        self.dropout = keras.layers.Dropout(dropout, name="dropout", **options)
        if shortcuts:
            self.nin = WeightNormDense(filters, name="nin", **options)
        if condition_features:
            self.condition = keras.layers.Dense(
                2 * filters, use_bias=False, name="condition", **options
            )

    def build(self, input_shape=None):
        hidden = (None, None, None, 2 * self.filters)
        self.conv_in.build(hidden)
        self.conv_out.build(hidden)
        if self.shortcuts:
            self.nin.build((None, 2 * self.filters * self.shortcuts))
        if self.condition_features:
            self.condition.build((None, None, None, self.condition_features))
        self.built = True

    def call(self, x, shortcuts=(), condition=None, training=False):
        y = self.conv_in(concat_elu(x))
        if self.shortcuts:
            parts = [concat_elu(shortcut) for shortcut in shortcuts]
            y = y + self.nin(ops.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0])
        y = self.conv_out(self.dropout(concat_elu(y), training=training))
        if self.condition_features:
            y = y + self.condition(condition)
        return x + gate(y)

    # Sampling ----------------------------------------------------------------------------------

    def initial_row(self, batch_size, width):
        """The inputs of the two convolutions in a row without any pixel."""
        return tuple(conv.initial_row(batch_size, width) for conv in (self.conv_in, self.conv_out))

    def row(self, above, x, shortcuts, condition):
        """One row of a "down" block.

        Args:
            above: the inputs of the two convolutions in the row above.
            x, shortcuts, condition: as in `call`, one row of each (b, w, f).

        Returns:
            `(x, inputs)`: the outputs, and `above` for the next row.
        """
        first = concat_elu(x)
        y = self.conv_in.row(above[0], first)
        if self.shortcuts:
            y = y + self.nin(concat_elu(shortcuts[0]))
        second = concat_elu(y)
        y = self.conv_out.row(above[1], second)
        if self.condition_features:
            y = y + self.condition(condition)
        return x + gate(y), (first, second)

    def row_cache(self, above, shortcut, condition):
        """What a row of a "down_right" block computes before its first pixel.

        Args:
            above: the inputs of the two convolutions in the row above.
            shortcut: the first short-cut connection, one row (b, w, f).
            condition: one row (b, 1 or w, f).

        Returns:
            A tuple of tensors for `step`.
        """
        first, kernel_in = self.conv_in.row_cache(above[0])
        kernel = self.nin.kernel()
        size = 2 * self.filters
        first = first + ops.matmul(concat_elu(shortcut), kernel[:size]) + self.nin.bias()
        second, kernel_out = self.conv_out.row_cache(above[1])
        if self.condition_features:
            second = second + self.condition(condition)
        return (first, kernel_in), (second, kernel_out), kernel[size:]

    def step(self, row_cache, rows, x, shortcuts, column):
        """One pixel of a "down_right" block.

        Args:
            row_cache: what `row_cache` returns.
            rows: the inputs of the two convolutions in this row.
            x: (b, f).
            shortcuts: those after the first, (b, f) each.
            column: of the pixel.

        Returns:
            `(x, rows)`.
        """
        first = self.conv_in.store(rows[0], concat_elu(x), column)
        y = self.conv_in.step(row_cache[0], first, column)
        for shortcut in shortcuts:
            y = y + ops.matmul(concat_elu(shortcut), row_cache[2])
        second = self.conv_out.store(rows[1], concat_elu(y), column)
        y = self.conv_out.step(row_cache[1], second, column)
        return x + gate(y), (first, second)

    def get_config(self):
        return {**super().get_config(), "dropout": self.dropout.rate}


@keras.saving.register_keras_serializable(package="kzoo")
class GatedBlock(Configured, keras.layers.Layer):
    """A residual block of each stream.

    The vertical stream sees the rows above a pixel, the horizontal one also the pixel's own row
    up to it: it takes the vertical stream's features as a short-cut connection. With `shortcut`,
    both streams also take the outputs of the mirrored layer.

    Args:
        filters: int, features of each stream.
        shortcut: bool.
        dropout, condition_features: see `GatedResnet`.

    Input: `vertical`, `horizontal`, each `(batch, height, width, filters)`; `shortcut`, a pair of
        such, or `None`; `condition`.
    Output: `(vertical, horizontal)`.
    """

    def __init__(self, filters, shortcut, dropout=0.0, condition_features=0, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.shortcut = bool(shortcut)
        self.dropout = dropout
        self.condition_features = condition_features
        options = {
            "dropout": dropout,
            "condition_features": condition_features,
            "dtype": self.dtype_policy,
        }
        count = int(self.shortcut)
        self.vertical = GatedResnet(filters, "down", count, name="vertical", **options)
        self.horizontal = GatedResnet(
            filters, "down_right", 1 + count, name="horizontal", **options
        )

    def build(self, input_shape=None):
        self.vertical.build()
        self.horizontal.build()
        self.built = True

    def call(self, vertical, horizontal, shortcut=None, condition=None, training=False):
        above, left = ((x,) for x in shortcut) if self.shortcut else ((), ())
        options = {"condition": condition, "training": training}
        vertical = self.vertical(vertical, above, **options)
        horizontal = self.horizontal(horizontal, (vertical, *left), **options)
        return vertical, horizontal

    # Sampling ----------------------------------------------------------------------------------

    def initial_rows(self, batch_size, width):
        """The inputs of each stream's convolutions above the first row."""
        streams = self.vertical, self.horizontal
        return tuple(stream.initial_row(batch_size, width) for stream in streams)

    def start_row(self, rows, vertical, shortcut, condition):
        """One row of the vertical stream.

        Args:
            rows: the inputs of each stream's convolutions in the row above.
            vertical: (b, w, filters).
            shortcut: the vertical stream's short-cut connection (b, w, filters), or `None`.
            condition: (b, 1 or w, f).

        Returns:
            `(row_cache, vertical, above)`: the horizontal stream's cache; the outputs; the vertical
            part of `rows` for the next row.
        """
        shortcuts = () if shortcut is None else (shortcut,)
        vertical, above = self.vertical.row(rows[0], vertical, shortcuts, condition)
        return self.horizontal.row_cache(rows[1], vertical, condition), vertical, above
