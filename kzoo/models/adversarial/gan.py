"""GAN: a generator against a discriminator, by default with DCGAN's networks.

* Goodfellow et al. 2014, "Generative adversarial nets", arXiv:1406.2661: Algorithm 1 [1].
* Radford et al. 2016 (DCGAN), arXiv:1511.06434: networks, optimizers, initialization [2].
* Johnson, Zhang 2018, arXiv:1801.06309, section 1 names the two losses GAN0 and GAN1 [3].
* Lim, Ye 2017, arXiv:1705.02894 and Miyato et al. 2018, arXiv:1802.05957, eqs. 16 and 17: the
  hinge loss [4].

Deviations from [1]: Adam in place of momentum, as in [2]. Latents are standard normal as in [3],
not uniform as in [2]. Real and generated images pass through the discriminator as separate
batches, each normalized with its own statistics.
"""

import keras

from kzoo.checks import check_name
from kzoo.losses.adversarial import GENERATOR_LOSSES, discriminator_loss, hinge_discriminator_loss
from kzoo.models.adversarial.alternating import AlternatingGAN


@keras.saving.register_keras_serializable(package="kzoo")
class GAN(AlternatingGAN):
    """Generative adversarial network [1].

    Args:
        image_shape: `(height, width, channels)`; `None` takes that of the user's networks, else
            (32, 32, 1).
        latent_dim: length of the latent vectors z ~ N(0, I).
        generator_loss: `"non_saturating"` ("log D trick", GAN1), `"minimax"` (GAN0) or `"hinge"`,
            with which the discriminator's loss is the hinge loss too [4].
        **kwargs: as `AlternatingGAN` describes them.

    Raises:
        ValueError: if an argument or a network's shapes do not fit.

    Example:

    ```python
    gan = kzoo.GAN(image_shape=None)
    gan.compile()                                    # Adam(2e-4, beta_1=.5), as in [2]
    gan.fit(kzoo.datasets.load("mnist", pad_to=32, batch_size=64), epochs=20)
    images = gan.generate(64, seed=0)                # uint8 (64, 32, 32, 1)
    ```
    """

    def __init__(self, image_shape=None, latent_dim=100, generator_loss="non_saturating", **kwargs):
        super().__init__(image_shape, latent_dim, **kwargs)
        self.generator_loss = check_name("generator_loss", generator_loss, sorted(GENERATOR_LOSSES))

    def discriminator_criterion(self, real, fake):
        """-E log sigmoid(D(x)) - E log(1 - sigmoid(D(G(z)))), in nats, or the hinge loss."""
        if self.generator_loss == "hinge":
            return hinge_discriminator_loss(real, fake)
        return discriminator_loss(real, fake)

    def generator_criterion(self, fake):
        """The loss that `generator_loss` names."""
        return GENERATOR_LOSSES[self.generator_loss](fake)
