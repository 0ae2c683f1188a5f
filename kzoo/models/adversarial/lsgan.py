"""LSGAN: least squares in place of the logistic loss.

Mao, Li, Xie, Lau, Wang, Smolley 2017, "Least squares generative adversarial networks",
arXiv:1611.04076: eq. 2, with the 0-1 coding of eq. 9 unless told otherwise.

Deviations: latents and networks as in `kzoo.GAN`.
"""

import keras

from kzoo.checks import check_number
from kzoo.losses.adversarial import least_squares_discriminator_loss, least_squares_generator_loss
from kzoo.models.adversarial.alternating import AlternatingGAN


@keras.saving.register_keras_serializable(package="kzoo")
class LSGAN(AlternatingGAN):
    """Least squares GAN (eq. 2).

    Args:
        image_shape: `(height, width, channels)`; `None` takes that of the user's networks, else
            (32, 32, 1).
        latent_dim: length of the latent vectors z ~ N(0, I).
        fake_label: a, what the discriminator should give generated images.
        real_label: b, what it should give real images.
        generator_label: c, what the generator wants it to give generated images. (a, b, c) =
            (0, 1, 1) is eq. 9; (-1, 1, 0) is eq. 8, which minimizes a Pearson chi^2 divergence.
        **kwargs: as `AlternatingGAN` describes them.

    Raises:
        ValueError: if an argument or a network's shapes do not fit.
    """

    def __init__(
        self,
        image_shape=None,
        latent_dim=100,
        fake_label=0.0,
        real_label=1.0,
        generator_label=1.0,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, **kwargs)
        if fake_label == real_label:
            raise ValueError(f"fake_label and real_label must differ, got {fake_label!r} for both.")
        self.fake_label = check_number("fake_label", fake_label)
        self.real_label = check_number("real_label", real_label)
        self.generator_label = check_number("generator_label", generator_label)

    def discriminator_criterion(self, real, fake):
        """1/2 E (D(x) - b)^2 + 1/2 E (D(G(z)) - a)^2."""
        return least_squares_discriminator_loss(real, fake, self.fake_label, self.real_label)

    def generator_criterion(self, fake):
        """1/2 E (D(G(z)) - c)^2."""
        return least_squares_generator_loss(fake, self.generator_label)
