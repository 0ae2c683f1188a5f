"""Refining any generator by composite functional gradients.

Algorithm 2 (ICFG) of Johnson, Zhang 2018, arXiv:1801.06309, starts from some G_0. It needs only the
images of G_0: the steps follow gradients with respect to these, not to its weights. So G_0 may be
the generator of a GAN, the decoder of a VAE, or any other network that draws images.
"""

import keras
import numpy as np
from keras import ops

from kzoo.checks import check_positive, check_positive_int
from kzoo.models.base import GenerativeModel
from kzoo.models.cfggan.stopping import StageLimit
from kzoo.networks.given import copy_of

#: The discriminator that `refine` trains, unless told otherwise.
_REFINEMENT = {"discriminator": "dcgan_4x4", "spectral_normalization": True, "width": 64}


@keras.saving.register_keras_serializable(package="kzoo")
class GivenGenerator(keras.Model):
    """A generative model as a network: its noise, and labels, to its images in [-1, 1].

    Args:
        model: a `kzoo.GenerativeModel`.
    """

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model = model
        self.built = True

    @property
    def output_shape(self):
        return (None, *self.model.image_shape)

    def call(self, inputs, training=False):
        noise, *labels = inputs if isinstance(inputs, list | tuple) else [inputs]
        names = [condition.name for condition in self.model.conditioned_on]
        return self.model.transform_noise(noise, **dict(zip(names, labels, strict=True)))

    def compute_output_spec(self, inputs, training=False):
        shape = keras.tree.flatten(inputs)[0].shape
        return keras.KerasTensor((shape[0], *self.model.image_shape), "float32")

    def draw_noise(self, num_samples, seed):
        """The model's own noise (num_samples, ...)."""
        return self.model.draw_noise(num_samples, seed)

    def get_config(self):
        return {**super().get_config(), "model": keras.saving.serialize_keras_object(self.model)}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        model = keras.saving.deserialize_keras_object(config.pop("model"), custom_objects)
        return cls(model, **config)


def as_network(generator):
    """`(network, latent_dim, num_classes)` of a kzoo model or a Keras model from latents to images.

    Raises:
        ValueError: if it is neither, or its noise is not a vector.
    """
    if isinstance(generator, GenerativeModel):
        names = [condition.name for condition in generator.conditioned_on]
        noise = generator.draw_noise(1, keras.random.SeedGenerator(0)).shape
        if len(noise) != 2 or names not in ([], ["labels"]):
            raise ValueError(
                f"refine() takes a generator of vectors of noise, and labels, to images; a "
                f"{type(generator).__name__} takes noise of shape {tuple(noise)} and {names}."
            )
        if hasattr(generator, "drawing_network"):
            network = generator.drawing_network()
        else:
            network = GivenGenerator(generator)
        return network, noise[1], getattr(generator, "num_classes", None)
    if not isinstance(generator, keras.Model):
        raise ValueError(
            "generator must be a kzoo model or a keras.Model from latents (b, latent_dim) to "
            f"images (b, h, w, c) in [-1, 1], got {generator!r}."
        )
    shape = generator.input_shape
    if not isinstance(shape, tuple) or len(shape) != 2 or shape[1] is None:
        raise ValueError(f"generator must take latents (b, latent_dim), got inputs of {shape}.")
    return generator, shape[1], None


def check_images_of(model):
    """Checks the images that a model's approximator draws.

    Raises:
        ValueError: if they are no floats in [-1, 1], or have no value below 0.
    """
    noise = model.draw_noise(64, keras.random.SeedGenerator(0))
    condition = {c.name: c.to_tensor(c.default(64)) for c in model.conditioned_on}
    images = model.approximator([noise, *condition.values()] if condition else noise)
    kind = keras.backend.standardize_dtype(images.dtype)
    if "float" not in kind:
        raise ValueError(f"generator must return floats in [-1, 1], got {kind}.")
    values = ops.convert_to_numpy(ops.cast(images, "float32"))
    low, high = float(np.min(values)), float(np.max(values))
    if not (-1.001 <= low < 0 and high <= 1.001):
        raise ValueError(
            "generator must return images in [-1, 1], of which some pixels are below 0; got "
            f"values in [{low:.3g}, {high:.3g}]. Rescale them, from [0, 1] by 2 x - 1."
        )


class Refinement:
    """`refine`, and the noise of a given generator, for `kzoo.CFGGAN` (a mixin)."""

    def draw_noise(self, num_samples, seed):
        """The latents of the approximator (num_samples, latent_dim): its own, or normal."""
        given = getattr(self.approximator, "draw_noise", None)
        if given is not None:
            return given(num_samples, seed)
        return super().draw_noise(num_samples, seed)

    @classmethod
    def refine(
        cls,
        generator,
        data,
        steps=15,
        stages=100,
        learning_rate=2e-4,
        callbacks=(),
        verbose="auto",
        **arguments,
    ):
        """Grows any generator by functional gradient steps: ICFG (Algorithm 2) with it as G_0.

        A discriminator of its own is trained against the growing images for `stages` stages, each
        of T = `steps` functional gradient steps from G_0. The last stage's D_1 ... D_T stay, and
        images are drawn from G_T. The generator is not trained; the refined model holds the
        generator itself, not a copy.

        Args:
            generator: a kzoo model that draws from vectors of noise, such as a `kzoo.GAN` or a
                `kzoo.VAE`; or a `keras.Model`, standard normal latents (b, latent_dim) to images
                (b, h, w, c), floats in [-1, 1].
            data: real images, all that `fit` takes: uint8 (n, h, w, c), a data set, with labels for
                a class-conditional generator.
            steps: T.
            stages: how many stages; each takes T U b images (U is `discriminator_steps`, b
                `batch_size`).
            learning_rate: of the discriminator, which Adam(beta_1=0) trains. It falls to 0 along a
                cosine.
            callbacks, verbose: as in `keras.Model.fit`.
            **arguments: of `kzoo.CFGGAN`, such as `step_size`, `width`, `discriminator_steps` or
                `batch_size`. By default the discriminator is "dcgan_4x4" of width 64 with spectral
                normalization. `discriminator` may also be that of a trained `kzoo.GAN`; a copy
                of it is trained.

        Returns:
            A trained `kzoo.CFGGAN`: `generate(n, steps=t)` draws from G_t, t = 0 .. T.

        Raises:
            ValueError: if the generator, its images, an argument or the data do not fit.
        """
        steps, stages = check_positive_int("steps", steps), check_positive_int("stages", stages)
        check_positive("learning_rate", learning_rate)
        network, latent_dim, num_classes = as_network(generator)
        if isinstance(arguments.get("discriminator"), keras.Model):
            own = copy_of(arguments.pop("discriminator"))
            arguments = {"discriminator": own, "spectral_normalization": False, **arguments}
        model = cls(
            latent_dim=latent_dim,
            algorithm="icfg",
            num_steps=steps,
            approximator=network,
            num_classes=num_classes,
            warm_start=True,
            **{**_REFINEMENT, **arguments},
        )
        check_images_of(model)
        updates = stages * steps * model.discriminator_steps
        rate = keras.optimizers.schedules.CosineDecay(learning_rate, updates)
        model.compile(d_optimizer=keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.99))
        # An epoch has at least one stage.
        limit = StageLimit(stages)
        model.fit(data, epochs=stages, callbacks=[*callbacks, limit], verbose=verbose)
        return model
