"""The network of PixelCNN++ at one resolution, around that at half of it (section 2.3-2.4)."""

import keras
from keras import ops

from kzoo.layers.row_cache import at_column
from kzoo.models.autoregressive.pixelcnn_plus_plus.gated_block import GatedBlock
from kzoo.models.autoregressive.pixelcnn_plus_plus.shifted_conv import (
    ShiftedConv2D,
    ShiftedConv2DTranspose,
)


@keras.saving.register_keras_serializable(package="kzoo")
class Resolution(keras.layers.Layer):
    """Residual blocks, the same at half the resolution, and the blocks that mirror the first ones.

    The first `num_resnets` blocks pass what they start from and what each of them yields to the
    mirrored blocks, the last to the first. Pixel (i, j) at half the resolution sees what pixel
    (2 i, 2 j) sees, and is seen by the four pixels from there on.

    Args:
        filters: int, features of either stream.
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
        # The coarsest starts from the last of what is passed.
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
        above, that of the strided one, the same of the lower resolution, and its last row. The
        last three are () at the coarsest resolution.
        """
        blocks = [block.initial_rows(batch_size, width) for block in self.down + self.up]
        streams = [tuple(rows) for rows in zip(*blocks, strict=True)]
        if self.inner is None:
            return tuple((rows, (), (), ()) for rows in streams)
        held = ops.zeros((batch_size, width // 2, self.filters), self.compute_dtype)
        inner = self.inner.initial_rows(batch_size, width // 2)
        convs = self.shrink_vertical, self.shrink_horizontal
        return tuple(
            (rows, conv.initial_row(batch_size, width), of_inner, held)
            for rows, conv, of_inner in zip(streams, convs, inner, strict=True)
        )

    def start_row(self, rows, buffers, vertical, condition, phase):
        """One row of the vertical stream, at all resolutions that have a row here.

        Args:
            rows, buffers: the vertical and the horizontal part of what is kept between rows.
            vertical: (b, w, filters), the vertical stream in this row.
            condition: (b, 1 or w, f), or `None`.
            phase: the row, modulo 2 ** coarser at least.

        Returns:
            `(plan, rows, buffers, vertical)`: what `step` needs; `rows` for the next row; the
            horizontal part before the row's first pixel; the stream's outputs.
        """
        above, shrunk, inner, held = rows
        left, shrunk_left, inner_left, held_left = buffers
        plans, new = [], []

        def run(index, block, vertical, shortcut):
            given = above[index], left[index]
            plan, vertical, inputs = block.start_row(given, vertical, shortcut, condition)
            plans.append(plan)
            new.append(inputs)
            return vertical

        passed = [vertical]
        for i, block in enumerate(self.down):
            passed.append(run(i, block, passed[-1], None))
        shrink, inner_plan, grow = (), (), ()
        if self.inner is None:
            vertical = passed.pop()
        else:
            if phase % 2 == 0:
                shrink = self.shrink_horizontal.plan(shrunk_left)
                inner_plan, inner, inner_left, held = self.inner.start_row(
                    inner,
                    inner_left,
                    self.shrink_vertical.row(shrunk, passed[-1]),
                    None if condition is None else condition[:, ::2],
                    phase // 2,
                )
            shrunk = passed[-1]
            shrunk_left = self.shrink_horizontal.initial_row(vertical.shape[0], vertical.shape[1])
            vertical = self.grow_vertical.row(held, phase % 2)
            grow = self.grow_horizontal.plan(phase % 2)
        for i, block in enumerate(self.up, start=len(self.down)):
            vertical = run(i, block, vertical, passed.pop())
        first = tuple(
            block.initial_rows(vertical.shape[0], vertical.shape[1])[1]
            for block in self.down + self.up
        )
        plan = tuple(plans), shrink, inner_plan, grow
        rows = tuple(new), shrunk, inner, held
        return plan, rows, (first, shrunk_left, inner_left, held_left), vertical

    def step(self, plan, buffers, horizontal, column, phase):
        """One pixel of the horizontal stream, at all resolutions that have a pixel here.

        Args:
            plan: see `start_row`; without a row at half the resolution, parts of it are ().
            buffers: what is known of this row.
            horizontal: (b, filters).
            column: of the pixel.
            phase: the column, modulo 2 ** coarser at least.

        Returns:
            `(horizontal, buffers)`.
        """
        plans, shrink, inner_plan, grow = plan
        rows, shrunk, inner, held = buffers
        rows = list(rows)
        passed = [horizontal]
        for i, block in enumerate(self.down):
            horizontal, rows[i] = block.horizontal.step(plans[i], rows[i], passed[-1], (), column)
            passed.append(horizontal)
        if self.inner is None:
            horizontal = passed.pop()
        else:
            shrunk = self.shrink_horizontal.store(shrunk, passed[-1], column)
            if shrink and phase % 2 == 0:
                horizontal = self.shrink_horizontal.step(shrink, shrunk, column)
                horizontal, inner = self.inner.step(
                    inner_plan, inner, horizontal, column // 2, phase // 2
                )
                held = ops.slice_update(held, (0, column // 2, 0), horizontal[:, None])
            horizontal = self.grow_horizontal.step(grow, at_column(held, column // 2), phase % 2)
        for i, block in enumerate(self.up, start=len(self.down)):
            shortcuts = (passed.pop(),)
            horizontal, rows[i] = block.horizontal.step(
                plans[i], rows[i], horizontal, shortcuts, column
            )
        return horizontal, (tuple(rows), shrunk, inner, held)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "num_resnets": self.num_resnets,
            "coarser": self.coarser,
            "dropout": self.dropout,
            "condition_features": self.condition_features,
        }
