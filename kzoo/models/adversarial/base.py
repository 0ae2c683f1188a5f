"""What models with a generator and a discriminator share: two networks, two optimizers.

And what modern training adds to either network:

* Miyato et al. 2018, arXiv:1802.05957: spectral normalization of the discriminator [1].
* Zhao et al. 2020 (DiffAugment), arXiv:2006.10738, eqs. 4 and 5: augmentation of all images [2].
* Karras et al. 2018, "Progressive growing of GANs", arXiv:1710.10196, appendix A: samples come from
  an average of the generator's weights [3].
* Mescheder et al. 2018, arXiv:1801.04406: the penalty R1 [4].
"""

import keras
from keras import ops

from kzoo.checks import check_positive_int
from kzoo.conditions import Labels
from kzoo.layers import DiffAugment
from kzoo.layers.diff_augment import check_policies
from kzoo.models.adversarial.r1 import R1
from kzoo.models.adversarial.weight_average import WeightAverage
from kzoo.models.base import GenerativeModel
from kzoo.networks import discriminator_by_name, generator_by_name
from kzoo.networks.conditional import (
    CONDITIONING,
    concatenated_discriminator,
    conditional_generator,
    projection_discriminator,
)
from kzoo.networks.given import check_network, dtype_policy


class AdversarialModel(WeightAverage, R1, GenerativeModel):
    """A discriminator and a network that draws images, each with an optimizer of its own.

    A subclass names its other network in `generator_name`, calls `_set_networks`, and
    `_finish` when all else is made.

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: length of the latent vectors z ~ N(0, I).
        num_classes: number of classes of a class-conditional model, which is fitted on `(images,
            labels)`; `None` for none. The user's own networks then take `[latents, labels]` and
            `[images, labels]`, labels int (b,).
        conditioning: how a discriminator built by name sees the label: `"projection"` or
            `"concatenation"` (see `kzoo.networks.conditional`). The generator takes the
            label as a one-hot vector beside the latents.
        augment: how training changes all images, real and generated, before the discriminator sees
            them [2]: names for `kzoo.layers.DiffAugment`, such as `"color,translation,cutout"`.
        spectral_normalization: divides every kernel of a named discriminator by its largest
            singular value [1], in place of batch norm.
        average_decay: decay of the moving average of the generator's weights, in [0, 1), such as
            .999; 0 for no average. The network with these weights is `averaged_generator` (in a
            CFGGAN `averaged_approximator`), from which `generate` then draws unless it is called
            with `averaged=False` [3].
        r1: gamma, weight of the penalty R1 on the discriminator's gradient at real images (eq. 9 of
            [4]), such as .1 to 10; 0 for none.
        r1_every: the penalty is computed at every `r1_every`-th update of the discriminator only,
            and multiplied by `r1_every` there.
    """

    def __init__(
        self,
        image_shape,
        latent_dim,
        num_classes=None,
        conditioning="projection",
        augment=None,
        spectral_normalization=False,
        average_decay=0.0,
        r1=0.0,
        r1_every=16,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, **kwargs)
        if num_classes is not None:
            num_classes = check_positive_int("num_classes", num_classes)
        if conditioning not in CONDITIONING:
            raise ValueError(f"conditioning must be one of {CONDITIONING}, got {conditioning!r}.")
        self.num_classes = num_classes
        self.conditioning = conditioning
        self.augment = list(check_policies("augment", augment)) or None
        self.spectral_normalization = bool(spectral_normalization)
        self._check_average(average_decay)
        self._check_r1(r1, r1_every)

    def get_config(self):
        names = (
            "num_classes conditioning augment spectral_normalization average_decay r1 r1_every"
        ).split()
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    generator_name = "generator"
    #: Shape of the discriminator's values of one image.
    discriminator_output = (1,)

    def logits(self, images, training=False, labels=None):
        """The discriminator's values of images (b, h, w, c), float32 (b, 1)."""
        inputs = images if labels is None else [images, labels]
        return ops.cast(self.discriminator(inputs, training=training), "float32")

    @property
    def conditioned_on(self):
        return () if self.num_classes is None else (Labels(self.num_classes),)

    @property
    def discriminator_variables(self):
        """The variables that `d_optimizer` updates; all others are `g_optimizer`'s."""
        return self.discriminator.trainable_variables

    @property
    def d_optimizer(self):
        """Optimizer of the discriminator."""
        return self._optimizers[0]

    @property
    def g_optimizer(self):
        """Optimizer of the generator (in a CFGGAN: of the approximator)."""
        return self._optimizers[1]

    def default_optimizer(self):
        """The paper's optimizer; called once for each of the two networks."""
        raise NotImplementedError

    def default_optimizers(self):
        return {name: self.default_optimizer() for name in ("d_optimizer", "g_optimizer")}

    @classmethod
    def arguments_for(cls, image_shape, batch_size=None):
        """28x28 is padded to 32x32: the networks halve the images several times."""
        height, width, channels = image_shape
        if (height, width) == (28, 28):
            image_shape = (32, 32, channels)
        return super().arguments_for(image_shape, batch_size)

    def compile(self, d_optimizer=None, g_optimizer=None, **kwargs):
        """Configures training.

        Args:
            d_optimizer: optimizer of the discriminator; the paper's when `None`.
            g_optimizer: optimizer of the generator; the paper's when `None`. With
                `use_ema=True`, Keras keeps an exponential moving average of the generator's
                weights, which `fit` writes into them when it ends.
            **kwargs: `jit_compile`, `steps_per_execution`, `run_eagerly`, as in Keras.

        Raises:
            ValueError: if both networks are given the same optimizer object, or `optimizer`,
                `loss` or `metrics`.
        """
        if "optimizer" in kwargs:
            raise ValueError(
                f"{type(self).__name__} trains two networks: compile() takes d_optimizer and "
                f"g_optimizer, got optimizer={kwargs['optimizer']!r}."
            )
        d_optimizer, g_optimizer = (
            self.default_optimizer() if given is None else keras.optimizers.get(given)
            for given in (d_optimizer, g_optimizer)
        )
        if d_optimizer is g_optimizer:
            raise ValueError(
                "d_optimizer and g_optimizer must be two objects: an optimizer keeps state for "
                f"the variables of one network; got {d_optimizer!r} twice."
            )
        discriminator = {id(v) for v in self.discriminator_variables}
        self._optimizers = (d_optimizer, g_optimizer)
        # Keras saves, restores and passes through JAX one optimizer per model: it holds both.
        both = keras.optimizers.MultiOptimizer(
            lambda variable: d_optimizer if id(variable) in discriminator else g_optimizer
        )
        super().compile(optimizer=both, **kwargs)

    def get_compile_config(self):
        if not self.compiled:
            return {}
        serialize = keras.saving.serialize_keras_object
        return {
            "d_optimizer": serialize(self.d_optimizer),
            "g_optimizer": serialize(self.g_optimizer),
            **self._compile_arguments,
        }

    def call(self, latents, labels=None, training=False):
        """Latents (b, latent_dim), and labels (b,), to images (b, h, w, c) in [-1, 1]."""
        inputs = latents if labels is None else [latents, labels]
        images = getattr(self, self.generator_name)(inputs, training=training)
        return ops.cast(images, "float32")

    def input_specs(self):
        """What `call` takes: latents, and labels of a class-conditional model."""
        latents = keras.InputSpec(shape=(None, self.latent_dim), dtype="float32")
        return [latents, *(condition.input_spec() for condition in self.conditioned_on)]

    def build(self, input_shape=None):
        """The networks are built when they are given or made; nothing is left to build."""

    def _set_networks(self, discriminator, generator, options, generator_options):
        """Takes the user's networks, or builds those that are named.

        Args:
            discriminator: a `keras.Model` or the name of a network.
            generator: the same, for the network that draws images.
            options: of both networks that are built.
            generator_options: further options of the network that draws images.

        Raises:
            ValueError: if a network's shapes do not fit, or there is none of that name.
        """
        role = self.generator_name
        self._network_names = {
            name: given if isinstance(given, str) else None
            for name, given in (("discriminator", discriminator), (role, generator))
        }
        shape, latent_dim, classes = self.image_shape, self.latent_dim, self.num_classes
        by_name = isinstance(discriminator, str), isinstance(generator, str)
        if self.spectral_normalization and not by_name[0]:
            raise ValueError(
                "spectral_normalization=True is for a discriminator given by its name; got "
                f"{discriminator!r}. Wrap its layers in kzoo.layers.SpectralNormalization instead."
            )
        with dtype_policy(self.dtype_policy):
            if by_name[0]:
                extra = classes if classes and self.conditioning == "concatenation" else 0
                seen = (*shape[:2], shape[2] + extra)
                spectral = {"spectral_normalization": self.spectral_normalization}
                discriminator = discriminator_by_name(discriminator, seen, **options, **spectral)
                if extra:
                    discriminator = concatenated_discriminator(discriminator, shape, classes)
                elif classes:
                    discriminator = projection_discriminator(discriminator, classes)
            if by_name[1]:
                options = {**options, **generator_options}
                length = latent_dim + (classes or 0)
                generator = generator_by_name(generator, shape, length, role=role, **options)
                if classes:
                    generator = conditional_generator(generator, latent_dim, classes)
        labels = [((), "int32")] if classes else []
        images, latents = (shape, "float32"), ((latent_dim,), "float32")
        self.discriminator = check_network(
            "discriminator", discriminator, [images, *labels], self.discriminator_output
        )
        setattr(self, role, check_network(role, generator, [latents, *labels], shape))
        self._set_average()
        self._set_r1()

    def _finish(self):
        """The random state, once all networks are made."""
        self.seed_generator = keras.random.SeedGenerator()
        if self.augment:
            self.augmentation = DiffAugment(self.augment, seed=self.seed_generator)
        self.build()

    def augmented(self, images, training=True):
        """Images (b, h, w, c) as training shows them to the discriminator."""
        return self.augmentation(images, training=True) if training and self.augment else images

    def _networks_config(self):
        """The networks in a config: their names, or those that the user gave."""
        return {
            role: name or keras.saving.serialize_keras_object(getattr(self, role))
            for role, name in self._network_names.items()
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        for name in ("discriminator", cls.generator_name):
            if isinstance(config.get(name), dict):
                config[name] = keras.saving.deserialize_keras_object(
                    config[name], custom_objects=custom_objects
                )
            elif config.get(name, "dcgan") is None:  # as version 0.1.0 wrote it
                config[name] = "dcgan"
        return cls(**config)
