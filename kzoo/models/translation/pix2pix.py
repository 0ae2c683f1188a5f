"""pix2pix: a generator that turns an image of one kind into an image of another, from pairs.

Isola, Zhu, Zhou, Efros 2017, "Image-to-image translation with conditional adversarial networks",
arXiv:1611.07004: the losses (eqs. 1, 3 and 4), the networks (sections 3.2 and 6.1) and the training
(section 3.3).

The paper's x is the source here, its y the image, and its z the noise of dropout.

Deviations: instance normalization in place of batch norm, see `kzoo.networks.unet`; so batches may
have any size, and an image depends on its own source alone. `l1` is the mean over pixels and
channels, as in the authors' program. Jitter of the training images is left to the data (the
recipes do it), and so is the length of training.
"""

import keras
from keras import ops

from kzoo import backend
from kzoo.checks import check_image_shape, check_nonnegative, check_positive_int, check_rate
from kzoo.conditions import Image
from kzoo.images import to_float
from kzoo.losses.adversarial import discriminator_loss, non_saturating_loss
from kzoo.models.adversarial.adversarial_model import AdversarialModel
from kzoo.models.base import GenerativeModel
from kzoo.networks import patch_discriminator_by_name, translator_by_name
from kzoo.networks.given import check_network, dtype_policy, shape_of_images


