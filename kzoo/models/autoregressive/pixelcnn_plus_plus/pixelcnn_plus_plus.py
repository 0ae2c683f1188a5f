"""PixelCNN++: a mixture of discretized logistics on two streams at three resolutions.

Implements
    [1] Salimans, Karpathy, Chen and Kingma, PixelCNN++: Improving the PixelCNN with Discretized
        Logistic Mixture Likelihood and Other Modifications, 2017 (arXiv:1701.05517): the mixture
        (section 2.1), the linear dependence of a pixel's channels (section 2.2), down-sampling
        (section 2.3), short-cut connections (section 2.4), dropout (section 2.5). What the paper
        leaves open is as in the authors' program: the two streams, gated blocks with concat-ELU,
        weight normalization, Polyak averaging.

Deviations: the image is shifted before the first convolutions instead of their outputs after
them, so the first row and column hold a bias instead of zeros; the mixture's probabilities are
exact where the authors' program approximates them by a density; the scale of a component is at
least exp(-7), as theirs; a condition may also be a feature map, of which the lower resolutions
see every second and fourth row and column; `generate` has a temperature.
"""

import keras
from keras import ops

from kzoo import backend
from kzoo.checks import check_positive_int, check_rate
from kzoo.distributions.likelihoods import mixture_parameters, mixture_size
from kzoo.images import check_images
from kzoo.layers.weight_norm import WeightNormDense, initializing
from kzoo.losses import discretized_logistic_mixture_log_likelihood
from kzoo.models.autoregressive.pixel_model import PixelModel
from kzoo.models.autoregressive.pixelcnn_plus_plus.resolution import Resolution
from kzoo.models.autoregressive.pixelcnn_plus_plus.sampling import MixtureSampler
from kzoo.models.autoregressive.pixelcnn_plus_plus.shifted_conv import ShiftedConv2D


