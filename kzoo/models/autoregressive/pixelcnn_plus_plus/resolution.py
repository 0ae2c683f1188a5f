"""The network of PixelCNN++ at one resolution, around that at half of it (section 2.3-2.4)."""

import keras
from keras import ops

from kzoo.configs import Configured
from kzoo.layers.masked_conv import at_column
from kzoo.models.autoregressive.pixelcnn_plus_plus.gated_block import GatedBlock
from kzoo.models.autoregressive.pixelcnn_plus_plus.shifted_conv import (
    ShiftedConv2D,
    ShiftedConv2DTranspose,
)


@keras.saving.register_keras_serializable(package="kzoo")
class Resolution(Configured, keras.layers.Layer):
    """Residual blocks on the way down, the network at half the resolution, blocks on the way up.

    The way up mirrors the way down: the input of the first `num_resnets` blocks and the output of
    each of them are short-cut connections to the blocks on the way up, the last one to the first.
    Pixel (i, j) at half the resolution sees what pixel (2 i, 2 j) sees. The four pixels
    (2 i, 2 j) to (2 i + 1, 2 j + 1) see it.

    Args:
        filters: int, features of each stream.
        num_resnets: int, residual blocks on the way down.
        coarser: int, how many lower resolutions there are.
        dropout, condition_features: see `GatedResnet`.

    Input: `vertical`, `horizontal`, each `(batch, height, width, filters)`, height and width
        multiples of `2 ** coarser`; `condition`, of as many pixels or of one.
    Output: `(vertical, horizontal)`.
    """

    def __init__(self, filters, num_resnets, coarser, dropout=0.0, condition_features=0, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.num_resnets = num_resnets
        self.coarser = coarser
        self.dropout = dropout
        self.condition_features = condition_features
        policy = {"dtype": self.dtype_policy}
        options = {"dropout": dropout, "condition_features": condition_features, **policy}
        self.down = [
            GatedBlock(filters, False, name=f"down_{i}", **options) for i in range(num_resnets)
        ]
        # The coarsest resolution takes its input from the way down and needs one block less.
        self.up = [
            GatedBlock(filters, True, name=f"up_{i}", **options)
            for i in range(num_resnets + bool(coarser))
        ]
        self.inner = None
        if coarser:
            self.shrink_vertical = ShiftedConv2D(
                filters, "down", strides=2, name="shrink_vertical", **policy
            )
            self.shrink_horizontal = ShiftedConv2D(
                filters, "down_right", strides=2, name="shrink_horizontal", **policy
            )
            self.inner = Resolution(filters, num_resnets, coarser - 1, name="inner", **options)
            self.grow_vertical = ShiftedConv2DTranspose(
                filters, "down", name="grow_vertical", **policy
            )
            self.grow_horizontal = ShiftedConv2DTranspose(
                filters, "down_right", name="grow_horizontal", **policy
            )

    def build(self, input_shape=None):
        for block in self.down + self.up:
            block.build()
        if self.inner is not None:
            shape = (None, None, None, self.filters)
            self.shrink_vertical.build(shape)
            self.shrink_horizontal.build(shape)
            self.inner.build()
            self.grow_vertical.build(shape)
            self.grow_horizontal.build(shape)
        self.built = True

    def call(self, vertical, horizontal, condition=None, training=False):
        options = {"condition": condition, "training": training}
        passed = [(vertical, horizontal)]
        for block in self.down:
            passed.append(block(*passed[-1], **options))
        if self.inner is None:
            vertical, horizontal = passed.pop()
        else:
            vertical, horizontal = passed[-1]
            vertical, horizontal = self.inner(
                self.shrink_vertical(vertical),
                self.shrink_horizontal(horizontal),
                condition=None if condition is None else condition[:, ::2, ::2],
                training=training,
            )
            vertical = self.grow_vertical(vertical)
            horizontal = self.grow_horizontal(horizontal)
        for block in self.up:
            vertical, horizontal = block(vertical, horizontal, passed.pop(), **options)
        return vertical, horizontal

    # Sampling ----------------------------------------------------------------------------------

    def initial_rows(self, batch_size, width):
        """What is kept between rows, before the first one: `(vertical, horizontal)`.

        Each is `(inputs, shrunk, inner, held)`: the inputs of the blocks' convolutions in the row
        above, the input of the strided convolution there, the whole cache of the lower resolution,
        and the lower resolution's last row of outputs. The last three are () at the coarsest
        resolution.
        """
        blocks = [block.initial_rows(batch_size, width) for block in self.down + self.up]
        streams = [tuple(rows) for rows in zip(*blocks, strict=True)]
        if self.inner is None:
            return tuple((rows, (), (), ()) for rows in streams)
        held = ops.zeros((batch_size, width // 2, self.filters), self.compute_dtype)
        inner = self.inner.initial_rows(batch_size, width // 2)
        convs = self.shrink_vertical, self.shrink_horizontal
        return tuple(
            (rows, conv.initial_row(batch_size, width), inner_rows, held)
            for rows, conv, inner_rows in zip(streams, convs, inner, strict=True)
        )

    def start_row(self, rows, pixel_cache, vertical, condition, row_in_block):
        """One row of the vertical stream, at all resolutions that have a row here.

        Args:
            rows, pixel_cache: the vertical and the horizontal part of what is kept between rows.
            vertical: (b, w, filters), the vertical stream in this row.
            condition: (b, 1 or w, f), or `None`.
            row_in_block: see `PixelSampler`; blocks of at least 2 ** coarser rows.

        Returns:
            `(row_cache, rows, pixel_cache, vertical)`: two caches for `step`; `rows` for the next
            row; the stream's outputs. `pixel_cache` is the horizontal part.
        """
        above, shrunk, inner, held = rows
        left, shrunk_left, inner_left, held_left = pixel_cache
        row_caches, new = [], []

        def run(index, block, vertical, shortcut):
            given = above[index], left[index]
            row_cache, vertical, inputs = block.start_row(given, vertical, shortcut, condition)
            row_caches.append(row_cache)
            new.append(inputs)
            return vertical

        passed = [vertical]
        for i, block in enumerate(self.down):
            passed.append(run(i, block, passed[-1], None))
        shrink, inner_row_cache, grow = (), (), ()
        if self.inner is None:
            vertical = passed.pop()
        else:
            if row_in_block % 2 == 0:
                shrink = self.shrink_horizontal.row_cache(shrunk_left)
                inner_row_cache, inner, inner_left, held = self.inner.start_row(
                    inner,
                    inner_left,
                    self.shrink_vertical.row(shrunk, passed[-1]),
                    None if condition is None else condition[:, ::2],
                    row_in_block // 2,
                )
            shrunk = passed[-1]
            shrunk_left = self.shrink_horizontal.initial_row(vertical.shape[0], vertical.shape[1])
            vertical = self.grow_vertical.row(held, row_in_block % 2)
            grow = self.grow_horizontal.row_cache(row_in_block % 2)
        for i, block in enumerate(self.up, start=len(self.down)):
            vertical = run(i, block, vertical, passed.pop())
        first = tuple(
            block.initial_rows(vertical.shape[0], vertical.shape[1])[1]
            for block in self.down + self.up
        )
        row_cache = tuple(row_caches), shrink, inner_row_cache, grow
        rows = tuple(new), shrunk, inner, held
        return row_cache, rows, (first, shrunk_left, inner_left, held_left), vertical

    def step(self, row_cache, pixel_cache, horizontal, column, column_in_block):
        """One pixel of the horizontal stream, at all resolutions that have a pixel here.

        Args:
            row_cache: see `start_row`. Parts of it are () where half the resolution has no row.
            pixel_cache: what is kept of this row's pixels.
            horizontal: (b, filters).
            column: of the pixel.
            column_in_block: see `PixelSampler`; blocks of at least 2 ** coarser columns.

        Returns:
            `(horizontal, pixel_cache)`.
        """
        row_caches, shrink, inner_row_cache, grow = row_cache
        rows, shrunk, inner, held = pixel_cache
        rows = list(rows)
        passed = [horizontal]
        for i, block in enumerate(self.down):
            horizontal, rows[i] = block.horizontal.step(
                row_caches[i], rows[i], passed[-1], (), column
            )
            passed.append(horizontal)
        if self.inner is None:
            horizontal = passed.pop()
        else:
            shrunk = self.shrink_horizontal.store(shrunk, passed[-1], column)
            if shrink and column_in_block % 2 == 0:
                horizontal = self.shrink_horizontal.step(shrink, shrunk, column)
                horizontal, inner = self.inner.step(
                    inner_row_cache, inner, horizontal, column // 2, column_in_block // 2
                )
                held = ops.slice_update(held, (0, column // 2, 0), horizontal[:, None])
            horizontal = self.grow_horizontal.step(
                grow, at_column(held, column // 2), column_in_block % 2
            )
        for i, block in enumerate(self.up, start=len(self.down)):
            shortcuts = (passed.pop(),)
            horizontal, rows[i] = block.horizontal.step(
                row_caches[i], rows[i], horizontal, shortcuts, column
            )
        return horizontal, (tuple(rows), shrunk, inner, held)
