"""Alternating training of a generator and a discriminator: what all GANs of kzoo share.

* Goodfellow et al. 2014, "Generative adversarial nets", arXiv:1406.2661: Algorithm 1 [1].
* Radford et al. 2016 (DCGAN), arXiv:1511.06434: the networks that are built from arguments [2].
* Johnson, Zhang 2018, arXiv:1801.06309: their extension by 1x1 convolutions [3].
* Arjovsky, Bottou 2017, "Towards principled methods for training generative adversarial networks",
  arXiv:1701.04862, section 3: noise on the discriminator's inputs [4].
* Chen et al. 2016 (InfoGAN), arXiv:1606.03657: information in the generator's code [5].
"""

import keras
from keras import ops

from kzoo import backend
from kzoo.checks import check_positive_int
from kzoo.images import check_images, to_float
from kzoo.models.adversarial.base import AdversarialModel, dtype_policy, shape_of_images
from kzoo.models.adversarial.infogan import CodeRecognition
from kzoo.models.batches import in_batches


class AlternatingGAN(AdversarialModel):
    """A generator against a discriminator, in alternating steps (Algorithm 1 of [1]).

    A subclass writes its losses, `discriminator_criterion` and `generator_criterion`, and where
    it needs more, `discriminator_penalty` or `after_discriminator_step`.

    Args:
        image_shape: `(height, width, channels)`; `None` takes that of the user's networks, else
            (32, 32, 1).
        latent_dim: length of the latent vectors z ~ N(0, I).
        discriminator_steps: discriminator updates k per generator update, each on a mini-batch
            of its own (Algorithm 1 of [1]); `fit` then takes k mini-batches for one step.
        width: features of the DCGAN and ResNet networks next to the image.
        pointwise: adds the 1x1 convolutions of [3] to the DCGAN networks: half as much work again,
            and far better digits after the same number of updates.
        codes: turns the first `codes` latents into a one-hot code (`kzoo.layers.LatentCodes`), by
            which the classes of images can lie apart; 0 for none. A generator of the user's has to
            begin with that layer itself.
        information: lambda, weight of the mutual information between the code and the image (eq. 6
            of [5]), without which the generator may ignore the code; needs `codes`. A network on
            the discriminator's features recognizes the code; its loss is `code_loss`.
        instance_noise: standard deviation, in units of [-1, 1] images, of the Gaussian noise that
            training adds to every image before the discriminator sees it [4]; 0 for none. It
            keeps the discriminator from winning by details that the generator cannot match.
        generator: `"dcgan"`, `"resnet"`, `"fully_connected"`, `"fully_connected_shortcuts"` (see
            `kzoo.networks`), or the user's own `keras.Model`, latents (b, latent_dim) to images
            (b, h, w, c) in [-1, 1].
        discriminator: one of the same names, or the user's own `keras.Model`, images to logits
            (b, 1).
        **kwargs: `num_classes` and `conditioning` of a class-conditional model, as
            `AdversarialModel` describes them; `name`, `dtype` and the like, as in `keras.Model`.

    Raises:
        ValueError: if an argument or a network's shapes do not fit.
    """

    loss_names = ("d_loss", "g_loss")
    batch_norm = True  # in the discriminator that is built from arguments

    def __init__(
        self,
        image_shape=None,
        latent_dim=100,
        discriminator_steps=1,
        width=32,
        pointwise=False,
        codes=0,
        information=0.0,
        instance_noise=0.0,
        generator="dcgan",
        discriminator="dcgan",
        **kwargs,
    ):
        for name, value in (("information", information), ("instance_noise", instance_noise)):
            if not 0.0 <= value < float("inf"):
                raise ValueError(f"{name} must be 0 or positive, got {value!r}.")
        if information and not codes:
            raise ValueError(
                f"information={information!r} is about the generator's code: it needs codes of at "
                f"least 2, got codes={codes!r}."
            )
        if information and kwargs.get("num_classes") is not None:
            raise ValueError(
                "A model is conditioned on labels or finds codes without them: expected "
                f"num_classes=None or information=0, got num_classes={kwargs['num_classes']!r} and "
                f"information={information!r}."
            )
        if information:
            self.loss_names = (*self.loss_names, "code_loss")
        image_shape = shape_of_images(image_shape, discriminator, generator)
        super().__init__(image_shape, latent_dim, **kwargs)
        self.discriminator_steps = check_positive_int("discriminator_steps", discriminator_steps)
        self.width = check_positive_int("width", width)
        self.pointwise = bool(pointwise)
        self.codes = codes
        self.information = float(information)
        self.instance_noise = float(instance_noise)
        self._set_networks(
            discriminator,
            generator,
            {"width": self.width, "pointwise": self.pointwise, "batch_norm": self.batch_norm},
            {"codes": self.codes, "batch_norm": True},
        )
        if self.information:
            with dtype_policy(self.dtype_policy):
                self.code_recognition = CodeRecognition(self.discriminator, self.codes)
            self.code_head = self.code_recognition.head  # where Keras finds its variables
        self.seed_generator = keras.random.SeedGenerator()
        self.build()

    def get_config(self):
        return {
            **super().get_config(),
            "discriminator_steps": self.discriminator_steps,
            "width": self.width,
            "pointwise": self.pointwise,
            "codes": self.codes,
            "information": self.information,
            "instance_noise": self.instance_noise,
            **self._networks_config(),
        }

    def default_optimizer(self):
        """Adam with DCGAN's settings (section 4 of [2])."""
        return keras.optimizers.Adam(2e-4, beta_1=0.5)

    def examples_per_step(self, batch_size):
        return self.discriminator_steps * batch_size

    @property
    def discriminator_variables(self):
        """With those of the network that recognizes the code."""
        head = self.code_head.trainable_variables if self.information else []
        return super().discriminator_variables + head

    # The losses -------------------------------------------------------------------------------

    def discriminator_criterion(self, real, fake):
        """The discriminator's loss from its values (b, 1) of real and generated images."""
        raise NotImplementedError

    def generator_criterion(self, fake):
        """The generator's loss from the discriminator's values (b, 1) of generated images."""
        raise NotImplementedError

    def discriminator_penalty(self, real, fake, condition):
        """What training adds to the loss on real and generated images (b, h, w, c); a scalar."""
        return 0.0

    def discriminator_losses(self, real, fake, latents, condition, training=True):
        """The losses at real images and at images generated from the latents.

        Args:
            real, fake: images (b, h, w, c).
            latents: (b, latent_dim).
            condition: of both, a dict such as `{"labels": (b,)}`.
            training: whether to add noise and penalty, and to use the statistics of the batch.

        Returns:
            `(d_loss, code_loss)`, scalars; the second is 0 without `information`.
        """
        real, fake = self._noisy(real, training), self._noisy(fake, training)
        real_values = self.logits(real, training, **condition)
        fake_values, code_loss = self._values_and_code_loss(fake, latents, condition, training)
        loss = self.discriminator_criterion(real_values, fake_values)
        if training:
            loss = loss + self.discriminator_penalty(real, fake, condition)
        return loss, code_loss

    def generator_losses(self, latents, condition, training=True):
        """`(g_loss, code_loss)` at latents (b, latent_dim), scalars."""
        fake = self(latents, **condition, training=training)  # (b, h, w, c)
        fake = self._noisy(fake, training)
        values, code_loss = self._values_and_code_loss(fake, latents, condition, training)
        return self.generator_criterion(values), code_loss

    def _values_and_code_loss(self, fake, latents, condition, training):
        if self.information:
            return self.code_recognition.values_and_loss(fake, latents, training)
        return self.logits(fake, training, **condition), 0.0

    def _noisy(self, images, training):
        """Images (b, h, w, c) as training shows them to the discriminator."""
        if training and self.instance_noise:
            noise = keras.random.normal(ops.shape(images), seed=self.seed_generator)
            images = images + self.instance_noise * noise
        return images

    def code_probabilities(self, images):
        """How often each code occurs among real images, as the recognizing network sees it.

        A generator draws its codes equally often in training, whatever their kinds of images
        have for frequencies in the data. `kzoo.layers.LatentCodes(codes, probabilities)` draws
        them as often as this says.

        Args:
            images: uint8 array (n, height, width, channels), or floats in [-1, 1].

        Returns:
            float64 NumPy array (codes,) that sums to 1.

        Raises:
            ValueError: if the model was made without `information`, or the images do not fit.
        """
        if not self.information:
            raise ValueError("code_probabilities() needs a model with information > 0, got 0.")
        check_images(self, images)
        rows = in_batches(self._code_probabilities, 256, images)  # (n, codes)
        return rows.astype("float64").mean(axis=0)

    @backend.compiled
    def _code_probabilities(self, images):
        return self.code_recognition.probabilities(to_float(images))

    # Training and sampling --------------------------------------------------------------------

    def update(self, x, condition):
        """Algorithm 1 of [1]: k discriminator steps, then one generator step.

        Generated images have the conditions of the real ones beside them.
        """
        steps = self.discriminator_steps
        batch_size = ops.shape(x)[0] // steps
        for k in range(steps):
            part = slice(k * batch_size, (k + 1) * batch_size)
            real, given = x[part], {name: values[part] for name, values in condition.items()}
            latents = self._latents(real)
            fake = self(latents, **given, training=True)  # (b, h, w, c)
            arguments = (real, fake, latents, given)
            d_loss, _ = self._minimize(
                lambda arguments=arguments: self.discriminator_losses(*arguments),
                self.discriminator_variables,
                self.d_optimizer,
            )
            self.after_discriminator_step()
        latents = self._latents(real)
        g_loss, code_loss = self._minimize(
            lambda: self.generator_losses(latents, given),
            self.generator.trainable_variables,
            self.g_optimizer,
        )
        return self._named(d_loss, g_loss, code_loss)

    def _minimize(self, losses, variables, optimizer):
        """One step down the gradient of loss + lambda code_loss; returns the two."""

        def objective():
            loss, code_loss = losses()
            return loss + self.information * code_loss, (loss, code_loss)

        return self.minimize(objective, variables, optimizer)[1]

    def _named(self, *losses):
        return dict(zip(self.loss_names, losses, strict=False))

    def after_discriminator_step(self):
        """What follows every update of the discriminator; nothing, unless a subclass says so."""

    def evaluation(self, x, condition):
        latents = self._latents(x)
        fake = self(latents, **condition, training=False)
        d_loss, code_loss = self.discriminator_losses(x, fake, latents, condition, training=False)
        g_loss, _ = self.generator_losses(latents, condition, training=False)
        return self._named(d_loss, g_loss, code_loss)

    def _latents(self, images):
        """As many latents as images (b, latent_dim)."""
        shape = (ops.shape(images)[0], self.latent_dim)
        return keras.random.normal(shape, seed=self.seed_generator)

    @backend.compiled
    def transform_noise(self, noise, labels=None):
        return self(noise, labels=labels)
