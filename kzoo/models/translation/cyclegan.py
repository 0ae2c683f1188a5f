"""CycleGAN: two generators that translate between two kinds of images, without pairs.

Zhu, Park, Isola, Efros 2017, "Unpaired image-to-image translation using cycle-consistent
adversarial networks", arXiv:1703.10593: the losses (eqs. 1 to 3) in their least squares form and
the pool of past images (section 4), the identity loss (section 5.2), and the networks and the
training (appendix 7).

The paper's domains X and Y are a and b here, its G and F are `generator_ab` and `generator_ba`,
its D_X and D_Y `discriminator_a` and `discriminator_b`.

Deviations: those of the networks, see `kzoo.networks.resnet_translator` and
`kzoo.networks.patchgan`. The identity loss is on by default, as in the authors' program; the paper
uses it for paintings. The discriminators are updated after the generators, on the translations that
these made before their step, as in that program. `kzoo.layers.ImagePool` says how the pool treats
mini-batches. The linear decay of the learning rate in the second half of training is left to a
schedule of Keras (the recipe has it), and jitter to the data.
"""

import functools

import keras
import numpy as np
from keras import ops

from kzoo import backend
from kzoo.checks import (
    check_name,
    check_nonnegative,
    check_optional_int,
    check_positive,
    check_positive_int,
)
from kzoo.conditions import Image
from kzoo.images import to_float
from kzoo.layers import ImagePool
from kzoo.losses.adversarial import least_squares_discriminator_loss as d_criterion
from kzoo.losses.adversarial import least_squares_generator_loss as g_criterion
from kzoo.models.adversarial.two_optimizers import TwoOptimizers
from kzoo.models.base import GenerativeModel
from kzoo.networks import patch_discriminator_by_name, translator_by_name
from kzoo.networks.given import check_network, dtype_policy, shape_of_images

DOMAINS = ("a", "b")


