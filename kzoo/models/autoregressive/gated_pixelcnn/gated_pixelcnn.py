"""Gated PixelCNN: two stacks without a blind spot, gated units, conditional generation.

Implements
    [1] van den Oord et al., Conditional Image Generation with PixelCNN Decoders, 2016
        (arXiv:1606.05328): gated units (eq. 2), the vertical and the horizontal stack (section 2.2
        and figure 2), the condition on classes (eq. 4) and on feature maps (eq. 5), skip
        connections to the output.
    [2] van den Oord, Kalchbrenner and Kavukcuoglu, Pixel Recurrent Neural Networks, 2016
        (arXiv:1601.06759): the factorization over pixels and channels, masks A and B.

Deviations: Adam instead of RMSProp; the image is shifted down before the vertical stack, once,
instead of its features in every layer; an optional bias of every row and column
(`position_bias`); the last convolution starts at zero. The sampler is ours.

The head reads the layers' skip features alone, so nothing reads the horizontal output of the last
layer. The weights of that 1x1 convolution, filters^2 + filters (1,056 with 32 filters), never get a
gradient; they stay, so that saved models load.
"""

import keras
from keras import ops

from kzoo.checks import check_flag, check_odd, check_positive_int
from kzoo.layers.masked_row_conv import MaskedRowConv2D
from kzoo.models.autoregressive.gated_pixelcnn.gated_layer import GatedLayer
from kzoo.models.autoregressive.pixel_model import PixelModel
from kzoo.models.autoregressive.pixel_model.masked_conv_model import PositionBias, plus


@keras.saving.register_keras_serializable(package="kzoo")
class GatedPixelCNN(PositionBias, PixelModel):
    """Gated PixelCNN over images of discrete values (reference 1).

    See `kzoo.PixelModel` for what the pixel models share: values, shapes of inputs and outputs,
    likelihoods, labels, `generate` and `complete`.

    Args:
        image_shape: `(height, width, channels)` of the images.
        levels: number of values that a channel can take, 2..256.
        filters: p of the paper, features of either stack.
        num_layers: number of layers after the first one, whose kernel is 7x7.
        kernel_size: odd, of the layers after the first one (n of the paper).
        head_filters: features of the skip connections and of the 1x1 convolution after them.
        position_bias: whether the first layer gets a learned bias for every row and every column.
            It tells the network where in the image it is. The paper's model has none.
        **kwargs: `num_classes` and `context_features` of `kzoo.PixelModel`; `name`, `dtype` and the
            like, as in `keras.Model`.

    Raises:
        ValueError: if `levels` is not in 2..256, `kernel_size` is even, or fewer filters than
            channels are asked for.
    """

    def __init__(
        self,
        image_shape=(28, 28, 1),
        levels=2,
        filters=32,
        num_layers=8,
        kernel_size=3,
        head_filters=64,
        position_bias=True,
        **kwargs,
    ):
        super().__init__(image_shape, levels, **kwargs)
        self.filters = filters = check_positive_int("filters", filters)
        self.num_layers = check_positive_int("num_layers", num_layers)
        self.kernel_size = kernel_size = check_odd("kernel_size", kernel_size)
        self.head_filters = head_filters = check_positive_int("head_filters", head_filters)
        self.position_bias = check_flag("position_bias", position_bias)
        self.check_groups(filters=filters, head_filters=head_filters)

        shared = {"groups": self.image_shape[-1], "dtype": self.dtype_policy}
        self.gated_layers = [GatedLayer(filters, 7, "A", head_filters, name="first", **shared)] + [
            GatedLayer(filters, kernel_size, "B", head_filters, name=f"layer_{i}", **shared)
            for i in range(num_layers)
        ]
        self.head = MaskedRowConv2D(head_filters, 1, "B", name="head", **shared)
        # At first, all values are equally likely.
        self.output_layer = MaskedRowConv2D(
            self.num_outputs, 1, "B", kernel_initializer="zeros", name="output", **shared
        )
        self.build((None, *self.image_shape))

    def build(self, input_shape):
        channels = self.image_shape[-1]
        for layer in self.gated_layers:
            layer.build(channels if layer.mask_type == "A" else self.filters)
        hidden = (None, None, None, self.head_filters)
        self.head.build(hidden)
        self.output_layer.build(hidden)
        self.build_position_bias(4 * self.filters)
        if self.condition_features:
            self.conditions = [
                self.condition_layer(4 * self.filters, f"condition_{i}")
                for i in range(len(self.gated_layers))
            ]
        self.built = True

    def addends(self, index, condition, row=None):
        """What layer `index` adds to its two stacks before the gates, `None` for nothing.

        Args:
            index: of the layer.
            condition: see `condition_maps`; (b, 1 or w, f) for a single row.
            row: an integer tensor, or `None` for all rows.
        """
        addend = self.bias_of_positions(row) if index == 0 else None
        if condition is not None:
            addend = plus(self.conditions[index](condition), addend)
        if addend is None:
            return None, None
        return addend[..., : 2 * self.filters], addend[..., 2 * self.filters :]

    def parameters(self, x, condition):
        vertical = ops.pad(x[:, :-1], ((0, 0), (1, 0), (0, 0), (0, 0)))  # the rows above
        horizontal, skips = x, []
        for i, layer in enumerate(self.gated_layers):
            addends = self.addends(i, condition)
            vertical, horizontal, skip = layer(vertical, horizontal, addends)
            skips.append(skip)
        return self.logits(skips)

    def logits(self, skips):
        """The head, on the layers' skip features, of images or of one pixel."""
        x = self.head(ops.relu(sum(skips[1:], start=skips[0])))
        return self.as_logits(self.output_layer(ops.relu(x)))

    # Sampling ----------------------------------------------------------------------------------

    def initial_rows(self, batch_size):
        _, width, channels = self.image_shape
        image = ops.zeros((batch_size, width, channels), self.compute_dtype)
        return image, *(layer.initial_rows(batch_size, width) for layer in self.gated_layers)

    def start_row(self, rows, row, condition, row_in_block):
        vertical, *rows = rows
        batch_size, width, _ = vertical.shape
        row_caches, pixel_caches = [], []
        for i, layer in enumerate(self.gated_layers):
            addends = self.addends(i, condition, row)
            row_cache, vertical, rows[i] = layer.start_row(rows[i], vertical, addends)
            row_caches.append(row_cache)
            pixel_caches.append(layer.horizontal.initial_row(batch_size, width))
        return (tuple(row_caches), tuple(rows)), tuple(pixel_caches)

    def store(self, x, pixel_cache, column):
        first = self.gated_layers[0].horizontal
        return first.store(pixel_cache[0], x, column), *pixel_cache[1:]

    def step(self, row_cache, pixel_cache, column, column_in_block):
        pixel_cache, skips = list(pixel_cache), []
        horizontal = None
        for i, layer in enumerate(self.gated_layers):
            if i:
                pixel_cache[i] = layer.horizontal.store(pixel_cache[i], horizontal, column)
            horizontal, skip = layer.step(horizontal, row_cache[0][i], pixel_cache[i], column)
            skips.append(skip)
        return self.logits(skips), tuple(pixel_cache)

    def end_row(self, rows, row_cache, pixel_cache):
        image = pixel_cache[0][:, self.gated_layers[0].margin :]
        return image, *row_cache[1]