@keras.saving.register_keras_serializable(package="kzoo")
class PixelCNNPlusPlus(MixtureSampler, PixelModel):
    """PixelCNN++ over images of 256 grey levels (reference 1).

    See `kzoo.PixelModel` for what the pixel models share: likelihoods, labels,
    `generate` and `complete`. Here a pixel is drawn as a whole: a component of the mixture, then
    its channels, each of which shifts the means of the next ones. The `temperature` of `generate`
    divides the mixture's logits and multiplies the logistic distributions' scales.

    The weights' scales and biases are set from data, such that what every layer yields has mean 0
    and variance 1: by `initialize_from(images)`, which the first `fit` calls with its first batch
    unless it was called before.

    The default optimizer is the authors': Adam with beta_1 = .95, beta_2 = .9995 and a rate of
    1e-3 that decays by .999995 per update, and averages of the weights over the last 2,000
    updates or so (`use_ema=True, ema_momentum=.9995`). Keras writes these averages into the model
    when `fit` ends; until then, `evaluate`, validation and callbacks see the weights themselves
    (`keras.callbacks.SwapEMAWeights` makes validation see the averages), and a further `fit` goes
    on from the averages.

    Args:
        image_shape: `(height, width, channels)` of the images; every resolution but the first
            halves height and width.
        filters: features of either stream.
        num_resnets: residual blocks of either stream on the way down, at each resolution.
        num_mixtures: number of components of a pixel's distribution.
        dropout: fraction of the features that training drops in each block, in [0, 1).
        num_resolutions: 3 in the paper.
        **kwargs: `num_classes` and `context_features` of `kzoo.PixelModel`; `name`, `dtype` and the
            like, as in `keras.Model`.

    Input shape: `(batch, height, width, channels)`, uint8 or floats in [-1, 1].
    Output shape: `(batch, height, width, (1 + 2 c + c (c - 1) / 2) num_mixtures)`, float32, for c
    channels: `num_mixtures` numbers each for the logits; the means of every channel; the log
    scales of every channel; the coefficients before their tanh, in the order in which
    `kzoo.losses.discretized_logistic_mixture_log_likelihood` takes them. Means and scales are in
    units of [-1, 1].

    Raises:
        ValueError: if the height or width cannot be halved so often, `dropout` is not in [0, 1),
            or another argument is not a positive integer.
    """

    def __init__(
        self,
        image_shape=(32, 32, 3),
        filters=160,
        num_resnets=5,
        num_mixtures=10,
        dropout=0.5,
        num_resolutions=3,
        **kwargs,
    ):
        if "levels" in kwargs:
            raise ValueError(
                f"A PixelCNNPlusPlus always models 256 values: expected no levels, got "
                f"levels={kwargs['levels']!r}."
            )
        super().__init__(image_shape, 256, **kwargs)
        self.num_resolutions = check_positive_int("num_resolutions", num_resolutions)
        if any(side % self.sampling_block for side in self.image_shape[:2]):
            raise ValueError(
                f"Height and width must be multiples of {self.sampling_block}, to be halved at "
                f"{num_resolutions} resolutions, got image_shape={self.image_shape}."
            )
        self.filters = check_positive_int("filters", filters)
        self.num_resnets = check_positive_int("num_resnets", num_resnets)
        self.num_mixtures = check_positive_int("num_mixtures", num_mixtures)
        self.dropout = check_rate("dropout", dropout)

        policy = {"dtype": self.dtype_policy}
        self.first_above = ShiftedConv2D(filters, "down", (2, 3), name="first_above", **policy)
        self.first_row_above = ShiftedConv2D(
            filters, "down", (1, 3), name="first_row_above", **policy
        )
        self.first_left = ShiftedConv2D(filters, "down_right", (2, 1), name="first_left", **policy)
        self.network = Resolution(
            filters,
            num_resnets,
            coarser=num_resolutions - 1,
            dropout=self.dropout,
            condition_features=self.condition_features,
            name="network",
            **policy,
        )
        self.output_layer = WeightNormDense(self.num_outputs, name="output", **policy)
        self.build((None, *self.image_shape))

    def build(self, input_shape):
        image = (None, None, None, self.image_shape[-1] + 1)
        for layer in (self.first_above, self.first_row_above, self.first_left):
            layer.build(image)
        self.network.build()
        self.output_layer.build((None, None, None, self.filters))
        self.initialized = self.add_weight((), "zeros", trainable=False, name="initialized")
        self.built = True

    def get_config(self):
        config = super().get_config()
        del config["levels"]
        return config

    @property
    def num_outputs(self):
        """How many parameters the distribution of a pixel has."""
        return mixture_size(self.image_shape[-1], self.num_mixtures)

    # The distribution --------------------------------------------------------------------------

    def call(self, images, labels=None, context=None, training=False):
        x = self.scale(self.to_levels(images))
        return self.parameters(x, self.condition_maps(labels, context), training)

    def parameters(self, x, condition, training=False):
        # Ones tell the image from the zeros around it.
        x = ops.concatenate([x, ops.ones_like(x[..., :1])], axis=-1)
        above = ops.pad(x[:, :-1], ((0, 0), (1, 0), (0, 0), (0, 0)))
        left = ops.pad(x[:, :, :-1], ((0, 0), (0, 0), (1, 0), (0, 0)))
        vertical = self.first_above(above)
        horizontal = self.first_row_above(above) + self.first_left(left)
        _, horizontal = self.network(vertical, horizontal, condition=condition, training=training)
        return ops.cast(self.output_layer(ops.elu(horizontal)), "float32")

    def mixture(self, parameters):
        """The network's outputs (..., num_outputs) as the parameters of the mixture.

        Returns:
            `(logits, means, log_scales, coefficients)`, as in
            `kzoo.losses.discretized_logistic_mixture_log_likelihood`.
        """
        return mixture_parameters(parameters, self.image_shape[-1], self.num_mixtures)

    def pixel_log_prob(self, images, labels=None, context=None, training=False):
        levels = self.to_levels(images)
        parameters = self(images, labels=labels, context=context, training=training)
        x = 2.0 * levels / 255.0 - 1.0
        return discretized_logistic_mixture_log_likelihood(x, *self.mixture(parameters))

    # Training ----------------------------------------------------------------------------------

    @classmethod
    def arguments_for(cls, image_shape, batch_size=None):
        return {"image_shape": tuple(image_shape)}  # always of 256 values

    def default_optimizer(self):
        rate = keras.optimizers.schedules.ExponentialDecay(1e-3, 1, 0.999995)
        return keras.optimizers.Adam(
            rate, beta_1=0.95, beta_2=0.9995, use_ema=True, ema_momentum=0.9995
        )

    def before_training(self, images, condition):
        """Initializes a model that was never fitted, nor given to `initialize_from`."""
        if not ops.convert_to_numpy(self.initialized):
            self.initialize_from(images, **condition)

    def initialize_from(self, images, labels=None, context=None):
        """Sets the scales and biases of all layers from a batch of data, layer by layer.

        Every layer then yields features of mean 0 and variance 1 on that batch (.01 the second
        convolution of a block); see `kzoo.layers.weight_norm`.

        Args:
            images: NumPy array (n, height, width, channels), uint8 or floats in [-1, 1].
            labels: int array (n,), for a class-conditional model.
            context: float array (n, height, width, context_features), for a model with a context.

        Raises:
            ValueError: if the images' type, shape or values do not fit the model, the labels or
                the context do not, or there are no images.
        """
        check_images(self, images)
        if not len(images):
            raise ValueError(f"initialize_from() needs images, got shape {images.shape}.")
        condition = self.check_condition(len(images), labels=labels, context=context)
        self._initialize(images, condition)

    @backend.compiled
    def _initialize(self, images, condition):
        with initializing():
            self(images, **condition, training=True)
        self.initialized.assign(1.0)
