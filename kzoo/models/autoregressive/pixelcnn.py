"""PixelCNN: the joint distribution of all pixels as a product of conditionals.

Implements
    [1] van den Oord, Kalchbrenner and Kavukcuoglu, Pixel Recurrent Neural Networks, 2016
        (arXiv:1601.06759): the factorization over pixels (eq. 1) and channels (eq. 2) with
        discrete values (section 3.1), residual blocks (section 3.3, figure 5), masks A and B
        (section 3.4), the PixelCNN (section 3.5, last column of table 1).

Deviations: Adam instead of RMSProp; masked rows of the kernels are left out instead of multiplied
by zero; the last convolution, and the last one of every block, start at zero; an optional bias of
every row and column (`position_bias`); a condition, which the paper's multi-scale network adds to
its layers (section 3.6), is added here in every block. The sampler is ours.
"""

import keras
from keras import ops

from kzoo.checks import check_positive_int
from kzoo.configs import Configured
from kzoo.layers import MaskedConv2D
from kzoo.models.autoregressive.pixel_model.masked_conv_model import MaskedConvModel, plus


@keras.saving.register_keras_serializable(package="kzoo")
class ResidualBlock(Configured, keras.layers.Layer):
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
        # A block starts as the identity. Otherwise the features would grow with every block.
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

    def step(self, x, row_cache, row, column):
        """`call` for the pixel `x` `(batch, 2 * filters)` at `column` of a row.

        Returns:
            The block's output for the pixel, and the 3x3 convolution's inputs in the row with it.
        """
        y = self.reduce(ops.relu(x))
        row = self.spatial.store(row, ops.relu(y), column)
        y = self.spatial.step(row_cache, row, column)
        return x + self.expand(ops.relu(y)), row


@keras.saving.register_keras_serializable(package="kzoo")
class PixelCNN(MaskedConvModel):
    """PixelCNN over images of discrete values (reference 1).

    See `kzoo.PixelModel` for what the pixel models share: values, shapes of inputs and outputs,
    likelihoods, labels, `generate` and `complete`.

    Args:
        image_shape: `(height, width, channels)` of the images.
        levels: number of values that a channel can take, 2..256.
        filters: h of the paper; the residual stream has 2h features.
        num_blocks: number of residual blocks. One pixel sees `3 + num_blocks` pixels to its left.
        head_filters: features of the two 1x1 convolutions before the output.
        position_bias: whether the first convolution gets a learned bias for every row and every
            column. It tells the network where in the image a pixel is; without it, convolutions
            know this near the border only. The paper's model has none.
        **kwargs: `num_classes` and `context_features` of `kzoo.PixelModel`; `name`, `dtype` and the
            like, as in `keras.Model`.

    Raises:
        ValueError: if `levels` is not in 2..256, or fewer filters than channels are asked for.
    """

    def __init__(
        self,
        image_shape=(28, 28, 1),
        levels=2,
        filters=32,
        num_blocks=8,
        head_filters=32,
        position_bias=True,
        **kwargs,
    ):
        super().__init__(image_shape, levels, **kwargs)
        self.filters = check_positive_int("filters", filters)
        self.num_blocks = check_positive_int("num_blocks", num_blocks)
        self.check_groups(filters=filters, head_filters=head_filters)
        self.add_convolutions(2 * filters, head_filters, position_bias)
        self.blocks = [
            ResidualBlock(filters, name=f"block_{i}", **self.layer_options)
            for i in range(num_blocks)
        ]
        self.build((None, *self.image_shape))

    def build(self, input_shape):
        for block in self.blocks:
            block.build((*input_shape[:-1], self.residual_features))
        if self.condition_features:
            self.first_condition = self.condition_layer(self.residual_features, "first_condition")
            self.block_conditions = [
                self.condition_layer(self.filters, f"condition_{i}") for i in range(self.num_blocks)
            ]
        super().build(input_shape)

    def addends(self, condition):
        """What the condition adds to the first convolution, and a list for the blocks."""
        if condition is None:
            return None, [None] * self.num_blocks
        blocks = [layer(condition) for layer in self.block_conditions]
        return self.first_condition(condition), blocks

    def parameters(self, x, condition):
        first_addend, block_addends = self.addends(condition)
        x = plus(self.features(x), first_addend)  # (b, h, w, 2 filters)
        for block, addend in zip(self.blocks, block_addends, strict=True):
            x = block(x, addend)
        return self.logits(x)

    # Sampling ----------------------------------------------------------------------------------

    @property
    def spatial_layers(self):
        """The layers that look at other pixels."""
        return [self.first, *(block.spatial for block in self.blocks)]

    def initial_rows(self, batch_size):
        width = self.image_shape[1]
        return tuple(layer.initial_rows(batch_size, width) for layer in self.spatial_layers)

    def start_row(self, rows, row, condition, row_in_block):
        first_addend, block_addends = self.addends(condition)
        addends = [plus(self.bias_of_positions(row), first_addend), *block_addends]
        batch_size, _, width, _ = rows[0].shape
        layers = self.spatial_layers
        row_caches = (
            layer.row_cache(*args) for layer, *args in zip(layers, rows, addends, strict=True)
        )
        return tuple(row_caches), tuple(layer.initial_row(batch_size, width) for layer in layers)

    def step(self, row_cache, pixel_cache, column, column_in_block):
        pixel_cache = list(pixel_cache)
        x = self.first.step(row_cache[0], pixel_cache[0], column)  # (b, 2 filters)
        for i, block in enumerate(self.blocks, start=1):
            x, pixel_cache[i] = block.step(x, row_cache[i], pixel_cache[i], column)
        return self.logits(x), tuple(pixel_cache)

    def end_row(self, rows, row_cache, pixel_cache):
        layers = zip(self.spatial_layers, rows, pixel_cache, strict=True)
        return tuple(layer.next_rows(above, row) for layer, above, row in layers)
