"""The layer of the gated PixelCNN (van den Oord et al. 2016b, arXiv:1606.05328, figure 2)."""

import keras
from keras import ops

from kzoo.configs import Configured
from kzoo.layers.masked_conv import rows_product
from kzoo.layers.masked_row_conv import MaskedRowConv2D
from kzoo.models.autoregressive.pixel_model.masked_conv_model import plus


def gate(x):
    """tanh(first half of the features) * sigmoid(second half): eq. 2 of the paper."""
    size = x.shape[-1] // 2
    return ops.tanh(x[..., :size]) * ops.sigmoid(x[..., size:])


@keras.saving.register_keras_serializable(package="kzoo")
class GatedLayer(Configured, keras.layers.Layer):
    """A vertical stack over the rows above a pixel and a horizontal stack along its row.

    The vertical stack starts from the image shifted down by one row, so that its features at a
    pixel depend on all rows above and on no other; it needs no mask. The paper shifts the
    features instead, wherever they enter the horizontal stack.

    Args:
        filters: int, p of the paper.
        kernel_size: int, odd, n of the paper: the vertical stack sees `n // 2 + 1` rows by n
            columns, the horizontal one `n // 2` pixels to the left.
        mask_type: "A" in the first layer, which then has no residual connection, else "B".
        skip_filters: int, features that the layer gives to the output of the network.
        groups: int, number of image channels.

    Input: `(vertical, horizontal)`, each `(batch, height, width, features)`.
    Output: `(vertical, horizontal, skip)`, with `filters`, `filters` and `skip_filters` features.
    """

    def __init__(self, filters, kernel_size, mask_type, skip_filters, groups=1, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.mask_type = mask_type
        self.skip_filters = skip_filters
        self.groups = groups
        self.margin = kernel_size // 2
        options = {"groups": groups, "dtype": self.dtype_policy}
        self.horizontal = MaskedRowConv2D(
            2 * filters, kernel_size, mask_type, blocks=2, name="horizontal", **options
        )
        self.out = MaskedRowConv2D(filters, 1, "B", name="out", **options)
        self.skip = MaskedRowConv2D(skip_filters, 1, "B", name="skip", **options)
        # The horizontal stack has the bias of both.
        self.vertical_to_horizontal = keras.layers.Dense(
            2 * filters, use_bias=False, name="vertical_to_horizontal", dtype=self.dtype_policy
        )

    def build(self, features):
        """`features`: of the input, the same number in both stacks."""
        shape = (self.margin + 1, self.kernel_size, features, 2 * self.filters)
        self.kernel = self.add_weight(shape=shape, name="kernel")
        self.bias = self.add_weight(shape=(2 * self.filters,), initializer="zeros", name="bias")
        self.vertical_to_horizontal.build((None, None, None, 2 * self.filters))
        self.horizontal.build((None, None, None, features))
        for layer in (self.out, self.skip):
            layer.build((None, None, None, self.filters))
        self.built = True

    def call(self, vertical, horizontal, addends=(None, None)):
        """`addends`: what a condition adds to each stack before the gates, or `None`."""
        margin = self.margin
        v = ops.pad(vertical, ((0, 0), (margin, 0), (margin, margin), (0, 0)))
        kernel = ops.cast(self.kernel, self.compute_dtype)
        v = ops.conv(v, kernel, padding="valid", data_format="channels_last")
        v = plus(v + ops.cast(self.bias, v.dtype), addends[0])
        h = self.horizontal(horizontal) + self.vertical_to_horizontal(v)
        gated = gate(plus(h, addends[1]))
        return gate(v), self.after_gate(gated, horizontal), self.skip(gated)

    def after_gate(self, gated, horizontal):
        """The horizontal stack's output, for an image or for a pixel."""
        if self.mask_type == "A":
            return self.out(gated)
        return horizontal + self.out(gated)

    # Sampling ----------------------------------------------------------------------------------

    def initial_rows(self, batch_size, width):
        """The vertical stack's inputs above the first row: zeros."""
        shape = (batch_size, self.margin, width, self.kernel.shape[2])
        return ops.zeros(shape, self.compute_dtype)

    def start_row(self, rows, vertical, addends):
        """One row of the vertical stack.

        Args:
            rows: the stack's inputs above this row (b, kernel_size // 2, w, features).
            vertical: the stack's input in this row (b, w, features).
            addends: see `call`, (b, 1 or w, 2 filters).

        Returns:
            `(row_cache, vertical, rows)`: the horizontal stack's cache; the output, which the next
            layer takes; the inputs above the next row.
        """
        rows = ops.concatenate([rows, vertical[:, None]], axis=1)
        v = rows_product(rows, self.kernel, self.margin)
        v = plus(v + ops.cast(self.bias, v.dtype), addends[0])
        addend = plus(self.vertical_to_horizontal(v), addends[1])
        return self.horizontal.row_cache(addend), gate(v), rows[:, 1:]

    def step(self, horizontal, row_cache, row, column):
        """One pixel of the horizontal stack: its output and the skip features."""
        gated = gate(self.horizontal.step(row_cache, row, column))
        return self.after_gate(gated, horizontal), self.skip(gated)
