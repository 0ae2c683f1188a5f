"""GAN-INT-CLS: a generator that draws what a sentence says.

* Reed, Akata, Yan, Logeswaran, Schiele, Lee 2016, "Generative adversarial text to image synthesis",
  ICML, arXiv:1605.05396: Algorithm 1 (GAN-CLS), eq. 5 (GAN-INT), section 4.1 (networks) and section
  5 (settings) [1].
* Reed et al. 2016, arXiv:1605.05395: the encoder of the texts, trained before [2].
* Radford et al. 2016 (DCGAN), arXiv:1511.06434: the networks that are built from arguments [3].
* Lim, Ye 2017, arXiv:1705.02894 and Miyato et al. 2018, arXiv:1802.05957: the hinge loss [4].

Deviations from [1]: a text is a row of words (see `kzoo.models.text_to_image.text_image_encoder`).
Latents are standard normal. The wrong text of an image is that of the next image in the batch;
where both say the same, it does not count. The generator's loss takes the discriminator as it is
after its own step. Where it descends log(1 - s) of eq. 5, -log s is taken, as Algorithm 1 does for
s_f. The learning rate stays as it is; [1] halves it every 100 epochs.
"""

import keras
from keras import ops

from kzoo.checks import check_flag, check_name, check_positive_int
from kzoo.losses.adversarial import GENERATOR_LOSSES
from kzoo.models.adversarial.adversarial_model import AdversarialModel
from kzoo.models.text_to_image.drawing import Drawing
from kzoo.models.text_to_image.losses import matching_aware_loss
from kzoo.models.text_to_image.text_image_encoder import TextImageEncoder
from kzoo.models.text_to_image.vocabulary import Captioned
from kzoo.networks import discriminator_by_name, generator_by_name
from kzoo.networks.given import check_network, dtype_policy, shape_of_images
from kzoo.networks.text import text_discriminator, text_generator


def next_ones(x):
    """In place of every row of x (b, ...) the next one, in place of the last the first."""
    return ops.roll(x, -1, axis=0)


