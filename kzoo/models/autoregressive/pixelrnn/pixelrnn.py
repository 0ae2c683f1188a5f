"""PixelRNN: the joint distribution of all pixels, by LSTMs over the rows or the diagonals.

Implements
    [1] van den Oord, Kalchbrenner and Kavukcuoglu, Pixel Recurrent Neural Networks, 2016
        (arXiv:1601.06759): the factorization over pixels (eq. 1) and channels (eq. 2) with
        discrete values, the Row LSTM (section 3.1, eq. 3), the Diagonal BiLSTM (section 3.2),
        residual connections (section 3.3, figure 5), masks A and B (section 3.4), the network
        (section 3.5, table 1), the condition (section 3.6).

Deviations: Adam instead of RMSProp; the last convolution, and the last one of every layer, start
at zero; the biases of the forget gates start at 1; an optional bias of every row and column
(`position_bias`). The sampler is ours.
"""

import keras
from keras import ops

from kzoo.checks import check_name, check_odd, check_positive_int
from kzoo.models.autoregressive.pixel_model.masked_conv_model import MaskedConvModel
from kzoo.models.autoregressive.pixelrnn.diagonal_bilstm import DiagonalBiLSTM
from kzoo.models.autoregressive.pixelrnn.row_lstm import RowLSTM


@keras.saving.register_keras_serializable(package="kzoo")
class PixelRNN(MaskedConvModel):
    """PixelRNN over images of discrete values (reference 1).

    See `kzoo.PixelModel` for what the pixel models share: values, shapes of inputs and outputs,
    likelihoods, labels, `generate` and `complete`.

    Args:
        image_shape: `(height, width, channels)` of the images.
        levels: number of values that a channel can take, 2..256.
        variant: "row_lstm", whose layers see a triangle of pixels above a pixel, or
            "diagonal_bilstm", whose layers see nearly all pixels before it and take about twice the
            time.
        units: h of the paper; the residual stream has 2h features.
        num_layers: number of LSTM layers.
        kernel_size: odd, k of the Row LSTM; a Diagonal BiLSTM has none.
        head_filters: features of the two 1x1 convolutions before the output.
        position_bias: whether the first convolution gets a learned bias for every row and every
            column, which tells the network where in the image it is. The paper's model has none.
        **kwargs: `num_classes` and `context_features` of `kzoo.PixelModel`; `name`, `dtype` and the
            like, as in `keras.Model`.

    Raises:
        ValueError: if `variant` is unknown, `levels` is not in 2..256, `kernel_size` is even, or
            fewer units or filters than channels are asked for.
    """

    def __init__(
        self,
        image_shape=(28, 28, 1),
        levels=2,
        variant="diagonal_bilstm",
        units=16,
        num_layers=7,
        kernel_size=3,
        head_filters=32,
        position_bias=True,
        **kwargs,
    ):
        super().__init__(image_shape, levels, **kwargs)
        self.variant = check_name("variant", variant, ("row_lstm", "diagonal_bilstm"))
        self.units = check_positive_int("units", units)
        self.num_layers = check_positive_int("num_layers", num_layers)
        self.kernel_size = check_odd("kernel_size", kernel_size)
        self.check_groups(units=units, head_filters=head_filters)
        self.add_convolutions(2 * units, head_filters, position_bias)
        options = {"condition_features": self.condition_features, **self.layer_options}
        self.lstm_layers = [
            self._lstm_layer(name=f"layer_{i}", **options) for i in range(num_layers)
        ]
        self.build((None, *self.image_shape))

    def _lstm_layer(self, **options):
        if self.variant == "row_lstm":
            return RowLSTM(self.units, self.kernel_size, **options)
        return DiagonalBiLSTM(self.units, **options)

    def build(self, input_shape):
        for layer in self.lstm_layers:
            layer.build((*input_shape[:-1], self.residual_features))
        super().build(input_shape)

    def parameters(self, x, condition):
        x = ops.transpose(self.features(x), (1, 2, 0, 3))  # (h, w, b, 2 units)
        if condition is not None:
            condition = ops.transpose(condition, (1, 2, 0, 3))
        for layer in self.lstm_layers:
            x = layer(x, condition)
        return self.as_logits(ops.transpose(self.head_outputs(x), (2, 0, 1, 3)))

    # Sampling ----------------------------------------------------------------------------------

    def initial_rows(self, batch_size):
        width = self.image_shape[1]
        layers = (self.first, *self.lstm_layers)
        return tuple(layer.initial_rows(batch_size, width) for layer in layers)

    def start_row(self, rows, row, condition, row_in_block):
        batch_size, _, width, _ = rows[0].shape
        row_caches = [self.first.row_cache(rows[0], self.bias_of_positions(row))]
        pixel_caches = [self.first.initial_row(batch_size, width)]
        for layer, states in zip(self.lstm_layers, rows[1:], strict=True):
            row_cache, pixel_cache = layer.start_row(states, condition)
            row_caches.append(row_cache)
            pixel_caches.append(pixel_cache)
        return tuple(row_caches), tuple(pixel_caches)

    def step(self, row_cache, pixel_cache, column, column_in_block):
        pixel_cache = list(pixel_cache)
        x = self.first.step(row_cache[0], pixel_cache[0], column)  # (b, 2 units)
        for i, layer in enumerate(self.lstm_layers, start=1):
            x, pixel_cache[i] = layer.step(x, row_cache[i], pixel_cache[i], column)
        return self.logits(x), tuple(pixel_cache)

    def end_row(self, rows, row_cache, pixel_cache):
        layers = zip(self.lstm_layers, row_cache[1:], pixel_cache[1:], strict=True)
        states = (layer.end_row(*args) for layer, *args in layers)
        return self.first.next_rows(rows[0], pixel_cache[0]), *states
