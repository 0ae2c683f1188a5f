"""Multi-scale pixel models: a small image first, then larger ones given the smaller.

Implements
    [1] van den Oord, Kalchbrenner and Kavukcuoglu, Pixel Recurrent Neural Networks, 2016
        (arXiv:1601.06759), section 3.6 and figure 2: an unconditional model of the image
        subsampled to a small size, and conditional models, each of which gets the next smaller
        image through an upsampling network of deconvolutions whose features are added in every
        layer.

Deviation: the pixels of the small image are those of the large one, so the conditional model
takes them as known and predicts only the others. log p(x) = log p(small) + log p(x | small) is
then exact; a model that predicts them again, as in the paper, gives some probability to images that
contradict their small version.
"""

import keras
import numpy as np
from keras import ops

from kzoo import backend
from kzoo.checks import seed_generator
from kzoo.layers import channels_last as layers
from kzoo.models.autoregressive.pixel_model import PixelModel


@keras.saving.register_keras_serializable(package="kzoo")
class MultiScale(PixelModel):
    """A pixel model of small images and conditional ones of larger images (reference 1).

    The image of the next smaller scale consists of every second pixel (or third, and so on) of
    every second row, beginning with the first. Likelihoods, `generate` and `complete` are those
    of any `PixelModel`; only the order of the pixels is another.

    Args:
        models: `PixelModel`s from the smallest scale to the whole image. All but the first have
            the same `context_features`, the first has none; channels, `levels` and `num_classes`
            are the same for all. Each scale is a whole multiple of the one before, of the same
            factor in height and width.
        **kwargs: `name`, `dtype` and the like, as in `keras.Model`.

    Input shape: `(batch, height, width, channels)`, uint8 or floats in [-1, 1].
    Output: that of the last model, given the smaller scales. Where the smaller scale has a pixel,
    the output is not used.

    Raises:
        ValueError: if the models do not fit each other.
    """

    def __init__(self, models, **kwargs):
        models = list(models) if isinstance(models, list | tuple) else [models]
        if len(models) < 2 or not all(isinstance(model, PixelModel) for model in models):
            raise ValueError(
                "MultiScale takes a list of at least two pixel models, got "
                f"{[type(model).__name__ for model in models]}."
            )
        last = models[-1]
        super().__init__(last.image_shape, last.levels, last.num_classes, **kwargs)
        self.factors = [factor(*pair) for pair in zip(models, models[1:])]
        for model in models[:-1]:
            for name in ("levels", "num_classes"):
                if getattr(model, name) != getattr(last, name):
                    raise ValueError(
                        f"All scales need the same {name}, got {getattr(model, name)} and "
                        f"{getattr(last, name)}."
                    )
        features = [model.context_features for model in models]
        if features[0] is not None or None in features[1:] or len(set(features[1:])) > 1:
            raise ValueError(
                "The first of the models takes no context, all others need the same "
                f"context_features; got {features}."
            )
        self.models = models
        self.upsamplers = [
            upsampler(ratio, features[1], last.image_shape[-1], self.dtype_policy, f"upsampler_{i}")
            for i, ratio in enumerate(self.factors)
        ]
        self.built = True

    def get_config(self):
        config = super().get_config()
        for name in ("image_shape", "levels", "num_classes"):  # they follow from the models
            config.pop(name, None)
        return config

    @classmethod
    def from_config(cls, config):
        models = [keras.saving.deserialize_keras_object(model) for model in config["models"]]
        return cls(**{**config, "models": models})

    # Scales ------------------------------------------------------------------------------------

    def scales(self, images):
        """The images at every scale, from the smallest to the whole."""
        images = [images]
        for ratio in reversed(self.factors):
            images.insert(0, images[0][:, ::ratio, ::ratio])
        return images

    def context_of(self, index, images):
        """The context of model `index` >= 1 from images of the scale before it."""
        return self.upsamplers[index - 1](self.scale(self.to_levels(images)))

    def call(self, images, labels=None):
        images = self.scales(images)[-2:]
        context = self.context_of(len(self.models) - 1, images[0])
        return self.models[-1](images[1], labels=labels, context=context)

    def pixel_log_prob(self, images, labels=None, context=None, training=False):
        """log p of every pixel, by the scale that draws it, in nats: (b, h, w)."""
        scales = self.scales(images)
        log_p = self.models[0].pixel_log_prob(scales[0], labels, training=training)
        for i, model in enumerate(self.models[1:], start=1):
            ratio = self.factors[i - 1]
            context = self.context_of(i, scales[i - 1])
            own = model.pixel_log_prob(scales[i], labels, context, training)
            own = own * ops.convert_to_tensor(1.0 - grid(own.shape[1:], ratio), own.dtype)
            log_p = own + on_grid(log_p, ratio)
        return log_p

    def before_training(self, images, condition):
        """What the models do before they are trained, each on the images of its scale."""
        scales = self.scales(images)
        for i, model in enumerate(self.models):
            context = (
                {"context": ops.convert_to_numpy(self._context(i, scales[i - 1]))} if i else {}
            )
            model.before_training(scales[i], {**condition, **context})

    # Sampling ----------------------------------------------------------------------------------

    def _draw(self, given, missing, seed, temperature, condition, batch_size, cached, verbose):
        seed = seed_generator(seed)
        given, missing = self.scales(given), self.scales(missing)
        images = None
        for i, model in enumerate(self.models):
            levels, holes = np.array(given[i]), np.array(missing[i])
            if i:
                ratio = self.factors[i - 1]
                known = self.to_levels(ops.convert_to_tensor(images))
                levels[:, ::ratio, ::ratio] = ops.convert_to_numpy(known)
                holes[:, ::ratio, ::ratio] = False
                context = ops.convert_to_numpy(self._context(i, images))
                condition = {**condition, "context": context}
            options = (temperature, condition, batch_size, cached, verbose)
            images = model._draw(levels, holes, seed, *options)
        return images

    def transform_noise(self, noise, **condition):
        raise NotImplementedError("A MultiScale model draws by generate(), scale by scale.")

    @backend.compiled
    def _context(self, index, images):
        return ops.cast(self.context_of(index, images), "float32")


