"""What models with a generator and a discriminator share: two networks, two optimizers."""

import keras
from keras import ops

from kzoo.models.base import GenerativeModel
from kzoo.networks import discriminator_by_name, generator_by_name


def check_network(name, network, input_shape, output_shape):
    """Checks a user's Keras model: `ValueError` unless it maps `input_shape` to `output_shape`."""
    if not isinstance(network, keras.Model):
        raise ValueError(f"{name} must be a keras.Model, got {network!r}.")
    if not network.built:
        network.build((None, *input_shape))
    got = network.compute_output_shape((None, *input_shape))
    if tuple(got) != (None, *output_shape):
        raise ValueError(
            f"{name} must map inputs (None, {', '.join(map(str, input_shape))}) to outputs "
            f"{(None, *output_shape)}, got outputs {tuple(got)}."
        )
    return network


class AdversarialModel(GenerativeModel):
    """A discriminator against a network that draws images, each with an optimizer of its own.

    A subclass sets `self.discriminator` and names its other network in `generator_name`.
    """

    generator_name = "generator"

    def logits(self, images, training=False):
        """The discriminator's values of images (b, h, w, c), float32 (b, 1)."""
        return ops.cast(self.discriminator(images, training=training), "float32")

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
        # One optimizer that holds both is what Keras saves, restores and carries through JAX.
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

    def call(self, latents, training=False):
        """Latents (b, latent_dim) to images (b, h, w, c) in [-1, 1]."""
        images = getattr(self, self.generator_name)(latents, training=training)
        return ops.cast(images, "float32")

    def build(self, input_shape=None):
        """The networks are built when they are given or made; nothing is left to build."""

    def _set_networks(self, discriminator, generator, options, generator_options):
        """Takes the user's networks, or builds those that are named.

        Args:
            discriminator: a `keras.Model` or the name of a network.
            generator: the same, for the network that draws images.
            options: of both networks that are built.
            generator_options: further ones of the one that draws images.

        Raises:
            ValueError: if a network's shapes do not fit, or there is none of that name.
        """
        role = self.generator_name
        self._network_names = {
            name: given if isinstance(given, str) else None
            for name, given in (("discriminator", discriminator), (role, generator))
        }
        shape, latent_dim = self.image_shape, self.latent_dim
        if isinstance(discriminator, str):
            discriminator = discriminator_by_name(discriminator, shape, **options)
        if isinstance(generator, str):
            options = {**options, **generator_options}
            generator = generator_by_name(generator, shape, latent_dim, role=role, **options)
        self.discriminator = check_network("discriminator", discriminator, shape, (1,))
        setattr(self, role, check_network(role, generator, (latent_dim,), shape))

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
