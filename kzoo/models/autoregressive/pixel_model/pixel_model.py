"""What the pixel models share: the joint distribution of all pixels as a product of conditionals.

[1] van den Oord, Kalchbrenner and Kavukcuoglu, Pixel Recurrent Neural Networks, 2016
    (arXiv:1601.06759): the factorization over pixels (eq. 1) and channels (eq. 2), discrete
    values under a softmax (section 3.1).
"""

import keras
import numpy as np
from keras import ops

from kzoo import backend
from kzoo.checks import check_optional_int, check_positive_int, check_unit
from kzoo.conditions import FeatureMap, classes
from kzoo.images import check_images, to_uint8
from kzoo.losses import average, bernoulli_log_likelihood
from kzoo.models.autoregressive.pixel_model.sampling import PixelSampler
from kzoo.models.base import GenerativeModel
from kzoo.models.batches import look


class PixelModel(PixelSampler, GenerativeModel):
    """Base class of the models p(x) = prod_i p(x_i | x_1 .. x_(i-1)) over pixels in raster order.

    A pixel is predicted from the pixels above it and to its left, and each of its channels also
    from the channels before it (R, G, B). Images are quantized first: a grey value g in 0..255
    has the level `floor(g * levels / 256)`. With `levels=2`, binary images are 0 and 255, and grey
    ones are thresholded at 128; to model random binarizations, binarize the data
    (`kzoo.datasets.load(..., binarize="dynamic")`).

    `model(images)` returns the distribution of every value given the values before it. `fit` and
    `evaluate` report `nll`, the negative log-likelihood in nats per image (the loss), and
    `bits_per_dim`, the same in bits per value. `log_likelihood` is exact; `generate` and
    `complete` draw pixels (see `kzoo.models.autoregressive.pixel_model.sampling`).

    A model may be conditional: on `labels`, int (n,), if `num_classes` is given, and on feature
    maps `context`, float (n, height, width, context_features), if `context_features` is given.
    A class-conditional model is fitted on `(images, labels)`.

    A subclass supplies the network, `parameters(x, condition)`, and the five functions of
    `PixelSampler` that compute it pixel by pixel.

    Args:
        image_shape: `(height, width, channels)` of the images.
        levels: number of values that a channel can take, 2..256.
        num_classes: number of classes of a class-conditional model; `None` for none.
        context_features: number of features of the context maps; `None` for none.

    Input shape: `(batch, height, width, channels)`, uint8 or floats in [-1, 1].
    Output shape: logits, `(batch, height, width, channels)` of the higher level for `levels=2`,
    else `(batch, height, width, channels, levels)`.

    Raises:
        ValueError: if `levels` is not in 2..256, or another argument is not a positive integer.
    """

    loss_names = ("nll", "bits_per_dim")
    refused_arguments = ("latent_dim",)
    weighs_examples = True

    def __init__(self, image_shape, levels, num_classes=None, context_features=None, **kwargs):
        super().__init__(image_shape, **kwargs)
        self.levels = check_positive_int("levels", levels)
        if not 2 <= self.levels <= 256:
            raise ValueError(f"levels must be in 2..256, got {levels}.")
        self.num_classes = check_optional_int("num_classes", num_classes)
        self.context_features = check_optional_int("context_features", context_features)

    def get_config(self):
        optional = ("num_classes", "context_features")
        config = super().get_config()
        return {n: value for n, value in config.items() if n not in optional or value is not None}

    @classmethod
    def arguments_for(cls, image_shape, batch_size=None):
        """28x28 grey images are taken for digits, of black and white pixels; others have 256
        values."""
        arguments = super().arguments_for(image_shape, batch_size)
        return {**arguments, "levels": 2 if tuple(image_shape) == (28, 28, 1) else 256}

    @property
    def is_binary(self):
        return self.levels == 2

    def data_problems(self, images):
        found = super().data_problems(images)
        black_and_white = (0, 255) if images.dtype == np.uint8 else (-1, 1)
        if self.is_binary and not np.isin(images, black_and_white).all():
            found.append(
                "the pixels of this model are black or white, and the images have grey values, "
                "which are cut in the middle: their likelihoods compare with no others. Binarize "
                "the images (kzoo.datasets.load(..., binarize='dynamic'))."
            )
        return found

    def check_groups(self, **features):
        """Raises a `ValueError` unless each number of features suffices for the channels."""
        for name, value in features.items():
            check_positive_int(name, value)
        channels = self.image_shape[-1]
        if min(features.values()) < channels:
            raise ValueError(
                f"{' and '.join(features)} must be at least the number of channels "
                f"({channels}), got "
                + " and ".join(f"{name}={value}" for name, value in features.items())
                + "."
            )

    @property
    def num_outputs(self):
        """How many logits the network has for a pixel."""
        return self.image_shape[-1] * (1 if self.levels == 2 else self.levels)

    # Values ------------------------------------------------------------------------------------

    def to_levels(self, images):
        """The levels 0 .. levels - 1 (floats) of uint8 images or floats in [-1, 1]."""
        if keras.backend.standardize_dtype(images.dtype) != "uint8":
            images = to_uint8(images)
        return ops.floor(ops.cast(images, "float32") * self.levels / 256)

    def grey_values(self):
        """The grey values 0..255 that stand for the levels and quantize to them, NumPy."""
        level = np.arange(self.levels)  # evenly spaced, as far as the bounds of a level allow
        lowest = np.ceil(level * 256 / self.levels)
        highest = np.ceil((level + 1) * 256 / self.levels) - 1
        return np.clip(np.round(level * 255 / (self.levels - 1)), lowest, highest)

    def scale(self, levels):
        """Levels as the network sees them, in [-1, 1]."""
        return ops.cast(2.0 * levels / (self.levels - 1) - 1.0, self.compute_dtype)

    # The condition -----------------------------------------------------------------------------

    @property
    def condition_features(self):
        """Number of features of `condition_maps()`, 0 for an unconditional model."""
        return (self.num_classes or 0) + (self.context_features or 0)

    def condition_maps(self, labels=None, context=None):
        """What the network is conditioned on.

        Args:
            labels: int (b,), each in 0 .. num_classes - 1, if the model is class-conditional.
            context: float (b, height, width, context_features), if the model has such a context.

        Returns:
            Labels as one-hot vectors and then the context: float (b, 1, 1, condition_features), or
            (b, height, width, condition_features) with a context; `None` for an unconditional
            model.

        Raises:
            ValueError: if the model needs what is not given, or does not take what is given.
        """
        given = {"labels": labels, "context": context}
        for name, count in (("labels", self.num_classes), ("context", self.context_features)):
            if (given[name] is None) != (count is None):
                does = "takes no" if count is None else "needs"
                raise ValueError(f"This {type(self).__name__} {does} {name}.")
        parts = []
        if labels is not None:
            one_hot = ops.one_hot(ops.cast(labels, "int32"), self.num_classes)
            parts.append(ops.cast(one_hot, self.compute_dtype)[:, None, None])
        if context is not None:
            parts.append(ops.cast(context, self.compute_dtype))
        if len(parts) == 2:
            shape = (*ops.shape(parts[1])[:-1], self.num_classes)
            parts[0] = ops.broadcast_to(parts[0], shape)
        return ops.concatenate(parts, axis=-1) if parts else None

    def condition_layer(self, units, name="condition"):
        """A layer from `condition` to `units` features, of a conditional model."""
        layer = keras.layers.Dense(units, use_bias=False, name=name, dtype=self.dtype_policy)
        layer.build((None, None, None, self.condition_features))
        return layer

    # The distribution --------------------------------------------------------------------------

    def parameters(self, x, condition):
        """The network: the distribution's parameters for every pixel.

        Args:
            x: (b, h, w, c) in [-1, 1], see `scale`.
            condition: what `condition_maps()` returns.
        """
        raise NotImplementedError

    def call(self, images, labels=None, context=None):
        x = self.scale(self.to_levels(images))
        return self.parameters(x, self.condition_maps(labels, context))

    def as_logits(self, x):
        """Outputs of the network (b, ..., num_outputs) as float32 logits."""
        if self.levels > 2:
            x = ops.reshape(x, (-1, *x.shape[1:-1], self.image_shape[-1], self.levels))
        return ops.cast(x, "float32")

    def pixel_log_prob(self, images, labels=None, context=None, training=False):
        """log p of every pixel given those before it, in nats: (b, h, w).

        `training` matters to networks that work otherwise while they are trained.
        """
        levels = self.to_levels(images)
        logits = self(images, labels=labels, context=context)
        if self.levels == 2:
            values = bernoulli_log_likelihood(levels, logits)
        else:
            values = -ops.sparse_categorical_crossentropy(
                ops.cast(levels, "int32"), logits, from_logits=True
            )
        return ops.sum(values, axis=-1)

    def log_prob(self, images, labels=None, context=None, training=False):
        """log p(x) of images (b, h, w, c), exact, in nats: a tensor `(b,)` (eqs. 1 and 2)."""
        check_images(self, images)
        return ops.sum(self.pixel_log_prob(images, labels, context, training), axis=(1, 2))

    def log_likelihood(self, x, labels=None, context=None, batch_size=64, unit="nats"):
        """The exact log-likelihood log p(x) of every image.

        Args:
            x: NumPy array (n, height, width, channels), uint8 or floats in [-1, 1]. The images
                are quantized to `levels` values: the result is the probability of the quantized
                image, so it depends on `levels`.
            labels: int array (n,), for a class-conditional model: then this is log p(x | label).
            context: float array (n, height, width, context_features), for a model with a context.
            batch_size: how many images to compute at once; changes memory and speed only.
            unit: "nats" per image or "bits/dim", bits per value of the image. Both are
                log-likelihoods, so they are negative, and nearer to 0 for likelier images.

        Returns:
            Float NumPy array (n,).

        Raises:
            ValueError: if the images' type, shape or values do not fit the model, the labels or
                the context do not, or the unit is unknown.
        """
        check_images(self, x)
        look(self, x, stacklevel=3)
        condition = self.check_condition(len(x), labels=labels, context=context)
        check_unit(unit)
        nats = self.run_in_batches(self._log_prob, batch_size, x, condition)
        return nats if unit == "nats" else self.bits_per_dim(nats)

    @backend.compiled
    def _log_prob(self, images, condition):
        return self.log_prob(images, **condition)

    @property
    def conditioned_on(self):
        labels = classes(self.num_classes)
        if self.context_features is None:
            return labels
        return (*labels, FeatureMap((*self.image_shape[:2], self.context_features)))

    # Training ----------------------------------------------------------------------------------

    def nll(self, x, condition, sample_weight=None, training=False):
        """The loss: the mean negative log-likelihood of images `x`, in nats per image."""
        return -average(self.log_prob(x, **condition, training=training), sample_weight)

    def update(self, x, condition, sample_weight=None):
        nll, _ = self.minimize(lambda: self.nll(x, condition, sample_weight, training=True))
        return {"nll": nll, "bits_per_dim": self.bits_per_dim(nll)}

    def evaluation(self, x, condition, sample_weight=None):
        nll = self.nll(x, condition, sample_weight)
        return {"nll": nll, "bits_per_dim": self.bits_per_dim(nll)}