def factor(small, large):
    """How many times larger the images of `large` are; `ValueError` if that is no whole number."""
    a, b = small.image_shape, large.image_shape
    ratio = b[0] // a[0]
    if ratio < 2 or b != (a[0] * ratio, a[1] * ratio, a[2]):
        raise ValueError(
            "Each scale must be a whole multiple, at least 2, of the one before in height and "
            f"width, with the same channels; got {a} and {b}."
        )
    return ratio


def upsampler(ratio, features, channels, dtype, name):
    """A network from small images to context maps of `ratio` times their size."""
    options = {"activation": "relu", "padding": "same", "dtype": dtype}
    network = keras.Sequential(
        [
            layers.Conv2D(features, 3, **options),
            layers.Conv2DTranspose(features, 2 * ratio, strides=ratio, **options),
            layers.Conv2D(features, 3, **options),
        ],
        name=name,
    )
    network.build((None, None, None, channels))
    return network


def grid(shape, ratio):
    """Where the smaller scale has its pixels: 1, else 0, float NumPy (h, w)."""
    mask = np.zeros(shape, "float32")
    mask[::ratio, ::ratio] = 1.0
    return mask


def on_grid(x, ratio):
    """x (b, h, w) at every `ratio`-th row and column of zeros (b, h ratio, w ratio)."""
    height, width = x.shape[1:]
    pad = (0, ratio - 1)
    x = ops.pad(x[:, :, None, :, None], ((0, 0), (0, 0), pad, (0, 0), pad))
    return ops.reshape(x, (-1, height * ratio, width * ratio))