@keras.saving.register_keras_serializable(package="kzoo")
class CycleGAN(TwoOptimizers):
    """Translates images of domain a to domain b, and back; learns from images without pairs.

    It is fitted on `(images_b, images_a)`, of equal length, or on what
    `kzoo.datasets.zip_domains(a, b)` yields. Which image stands beside which does not matter. In a
    dict of named features, the images of b are called `"b"`, `"image"`, `"real_image"` or
    `"target_image"`, those of a `"a"`, `"source"` or `"input_image"`.

    The losses are sums over the two directions: `d_loss`; `g_loss`, the generators' adversarial
    loss; `cycle_loss` and `identity_loss`, mean absolute errors of images in [-1, 1].

    Args:
        image_shape: `(height, width, channels)` of the images of both domains; `None` takes that of
            the user's networks, else (64, 64, 3).
        width: features of all networks next to the image.
        blocks: residual blocks of a `"resnet_translator"`; `None` for 3 with images of up to 32
            pixels, 6 up to 128 and 9 above.
        receptive_field: side of the square that one logit of a discriminator sees: 70, 34 or 16
            pixels.
        cycle_weight: lambda (eq. 3), weight of the cycle loss.
        identity_weight: weight of the identity loss, by which a generator learns to leave images
            unchanged that are already in its output domain; 0 for none. The paper takes half of
            `cycle_weight`.
        pool_size: how many past images of each domain the discriminators are also trained on; 0 for
            none.
        generator_ab, generator_ba: `"resnet_translator"`, `"unet"` (without dropout), or the user's
            own `keras.Model`, images (b, h, w, c) to images in [-1, 1].
        discriminator_a, discriminator_b: `"patchgan"`, or the user's own `keras.Model`, images to
            a map of logits (b, h', w', 1).
        **kwargs: `name`, `dtype` and the like, as in `keras.Model`.

    Raises:
        ValueError: if an argument or a network's shapes do not fit.

    Example:

    ```python
    train = kzoo.datasets.zip_domains(summer, winter, batch_size=1)
    model = kzoo.CycleGAN(image_shape=(64, 64, 3))
    model.compile()                            # Adam(2e-4, beta_1=.5) twice, as in the paper
    model.fit(train, epochs=100)
    model.translate(photos, to="b")            # uint8 (n, 64, 64, 3): in winter
    ```
    """

    loss_names = ("d_loss", "g_loss", "cycle_loss", "identity_loss")
    refused_arguments = ("latent_dim",)
    distributes = False
    image_keys = ("b", *GenerativeModel.image_keys, "real_image", "target_image")
    source_keys = ("a", *Image.usual_keys)
    called_on = ()
    sampling_options = frozenset(("to",))

    def __init__(
        self,
        image_shape=None,
        width=64,
        blocks=None,
        receptive_field=70,
        cycle_weight=10.0,
        identity_weight=5.0,
        pool_size=50,
        generator_ab="resnet_translator",
        generator_ba="resnet_translator",
        discriminator_a="patchgan",
        discriminator_b="patchgan",
        **kwargs,
    ):
        self.cycle_weight = check_positive("cycle_weight", cycle_weight)
        self.identity_weight = check_nonnegative("identity_weight", identity_weight)
        if not self.identity_weight:
            self.loss_names = self.loss_names[:3]
        self.width = check_positive_int("width", width)
        self.blocks = check_optional_int("blocks", blocks)
        self.pool_size = 0 if pool_size == 0 else check_positive_int("pool_size", pool_size)
        self.receptive_field = receptive_field
        default = shape_of_images(None, discriminator_a, generator_ba, default=(64, 64, 3))
        shape = shape_of_images(image_shape, discriminator_b, generator_ab, default)
        super().__init__(shape, **kwargs)
        given = {
            "generator_ab": generator_ab,
            "generator_ba": generator_ba,
            "discriminator_a": discriminator_a,
            "discriminator_b": discriminator_b,
        }
        for role, network in given.items():
            setattr(self, role, self._network(role, network))
        self.seed_generator = keras.random.SeedGenerator()
        if self.pool_size:
            self.pool_a, self.pool_b = (
                ImagePool(self.pool_size, self.image_shape, self.seed_generator, name=f"pool_{x}")
                for x in DOMAINS
            )
        self.build()

    def _network(self, role, network):
        """The user's network, or the one of that name, checked."""
        shape, generates = self.image_shape, role.startswith("generator")
        if isinstance(network, str):
            self.networks_by_name[role] = network
            options = {"role": role, "width": self.width}
            with dtype_policy(self.dtype_policy):
                if generates:
                    options |= {"blocks": self.blocks, "dropout": 0.0}
                    network = translator_by_name(network, shape, shape, **options)
                else:
                    options["receptive_field"] = self.receptive_field
                    network = patch_discriminator_by_name(network, shape, **options)
        output = shape if generates else (None, None, 1)
        return check_network(role, network, [(shape, "float32")], output)

    @property
    def source_shape(self):
        """`(height, width, channels)` of the images of domain a: `image_shape`."""
        return self.image_shape

    @property
    def conditioned_on(self):
        return (Image(self.image_shape, keys=self.source_keys),)

    @property
    def generator_variables(self):
        """The variables of both generators, `g_optimizer`'s."""
        return [v for g in (self.generator_ab, self.generator_ba) for v in g.trainable_variables]

    @property
    def discriminator_variables(self):
        """The variables of both discriminators, `d_optimizer`'s."""
        discriminators = (self.discriminator_a, self.discriminator_b)
        return [v for d in discriminators for v in d.trainable_variables]

    def default_optimizer(self):
        """Adam with the paper's settings (appendix 7.1)."""
        return keras.optimizers.Adam(2e-4, beta_1=0.5)

    # Translating ------------------------------------------------------------------------------

    def translate(self, images, to="b", batch_size=None):
        """Images of one domain to the other.

        Args:
            images: uint8 or floats in [-1, 1], (n, h, w, c), of the domain that `to` is not.
            to: `"b"` or `"a"`.
            batch_size: how many to compute at once (default 64); changes memory and speed only.

        Returns:
            uint8 NumPy array (n, h, w, c).

        Raises:
            ValueError: if an argument is not as described above, or the model's images are not
                numbers.
        """
        return self.generate(sources=images, to=to, batch_size=batch_size, seed=0)

    def generate(self, num_samples=None, seed=None, batch_size=None, to="b", **condition):
        """`translate`, under the name that all models have: `generate(sources=images)`.

        Args:
            num_samples: the number of sources, or `None`.
            seed: of no effect: a translation has no noise.
            batch_size, to, **condition: as in `translate`; the images are called `sources`.
        """
        check_name("to", to, DOMAINS)
        return super().generate(num_samples, seed, batch_size, to=to, **condition)

    def call(self, sources, to="b", training=False):
        """G(x), or F(y) for `to="a"`: images (b, h, w, c) in [-1, 1] to the other domain."""
        return self._translated(sources, to, training)

    def _translated(self, images, to, training):
        network = self.generator_ab if to == "b" else self.generator_ba
        return ops.cast(network(images, training=training), "float32")

    def draw_noise(self, num_samples, seed):
        """No noise, (num_samples, 0)."""
        return np.zeros((num_samples, 0), "float32")

    @backend.compiled
    def transform_noise(self, noise, sources, to="b"):
        """Sources, uint8 or floats in [-1, 1], to images of domain `to`, (n, h, w, c)."""
        return self._translated(to_float(sources), to, training=False)

    # Training ---------------------------------------------------------------------------------

    def patch_logits(self, images, domain="b", training=False):
        """D for every patch of images (b, h, w, c) of a domain, float32 (b, h', w', 1)."""
        network = self.discriminator_a if domain == "a" else self.discriminator_b
        return ops.cast(network(images, training=training), "float32")

    def update(self, x, condition):
        """One step of both generators, then one of both discriminators (appendix 7.1)."""
        a, b = condition["sources"], x
        _, (parts, fakes) = self.minimize(
            lambda: self.generator_loss(a, b), self.generator_variables, self.g_optimizer
        )
        if self.pool_size:
            fakes = self.pool_a(fakes[0]), self.pool_b(fakes[1])
        d_loss, _ = self.minimize(
            lambda: self.discriminator_loss((a, b), fakes),
            self.discriminator_variables,
            self.d_optimizer,
        )
        return self.named_losses(d_loss, *parts)

    def evaluation(self, x, condition):
        a, b = condition["sources"], x
        _, (parts, fakes) = self.generator_loss(a, b, training=False)
        return self.named_losses(self.discriminator_loss((a, b), fakes, training=False), *parts)

    def discriminator_loss(self, reals, fakes, training=True):
        """Half of E (D(y) - 1)^2 + E D(G(x))^2, of both domains (section 4, appendix 7.1).

        Args:
            reals, fakes: images of a, and of b, (b, h, w, c) each.
            training: whether the networks run in training mode.
        """
        losses = []
        for domain, real, fake in zip(DOMAINS, reals, fakes, strict=True):
            logits = [self.patch_logits(images, domain, training) for images in (real, fake)]
            losses.append(d_criterion(*logits))
        return sum(losses)

    def generator_loss(self, a, b, training=True):
        """Eq. 3 with E (D(G(x)) - 1)^2 as the adversarial loss, and the identity loss.

        Args:
            a, b: images of the two domains, (b, h, w, c).
            training: whether the networks run in training mode.

        Returns:
            `(loss, (parts, fakes))`: the weighted sum; the adversarial loss, the cycle loss (eq. 2)
            and the identity loss (not without `identity_weight`), sums over both directions; and
            the translations `(F(b), G(a))`.
        """
        to_a, to_b = (
            functools.partial(self._translated, to=domain, training=training) for domain in DOMAINS
        )
        fake_b, fake_a = to_b(a), to_a(b)
        adversarial = 0.0
        for domain, fake in (("a", fake_a), ("b", fake_b)):
            # Twice the loss of kzoo, which has the 1/2 of Mao et al.
            adversarial += 2.0 * g_criterion(self.patch_logits(fake, domain, training))
        cycle = _distance(to_a(fake_b), a) + _distance(to_b(fake_a), b)
        loss, parts = adversarial + self.cycle_weight * cycle, (adversarial, cycle)
        if self.identity_weight:
            identity = _distance(to_a(a), a) + _distance(to_b(b), b)
            loss, parts = loss + self.identity_weight * identity, (*parts, identity)
        return loss, (parts, (ops.stop_gradient(fake_a), ops.stop_gradient(fake_b)))


def _distance(x, y):
    """The mean absolute difference of images (b, h, w, c), a scalar."""
    return ops.mean(ops.abs(x - y))
