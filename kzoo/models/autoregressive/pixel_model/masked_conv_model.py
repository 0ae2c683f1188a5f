"""The first and the last layers that PixelCNN and PixelRNN have in common.

[1] van den Oord, Kalchbrenner and Kavukcuoglu, Pixel Recurrent Neural Networks, 2016
    (arXiv:1601.06759): the first convolution and the head of all networks in table 1.
"""

from keras import ops

from kzoo.checks import check_flag, check_positive_int
from kzoo.layers import MaskedConv2D
from kzoo.models.autoregressive.pixel_model.pixel_model import PixelModel


class PositionBias:
    """A learned bias of every row and every column (a mixin of `PixelModel`).

    It tells the network where in the image it is. `position_bias` says whether there is one.
    """

    def build_position_bias(self, features):
        if self.position_bias:
            height, width, _ = self.image_shape
            self.row_bias = self.add_weight((height, features), "zeros", name="row_bias")
            self.column_bias = self.add_weight((width, features), "zeros", name="column_bias")

    def bias_of_positions(self, row=None):
        """The biases (1, h, w, features), or (1, w, features) of a row; `None` if there are none.

        Args:
            row: an integer tensor, or `None` for all rows.
        """
        if not self.position_bias:
            return None
        rows = self.row_bias[:, None] if row is None else ops.take(self.row_bias, row, axis=0)
        return ops.cast(rows + self.column_bias, self.compute_dtype)[None]


class MaskedConvModel(PositionBias, PixelModel):
    """A 7x7 convolution with mask A, the subclass's layers, a head of 1x1 convolutions [1].

    A subclass calls `add_convolutions`, adds its own layers, and then calls `build`.
    """

    def add_convolutions(self, residual_features, head_filters, position_bias):
        """Makes the first convolution and the head.

        Args:
            residual_features: number of features of the subclass's layers, which are residual.
            head_filters: features of the two 1x1 convolutions before the output.
            position_bias: whether the first convolution gets a learned bias of every row and
                column.
        """
        self.head_filters = check_positive_int("head_filters", head_filters)
        self.position_bias = check_flag("position_bias", position_bias)
        self.residual_features = residual_features
        shared = self.layer_options
        self.first = MaskedConv2D(residual_features, 7, "A", name="first", **shared)
        self.head = [MaskedConv2D(head_filters, 1, "B", name=f"head_{i}", **shared) for i in (0, 1)]
        # At first, all values are equally likely.
        self.output_layer = MaskedConv2D(
            self.num_outputs, 1, "B", kernel_initializer="zeros", name="output", **shared
        )

    @property
    def layer_options(self):
        """What every masked layer of the model is built with."""
        return {"groups": self.image_shape[-1], "dtype": self.dtype_policy}

    def build(self, input_shape):
        self.first.build(input_shape)
        self.build_position_bias(self.residual_features)
        hidden = (*input_shape[:-1], self.head_filters)
        for layer, features in zip(
            self.head, (self.residual_features, self.head_filters), strict=True
        ):
            layer.build((*input_shape[:-1], features))
        self.output_layer.build(hidden)
        self.built = True

    def features(self, x):
        """The first convolution of scaled images, with position biases: (b, h, w, features)."""
        x = self.first(x)
        return x + self.bias_of_positions() if self.position_bias else x

    def logits(self, x):
        """The logits from the last layer's features, of images or of one pixel."""
        return self.as_logits(self.head_outputs(x))

    def head_outputs(self, x):
        """The head: from features (..., residual_features) to (..., num_outputs)."""
        for layer in (*self.head, self.output_layer):
            x = layer(ops.relu(x))
        return x

    def store(self, x, pixel_cache, column):
        """See `PixelSampler`. The cache begins with the first convolution's inputs."""
        return self.first.store(pixel_cache[0], x, column), *pixel_cache[1:]


def plus(x, addend):
    """x + addend, where `None` stands for zero."""
    if x is None or addend is None:
        return addend if x is None else x
    return x + addend