@keras.saving.register_keras_serializable(package="kzoo")
class Pix2Pix(AdversarialModel):
    """Translates images, such as label maps to photographs; learns from pairs.

    It is fitted on `(images, sources)`: the sources are its inputs, the images the wanted outputs.
    In a dict of named features, the images are called `"image"`, `"real_image"` or
    `"target_image"`, and the sources `"source"` or `"input_image"`.

    Args:
        image_shape: `(height, width, channels)` of the images that it makes; `None` takes that of
            the user's networks, else (64, 64, 3).
        source_shape: `(height, width, channels)` of the sources, with the same sides; `None` takes
            that of the user's generator, else `image_shape`.
        width: features of both networks next to the image.
        receptive_field: side of the square that one logit of the discriminator sees: 70, 34 or 16
            pixels.
        l1_weight: lambda (eq. 4), weight of the mean absolute error, of images in [-1, 1].
        gan_weight: weight of the generator's adversarial loss; 0 for the error alone, the paper's
            baseline "L1". Then the discriminator is not trained, and `l1` is the only loss.
        dropout: probability that a feature of three layers of the generator's decoder is set to
            0. This is the model's only noise, and so it is there in `generate` too; 0 for none.
        generator: `"unet"`, `"resnet_translator"`, which has no noise, or the user's own
            `keras.Model`, sources (b, h, w, c) to images in [-1, 1]; with a second input (b, k),
            this is the noise that `kzoo.networks.unet_generator` describes.
        discriminator: `"patchgan"`, or the user's own `keras.Model`, `[images, sources]` to a map
            of logits (b, h', w', 1).
        **kwargs: `augment` (changes an image and its source alike), `spectral_normalization`,
            `average_decay`, `r1` (on the gradient of the sum of all logits) and `r1_every`, as
            `AdversarialModel` describes them; `name`, `dtype` and the like, as in `keras.Model`.

    Raises:
        ValueError: if an argument or a network's shapes do not fit.

    Example:

    ```python
    features = ("input_image", "real_image")
    data = kzoo.datasets.load(
        "cmp_facades_pairs", batch_size=4, features=features, image_size=64
    )
    model = kzoo.Pix2Pix(image_shape=(64, 64, 3))
    model.compile()                                  # Adam(2e-4, beta_1=.5), as in the paper
    model.fit(data, epochs=100)
    model.generate(sources=label_maps, seed=0)       # uint8 (n, 64, 64, 3), one for each
    ```
    """

    loss_names = ("d_loss", "g_loss", "l1")
    refused_arguments = ("latent_dim",)
    image_keys = (*GenerativeModel.image_keys, "real_image", "target_image")
    source_keys = Image.usual_keys
    called_on = ()

    def __init__(
        self,
        image_shape=None,
        source_shape=None,
        width=64,
        receptive_field=70,
        l1_weight=100.0,
        gan_weight=1.0,
        dropout=0.5,
        generator="unet",
        discriminator="patchgan",
        **kwargs,
    ):
        l1_weight = check_nonnegative("l1_weight", l1_weight)
        gan_weight = check_nonnegative("gan_weight", gan_weight)
        if not l1_weight and not gan_weight:
            raise ValueError("l1_weight or gan_weight must be positive, got 0 for both.")
        dropout = check_rate("dropout", dropout)
        if not gan_weight:
            self.loss_names = ("l1",)
        shape = shape_of_images(image_shape, discriminator, generator, default=(64, 64, 3))
        super().__init__(shape, **kwargs)
        source_shape = shape_of_images(source_shape, generator, None, default=self.image_shape)
        self.source_shape = check_image_shape(source_shape, "source_shape")
        if self.source_shape[:2] != self.image_shape[:2]:
            raise ValueError(
                "source_shape must have the sides of image_shape, got "
                f"source_shape={self.source_shape} and image_shape={self.image_shape}."
            )
        self.width = check_positive_int("width", width)
        self.receptive_field = receptive_field
        self.l1_weight, self.gan_weight, self.dropout = l1_weight, gan_weight, dropout
        self._make_networks(discriminator, generator)
        self._finish()

    def _make_networks(self, discriminator, generator):
        self._keep_names(discriminator, generator)
        shape, source_shape = self.image_shape, self.source_shape
        with dtype_policy(self.dtype_policy):
            if isinstance(discriminator, str):
                discriminator = patch_discriminator_by_name(
                    discriminator,
                    shape,
                    source_shape=source_shape,
                    width=self.width,
                    receptive_field=self.receptive_field,
                    spectral_normalization=self.spectral_normalization,
                )
            if isinstance(generator, str):
                generator = translator_by_name(
                    generator, source_shape, shape, width=self.width, dropout=self.dropout
                )
        images, sources = (shape, "float32"), (source_shape, "float32")
        self.discriminator = check_network(
            "discriminator", discriminator, [images, sources], (None, None, 1)
        )
        noise = [(tuple(x.shape[1:]), "float32") for x in getattr(generator, "inputs", [])[1:]]
        self.generator = check_network("generator", generator, [sources, *noise], shape)
        self.noise_size = noise[0][0][0] if noise else 0
        self._set_options()

    @property
    def conditioned_on(self):
        return (Image(self.source_shape, keys=self.source_keys),)

    def default_optimizer(self):
        """Adam with the paper's settings (section 3.3)."""
        return keras.optimizers.Adam(2e-4, beta_1=0.5)

    # From sources to images -------------------------------------------------------------------

    def draw_noise(self, num_samples, seed):
        """The noise of dropout (num_samples, k): 0, or 1 / (1 - dropout) for what is kept."""
        drawn = keras.random.uniform((num_samples, self.noise_size), seed=seed)
        return ops.cast(drawn >= self.dropout, "float32") / (1.0 - self.dropout)

    def _drawn_noise(self, images):
        """New noise for the images of a batch (b, h, w, c)."""

        def draw(shape, seed):
            return self.draw_noise(shape[0], seed)

        shape = (ops.shape(images)[0], self.noise_size)
        return backend.random_rows(draw, shape, seed=self.seed_generator)

    def call(self, sources, noise=None, training=False):
        """G(x, z): sources (b, h, w, c) in [-1, 1] to images, with new noise if none is given."""
        if noise is None:
            noise = self._drawn_noise(sources)
        return self._translated(sources, noise, averaged=False, training=training)

    @backend.compiled
    def transform_noise(self, noise, sources, averaged=True):
        """Noise (n, k), as `draw_noise` draws it, and sources to images.

        Args:
            noise: (n, k).
            sources: uint8 or floats in [-1, 1], (n, h, w, c).
            averaged: whether the images come from the average of the generator's weights, if the
                model keeps one; otherwise from the weights as they are now.

        Returns:
            Floats (n, h, w, c) in [-1, 1].
        """
        return self._translated(to_float(sources), noise, averaged)

    def _translated(self, sources, noise, averaged, training=False):
        inputs = [sources, noise] if self.noise_size else sources
        return ops.cast(self._drawn_by(averaged)(inputs, training=training), "float32")

    def exported_call(self, sources):
        """As `generate`, but without dropout, so that equal sources give equal images."""
        noise = ops.ones((ops.shape(sources)[0], self.noise_size), "float32")
        return self.transform_noise(noise, sources)

    def logits(self, images, sources, training=False):
        """D(x, y) for every patch of images with sources (b, h, w, c), float32 (b, h', w', 1)."""
        return super().logits(images, training, sources=sources)

    # Training ---------------------------------------------------------------------------------

    def update(self, x, condition):
        """One step down the gradient of D, then one of G (section 3.3), with the same noise."""
        sources = condition["sources"]
        noise = self._drawn_noise(x)
        losses = []
        if self.gan_weight:
            fake = self(sources, noise, training=True)
            losses += self.minimize(
                lambda: self.discriminator_loss(x, fake, sources),
                self.discriminator_variables,
                self.d_optimizer,
            )[:1]
            self._after_r1()
        _, parts = self.minimize(
            lambda: self.generator_loss(x, sources, noise),
            self.generator.trainable_variables,
            self.g_optimizer,
        )
        self._update_average()
        return self.named_losses(*losses, *parts)

    def evaluation(self, x, condition):
        sources = condition["sources"]
        noise = self._drawn_noise(x)
        losses = []
        if self.gan_weight:
            fake = self(sources, noise)
            losses = [self.discriminator_loss(x, fake, sources, training=False)]
        parts = self.generator_loss(x, sources, noise, training=False)[1]
        return self.named_losses(*losses, *parts)

    def discriminator_loss(self, real, fake, sources, training=True):
        """Half the negative of eq. 1, the mean over all patches; plus R1, where there is one.

        The half slows D down relative to G (section 3.3).
        """
        pairs = [self._seen(images, sources, training) for images in (real, fake)]
        logits = [self.logits(*pair, training) for pair in pairs]  # (b, h', w', 1) each
        loss = discriminator_loss(*logits) / 2.0
        return loss + self._r1(pairs[0][0], {"sources": pairs[0][1]}) if training else loss

    def generator_loss(self, x, sources, noise, training=True):
        """Eq. 4 with -log D in place of log(1 - D): `(loss, its parts)`.

        Returns:
            The weighted sum, and a tuple of what it is made of: the adversarial loss (not without
            `gan_weight`), and the mean absolute error of images in [-1, 1] (eq. 3).
        """
        fake = self(sources, noise, training=training)
        l1 = ops.mean(ops.abs(x - fake))
        if not self.gan_weight:
            return self.l1_weight * l1, (l1,)
        pair = self._seen(fake, sources, training)
        g_loss = non_saturating_loss(self.logits(*pair, training))
        return self.gan_weight * g_loss + self.l1_weight * l1, (g_loss, l1)

    def _seen(self, images, sources, training):
        """Images and sources as training shows them to the discriminator: both changed alike."""
        if not (training and self.augment):
            return images, sources
        before = self.seed_generator.state.value + 0  # a copy
        images = self.augmented(images)
        self.seed_generator.state.assign(before)  # the same random numbers for the sources
        return images, self.augmented(sources)