@keras.saving.register_keras_serializable(package="kzoo")
class TextToImageGAN(Captioned, Drawing, AdversarialModel):
    """A GAN whose generator and discriminator see a caption [1].

    It is trained in two steps. `fit_encoder(images, captions)` trains the encoder of captions, a
    `kzoo.TextImageEncoder`. Then `fit(images, captions)` trains the two networks, with the encoder
    frozen. `generate(captions=...)` draws images. Equal seeds give equal latents: then the caption
    decides the content, and the latents the style (pose, background).

    `fit` reports `d_loss`, `g_loss` and `wrong_loss`, the part of `d_loss` for real images with the
    texts of others. A discriminator that ignores captions cannot bring it below log 2, .69, without
    rejecting real images.

    Args:
        image_shape: `(height, width, channels)`; `None` takes that of the user's networks, else
            (64, 64, 3).
        vocabulary: the words that the model knows, a list of different lower-case strings;
            `from_captions` makes one. `None` takes that of the `encoder`.
        max_words: how many words of a caption the model sees, from the first one on; 24 by default.
        latent_dim: length of the latent vectors z ~ N(0, I).
        text_dim: length of the encoder's vectors; 128 by default, 1024 in [1].
        compressed_dim: length to which each of the two networks compresses such a vector.
        width: features of the networks next to the image.
        interpolation: whether the generator also learns from vectors halfway between two texts
            (eq. 5 of [1], beta = .5), which doubles the work of its step.
        generator_loss: `"non_saturating"`, `"minimax"` or `"hinge"`, with which the
            discriminator's loss is the hinge loss too [4].
        encoder: a `kzoo.TextImageEncoder` of such images, which is frozen (`trainable=False`);
            `None` makes one, not trained.
        generator: `"dcgan"`, `"dcgan_4x4"` or `"resnet"` (see `kzoo.networks`), or the user's own
            `keras.Model`, `[latents (b, latent_dim), text (b, text_dim)]` to images in [-1, 1].
        discriminator: one of the same names, or the user's own `keras.Model`, `[images, text]` to
            logits (b, 1).
        **kwargs: `augment`, `spectral_normalization`, `average_decay`, `r1` and `r1_every`, as
            `AdversarialModel` describes them; `name`, `dtype` and the like, as in `keras.Model`.

    Raises:
        ValueError: if an argument or a network's shapes do not fit.

    Example:

    ```python
    gan = kzoo.TextToImageGAN.from_captions(captions, image_shape=(64, 64, 3))
    gan.fit_encoder(images, captions, epochs=20)
    gan.compile()                                    # Adam(2e-4, beta_1=.5), as in [1]
    gan.fit(images, captions, batch_size=64, epochs=600)
    gan.generate(8, captions="a yellow flower with long thin petals", seed=0)
    # The same style with another content:
    gan.generate(8, captions="a red flower with long thin petals", seed=0)
    # The same content in other styles:
    gan.generate(8, captions="a red flower with long thin petals", seed=1)
    ```
    """

    loss_names = ("d_loss", "g_loss", "wrong_loss")
    distributes = False
    discriminator_output = (1,)

    def __init__(
        self,
        image_shape=None,
        vocabulary=None,
        max_words=None,
        latent_dim=100,
        text_dim=None,
        compressed_dim=128,
        width=64,
        interpolation=True,
        generator_loss="non_saturating",
        encoder=None,
        generator="dcgan",
        discriminator="dcgan",
        **kwargs,
    ):
        default = getattr(encoder, "image_shape", (64, 64, 3))
        shape = shape_of_images(image_shape, discriminator, generator, default)
        super().__init__(shape, latent_dim, **kwargs)
        self.compressed_dim = check_positive_int("compressed_dim", compressed_dim)
        self.width = check_positive_int("width", width)
        self.interpolation = check_flag("interpolation", interpolation)
        self.generator_loss = check_name("generator_loss", generator_loss, sorted(GENERATOR_LOSSES))
        of_texts = {"vocabulary": vocabulary, "max_words": max_words, "text_dim": text_dim}
        self._set_encoder(encoder, {k: v for k, v in of_texts.items() if v is not None})
        self._make_networks(discriminator, generator)
        self._finish()

    def _set_encoder(self, encoder, options):
        """Takes the user's encoder, or makes one; `options` are those of the user."""
        if encoder is None:
            self.networks_by_name["encoder"] = None
            encoder = TextImageEncoder(self.image_shape, dtype=self.dtype_policy, **options)
        if not isinstance(encoder, TextImageEncoder) or encoder.image_shape != self.image_shape:
            raise ValueError(
                f"encoder must be a kzoo.TextImageEncoder of images {self.image_shape}, got "
                f"{encoder!r} of images {getattr(encoder, 'image_shape', None)}."
            )
        for name, value in options.items():
            own = getattr(encoder, name)
            if own != (tuple(value) if name == "vocabulary" else value):
                raise ValueError(
                    f"The encoder has another {name}: expected {own!r}, got {value!r}."
                )
        encoder.trainable = False  # `fit` leaves it as it is
        self.encoder = encoder
        self.text_dim = encoder.text_dim
        self._set_vocabulary(encoder.vocabulary, encoder.max_words)

    def _make_networks(self, discriminator, generator):
        self._keep_names(discriminator, generator)
        spectral = {"spectral_normalization": self.spectral_normalization}
        dims = self.text_dim, self.compressed_dim
        with dtype_policy(self.dtype_policy):
            if isinstance(discriminator, str):
                network = discriminator_by_name(
                    discriminator, self.image_shape, width=self.width, **spectral
                )
                discriminator = text_discriminator(network, *dims, **spectral)
            if isinstance(generator, str):
                length = self.latent_dim + self.compressed_dim
                network = generator_by_name(generator, self.image_shape, length, width=self.width)
                generator = text_generator(network, self.latent_dim, *dims)
        images, text = (self.image_shape, "float32"), ((self.text_dim,), "float32")
        latents = ((self.latent_dim,), "float32")
        self.discriminator = check_network(
            "discriminator", discriminator, [images, text], self.discriminator_output
        )
        self.generator = check_network("generator", generator, [latents, text], self.image_shape)
        self._set_options()

    def default_optimizer(self):
        """Adam with the paper's settings (section 5)."""
        return keras.optimizers.Adam(2e-4, beta_1=0.5)

    # The encoder ------------------------------------------------------------------------------

    def fit_encoder(self, images, captions=None, optimizer=None, **options):
        """Trains the encoder. A GAN that was trained before must then be trained again.

        Args:
            images, captions: as in `fit`.
            optimizer: a Keras optimizer; Adam(1e-3) when `None`, or that of the call before.
            **options: of `fit`: `epochs`, `batch_size`, `validation_data`, `callbacks` and so on.

        Returns:
            Keras's `History`.

        Raises:
            ValueError: if the data do not fit.
        """
        self.encoder.trainable = True
        try:
            if optimizer is not None or not self.encoder.compiled:
                self.encoder.compile(optimizer)
            return self.encoder.fit(images, captions, **options)
        finally:
            self.encoder.trainable = False

    # Training ---------------------------------------------------------------------------------

    def match(self, images, text, training=False):
        """D(x, phi(t)) of images (b, h, w, c) and vectors (b, text_dim): logits, float32 (b, 1)."""
        return super().logits(images, training, text=text)

    def logits(self, images, training=False, captions=None):
        """`match` of images and captions, tokens (b, max_words)."""
        return self.match(images, self.embed(captions), training)

    def update(self, x, condition):
        """Algorithm 1 of [1]: a step of the discriminator, and one of the generator."""
        captions = condition["captions"]
        text, latents = self.embed(captions), self._latents(x)
        fake = self.draw(latents, text, training=True)
        d_loss, wrong_loss = self.minimize(
            lambda: self.discriminator_losses(x, fake, captions, text),
            self.discriminator_variables,
            self.d_optimizer,
        )
        self._after_r1()
        g_loss, _ = self.minimize(
            lambda: self.generator_losses(latents, text),
            self.generator.trainable_variables,
            self.g_optimizer,
        )
        self._update_average()
        return {"d_loss": d_loss, "g_loss": g_loss, "wrong_loss": wrong_loss}

    def evaluation(self, x, condition):
        captions = condition["captions"]
        text, latents = self.embed(captions), self._latents(x)
        fake = self.draw(latents, text)
        d_loss, wrong_loss = self.discriminator_losses(x, fake, captions, text, training=False)
        g_loss = self.generator_losses(latents, text, training=False)
        return {"d_loss": d_loss, "g_loss": g_loss, "wrong_loss": wrong_loss}

    def discriminator_losses(self, real, fake, captions, text, training=True):
        """Lines 7 to 10 of Algorithm 1, and R1, where there is one: `(d_loss, wrong_loss)`."""
        real, fake = (self.augmented(images, training) for images in (real, fake))
        loss, wrong_loss = matching_aware_loss(
            self.match(real, text, training),  # s_r
            self.match(real, next_ones(text), training),  # s_w
            self.match(fake, text, training),  # s_f
            ops.any(ops.not_equal(captions, next_ones(captions)), axis=-1),
            hinge=self.generator_loss == "hinge",
        )
        return loss + self._r1(real, {"captions": captions}) if training else loss, wrong_loss

    def generator_losses(self, latents, text, training=True):
        """Line 12 of Algorithm 1, and the same for texts between two others (eq. 5): a scalar."""
        texts = [text, (text + next_ones(text)) / 2.0] if self.interpolation else [text]
        total = 0.0
        for t in texts:
            fake = self.augmented(self.draw(latents, t, training), training)
            total = total + GENERATOR_LOSSES[self.generator_loss](self.match(fake, t, training))
        return total

    def _latents(self, images):
        """As many latents as images (b, latent_dim)."""
        return self.draw_noise(ops.shape(images)[0], self.seed_generator)
