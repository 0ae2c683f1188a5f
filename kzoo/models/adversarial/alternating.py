"""Alternating training of a generator and a discriminator: what all GANs of kzoo share.

* Goodfellow et al. 2014, "Generative adversarial nets", arXiv:1406.2661: Algorithm 1 [1].
* Radford et al. 2016 (DCGAN), arXiv:1511.06434: the networks that are built from arguments [2].
* Johnson, Zhang 2018, arXiv:1801.06309: their extension by 1x1 convolutions [3].
* Arjovsky, Bottou 2017, "Towards principled methods for training generative adversarial networks",
  arXiv:1701.04862, section 3: noise on the discriminator's inputs [4].
* Chen et al. 2016 (InfoGAN), arXiv:1606.03657: information in a categorical latent [5].
* Karras et al. 2018, "Progressive growing of GANs", arXiv:1710.10196, section 2: networks grow out
  of smaller ones [6].
* Odena et al. 2017 (ACGAN), arXiv:1610.09585: a discriminator that also predicts the class [7].
"""

import keras
from keras import ops

from kzoo import backend
from kzoo.checks import check_flag, check_nonnegative, check_positive_int
from kzoo.models.adversarial.base import LatentGAN
from kzoo.models.adversarial.growth import Growth
from kzoo.models.adversarial.recognition import Recognition
from kzoo.networks.given import shape_of_images


