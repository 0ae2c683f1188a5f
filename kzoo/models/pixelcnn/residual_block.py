"""The residual block of the PixelCNN (van den Oord et al. 2016, arXiv:1601.06759, figure 5)."""

import keras
from keras import ops

from kzoo.layers import MaskedConv2D


@keras.saving.register_keras_serializable(package="kzoo")
class ResidualBlock(keras.layers.Layer):
    """ReLU, 1x1 2h -> h; ReLU, 3x3 h -> h; ReLU, 1x1 h -> 2h; plus the input. All under mask B.

    Args:
        filters: int, h of the paper.
        groups: int, number of image channels.

    Input and output shape: `(batch, height, width, 2 * filters)`.
    """

    def __init__(self, filters, groups=1, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.groups = groups
        options = {"mask_type": "B", "groups": groups, "dtype": self.dtype_policy}
        self.reduce = MaskedConv2D(filters, 1, name="reduce", **options)
        self.spatial = MaskedConv2D(filters, 3, name="spatial", **options)
        # A block starts as the identity: the sum of many would otherwise grow with their number.
        self.expand = MaskedConv2D(
            2 * filters, 1, kernel_initializer="zeros", name="expand", **options
        )

    def build(self, input_shape):
        inner = (*input_shape[:-1], self.filters)
        self.reduce.build(input_shape)
        self.spatial.build(inner)
        self.expand.build(inner)

    def call(self, x, condition=None):
        """`condition`: features to add to those of the 3x3 convolution, or `None`."""
        y = self.reduce(ops.relu(x))
        y = self.spatial(ops.relu(y))
        if condition is not None:
            y = y + condition
        return x + self.expand(ops.relu(y))

    def step(self, x, plan, row, column):
        """`call` for the pixel `x` `(batch, 2 * filters)` at `column` of a row.

        Returns:
            The block's output for the pixel, and the 3x3 convolution's inputs in the row with it.
        """
        y = self.reduce(ops.relu(x))
        row = self.spatial.store(row, ops.relu(y), column)
        y = self.spatial.step(plan, row, column)
        return x + self.expand(ops.relu(y)), row

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "groups": self.groups}
