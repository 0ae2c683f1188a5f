"""What the models share whose generator draws from latents: GANs and CFGGAN."""

from keras import ops

from kzoo import backend
from kzoo.checks import check_name, check_optional_int
from kzoo.conditions import classes
from kzoo.models.adversarial.adversarial_model import AdversarialModel
from kzoo.networks import discriminator_by_name, generator_by_name
from kzoo.networks.conditional import (
    CONDITIONING,
    concatenated_discriminator,
    conditional_generator,
    projection_discriminator,
)
from kzoo.networks.given import check_network, dtype_policy


class LatentGAN(AdversarialModel):
    """A discriminator and a network that draws images from latents.

    A subclass names its other network in `generator_name`, calls `_set_networks`, and
    `_finish` when all else is made.

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: length of the latent vectors z ~ N(0, I).
        num_classes: number of classes of a class-conditional model, which is fitted on `(images,
            labels)`; `None` for none. The user's own networks then take `[latents, labels]` and
            `[images, labels]`, labels int (b,); with auxiliary classes, the discriminator takes
            images alone.
        conditioning: how the label enters a discriminator that is built by name: `"projection"` or
            `"concatenation"` (see `kzoo.networks.conditional`). With `"auxiliary"`, the
            discriminator does not see the label but predicts it (see
            `kzoo.models.adversarial.recognition`). The generator takes the label as a one-hot
            vector beside the latents.
        **kwargs: `augment`, `spectral_normalization`, `average_decay`, `r1` and `r1_every`, as
            `AdversarialModel` describes them.
    """

    called_on = ("latents",)
    #: Kinds of conditioning that the model cannot take: `{name: why}`.
    refused_conditioning = {}

    def __init__(
        self, image_shape, latent_dim, num_classes=None, conditioning="projection", **kwargs
    ):
        super().__init__(image_shape, latent_dim, **kwargs)
        num_classes = check_optional_int("num_classes", num_classes)
        check_name("conditioning", conditioning, CONDITIONING)
        if conditioning in self.refused_conditioning:
            takes = [name for name in CONDITIONING if name not in self.refused_conditioning]
            raise ValueError(
                f"{type(self).__name__} takes conditioning={' or '.join(map(repr, takes))}, got "
                f"{conditioning!r}: {self.refused_conditioning[conditioning]}."
            )
        self.num_classes = num_classes
        self.conditioning = conditioning

    @property
    def discriminator_output(self):
        """Shape of what the discriminator makes of one image."""
        return (1,)

    def discriminate(self, images, training=False, labels=None):
        """What the discriminator makes of images (b, h, w, c), float32 (b, ...)."""
        return super().logits(images, training, labels=None if self.auxiliary else labels)

    def logits(self, images, training=False, labels=None):
        """The discriminator's values of images (b, h, w, c), float32 (b, 1)."""
        return self.discriminate(images, training, labels)

    @property
    def auxiliary(self):
        """Whether the discriminator predicts the labels of a class-conditional model."""
        return self.num_classes is not None and self.conditioning == "auxiliary"

    @property
    def conditioned_on(self):
        return classes(self.num_classes)

    @classmethod
    def arguments_for(cls, image_shape, batch_size=None):
        """28x28 is padded to 32x32: the networks halve the images several times."""
        height, width, channels = image_shape
        if (height, width) == (28, 28):
            image_shape = (32, 32, channels)
        return super().arguments_for(image_shape, batch_size)

    def call(self, latents, labels=None, training=False):
        """Latents (b, latent_dim), and labels (b,), to images (b, h, w, c) in [-1, 1]."""
        return self._draw(latents, labels, averaged=False, training=training)

    def _draw(self, latents, labels, averaged, training=False):
        inputs = latents if labels is None else [latents, labels]
        return ops.cast(self._drawn_by(averaged)(inputs, training=training), "float32")

    def exported_call(self, latents, labels=None):
        """As `generate`: by the average of the generator's weights, if the model keeps one."""
        return self.transform_noise(latents, labels=labels)

    @backend.compiled
    def transform_noise(self, noise, labels=None, averaged=True):
        """Latents to images.

        Args:
            noise: (n, latent_dim).
            labels: (n,), of a class-conditional model.
            averaged: whether they come from the average of the generator's weights, if the model
                keeps one; otherwise from the weights as they are now.

        Returns:
            Floats (n, h, w, c) in [-1, 1].
        """
        if not (averaged and self.average_decay):
            return self(noise, labels=labels)
        return self._draw(noise, labels, averaged)

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
        self._keep_names(discriminator, generator)
        shape, latent_dim, classes = self.image_shape, self.latent_dim, self.num_classes
        seen_classes = None if self.auxiliary else classes
        with dtype_policy(self.dtype_policy):
            if isinstance(discriminator, str):
                extra = (seen_classes or 0) * (self.conditioning == "concatenation")
                seen = (*shape[:2], shape[2] + extra)
                spectral = {"spectral_normalization": self.spectral_normalization}
                discriminator = discriminator_by_name(discriminator, seen, **options, **spectral)
                if extra:
                    discriminator = concatenated_discriminator(discriminator, shape, classes)
                elif seen_classes:
                    discriminator = projection_discriminator(discriminator, classes)
            if isinstance(generator, str):
                options = {**options, **generator_options}
                length = latent_dim + (classes or 0)
                generator = generator_by_name(generator, shape, length, role=role, **options)
                if classes:
                    generator = conditional_generator(generator, latent_dim, classes)
        labels = [((), "int32")] if classes else []
        images, latents = (shape, "float32"), ((latent_dim,), "float32")
        seen = [images, *labels] if seen_classes else [images]
        self.discriminator = check_network(
            "discriminator", discriminator, seen, self.discriminator_output
        )
        setattr(self, role, check_network(role, generator, [latents, *labels], shape))
        self._set_options()

    @classmethod
    def from_config(cls, config, custom_objects=None):
        roles = ("discriminator", cls.generator_name)
        unnamed = [role for role in roles if config.get(role, "dcgan") is None]  # by version 0.1.0
        return super().from_config({**config, **dict.fromkeys(unnamed, "dcgan")}, custom_objects)