class AlternatingGAN(Growth, Recognition, LatentGAN):
    """A generator against a discriminator, in alternating steps (Algorithm 1 of [1]).

    A subclass writes its losses, `discriminator_criterion` and `generator_criterion`. If it needs
    more, it overrides `logits` (the discriminator's values of images), `discriminator_penalty`,
    `after_discriminator_step`, `after_generator_step` or `measures`.

    Args:
        image_shape: `(height, width, channels)`; `None` takes that of the user's networks, else
            (32, 32, 1).
        latent_dim: length of the latent vectors z ~ N(0, I).
        discriminator_steps: discriminator updates k per generator update, each on a mini-batch
            of its own (Algorithm 1 of [1]); `fit` then takes k mini-batches for one step.
        width: features of the DCGAN and ResNet networks next to the image.
        pointwise: adds the 1x1 convolutions of [3] to the DCGAN networks, for about half as much
            work again.
        codes: number of categories of a categorical latent, which `kzoo.layers.LatentCodes` makes
            of the first `codes` latents; 0 for none. With it, different kinds of images can come
            from separate parts of the latent space. The user's own generator must begin with that
            layer.
        information: lambda, weight of the mutual information between the category and the image
            (eq. 6 of [5]). Without it, the generator may ignore the category. Needs `codes`. A
            network on the discriminator's features predicts the category; its loss is `code_loss`.
        instance_noise: standard deviation, in units of [-1, 1] images, of the Gaussian noise that
            training adds to every image before the discriminator sees it [4]; 0 for none. It hides
            details by which the discriminator could always tell the images apart.
        grow_from: a model for images of half the height and width, with twice the `width` and
            "dcgan_4x4" networks. All layers but those next to the image start from its weights [6].
            Or a model of the same size, to continue its training.
        fade_images: over how many real images the new layers are faded in [6]; 0 for no fading.
        auxiliary_weight: weight of the classifier's loss in the losses of both networks, with
            `conditioning="auxiliary"` (L_C in section 3 of [7]).
        generator: `"dcgan"`, `"resnet"`, `"fully_connected"`, `"fully_connected_shortcuts"` (see
            `kzoo.networks`), or the user's own `keras.Model`, latents (b, latent_dim) to images
            (b, h, w, c) in [-1, 1].
        discriminator: one of the same names, or the user's own `keras.Model`, images to logits
            (b, 1). With `conditioning="auxiliary"` it takes no labels, and must be a functional or
            sequential model: the classifier reads the inputs of its last layer.
        **kwargs: `num_classes` and `conditioning` of a class-conditional model, `augment`,
            `spectral_normalization`, `average_decay`, `r1` and `r1_every`, as `LatentGAN`
            describes them; `name`, `dtype` and the like, as in `keras.Model`.

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
        grow_from=None,
        fade_images=0,
        auxiliary_weight=1.0,
        generator="dcgan",
        discriminator="dcgan",
        **kwargs,
    ):
        instance_noise = check_nonnegative("instance_noise", instance_noise)
        labels = (kwargs.get("num_classes"), kwargs.get("conditioning"))
        self._check_recognition(codes, information, auxiliary_weight, *labels)
        image_shape = shape_of_images(image_shape, discriminator, generator)
        super().__init__(image_shape, latent_dim, **kwargs)
        self.discriminator_steps = check_positive_int("discriminator_steps", discriminator_steps)
        self.width = check_positive_int("width", width)
        self.pointwise = check_flag("pointwise", pointwise)
        self.instance_noise = instance_noise
        self._check_growth(fade_images, grow_from)
        self._set_networks(
            discriminator, generator, self.network_options(), {"codes": codes, "batch_norm": True}
        )
        self._set_recognition(codes, information, auxiliary_weight)
        self._set_growth(grow_from)
        self._finish()

    def default_optimizer(self):
        """Adam with DCGAN's settings (section 4 of [2])."""
        return keras.optimizers.Adam(2e-4, beta_1=0.5)

    def examples_per_step(self, batch_size):
        return self.discriminator_steps * batch_size

    def network_options(self):
        """Options of the networks that are built by name; each network uses those that it has."""
        return {
            "width": self.width,
            "pointwise": self.pointwise,
            "batch_norm": self.batch_norm,
            "fading": self.fade_images > 0,
        }

    def drawing_network(self):
        """The network that `generate` draws from: the generator, or the average of its weights."""
        return self._drawn_by()

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
            `(d_loss, further)`: a scalar, and a dict of scalars: `"d_real"`, the mean of the
            values of real images, and the loss of a class head, `"code_loss"` of generated images
            or the sum `"class_loss"` of those of real and of generated ones (eq. 3 of [7]).
        """
        real, fake = self._noisy(real, training), self._noisy(fake, training)
        real_values, of_real = self._values(real, None, condition, training)
        fake_values, of_fake = self._values(fake, latents, condition, training)
        further = {name: loss + of_real.get(name, 0.0) for name, loss in of_fake.items()}
        further["d_real"] = ops.mean(real_values)
        loss = self.discriminator_criterion(real_values, fake_values)
        if training:
            loss = loss + self.discriminator_penalty(real, fake, condition)
            loss = loss + self._r1(real, condition)
        return loss, further

    def generator_losses(self, latents, condition, training=True):
        """`(g_loss, further)` at latents (b, latent_dim): a scalar, and a class head's loss."""
        fake = self(latents, **condition, training=training)  # (b, h, w, c)
        fake = self._noisy(fake, training)
        values, further = self._values(fake, latents, condition, training)
        return self.generator_criterion(values), further

    def _values(self, images, latents, condition, training):
        """The discriminator's values of images, and a dict with the loss of its class head.

        Without such a head the dict is empty; `Recognition.values_and_losses` is for the others.
        """
        if self.has_head:
            return self.values_and_losses(images, latents, condition, training)
        return self.logits(images, training, **condition), {}

    def _noisy(self, images, training):
        """Augmented images (b, h, w, c), with instance noise."""
        images = self.augmented(images, training)
        if training and self.instance_noise:
            noise = backend.random_rows(
                keras.random.normal, ops.shape(images), seed=self.seed_generator
            )
            images = images + self.instance_noise * noise
        return images

    # Training and sampling --------------------------------------------------------------------

    def update(self, x, condition):
        """Algorithm 1 of [1]: k discriminator steps, then one generator step.

        Generated images have the conditions of the real ones beside them.
        """
        steps = self.discriminator_steps
        batch_size = ops.shape(x)[0] // steps
        self._fade(x)
        for k in range(steps):
            part = slice(k * batch_size, (k + 1) * batch_size)
            real, given = x[part], {name: values[part] for name, values in condition.items()}
            latents = self._latents(real)
            arguments = (real, self(latents, **given, training=True), latents, given)
            d_loss, further = self._minimize(
                lambda arguments=arguments: self.discriminator_losses(*arguments),
                self.discriminator_variables,
                self.d_optimizer,
            )
            self._after_r1()
            self.after_discriminator_step()
        latents = self._latents(real)
        g_loss, _ = self._minimize(
            lambda: self.generator_losses(latents, given),
            self.generator.trainable_variables,
            self.g_optimizer,
        )
        self._update_average()
        losses = {**further, "d_loss": d_loss, "g_loss": g_loss}
        self.after_generator_step(losses)
        return self._named(losses)

    def _minimize(self, losses, variables, optimizer):
        """One step down the gradient of the loss and the weighted one of a class head."""

        def objective():
            loss, further = losses()
            return loss + self.weighted(further), (loss, further)

        return self.minimize(objective, variables, optimizer)[1]

    def _named(self, losses):
        losses = {**losses, **self.measures(losses)}
        return {name: losses[name] for name in self.loss_names}

    def after_discriminator_step(self):
        """Called after every update of the discriminator; does nothing by default."""

    def after_generator_step(self, losses):
        """Called after the generator's update, once the scalars of both are known.

        Args:
            losses: dict of scalars, `"d_loss"`, `"g_loss"`, `"d_real"` and so on.
        """

    def measures(self, losses):
        """Further scalars among `loss_names` that follow from the losses, a dict; none here."""
        return {}

    def evaluation(self, x, condition):
        latents = self._latents(x)
        fake = self(latents, **condition, training=False)
        d_loss, further = self.discriminator_losses(x, fake, latents, condition, training=False)
        g_loss, _ = self.generator_losses(latents, condition, training=False)
        return self._named({**further, "d_loss": d_loss, "g_loss": g_loss})

    def _latents(self, images):
        """As many latents as images (b, latent_dim)."""
        shape = (ops.shape(images)[0], self.latent_dim)
        return backend.random_rows(keras.random.normal, shape, seed=self.seed_generator)
