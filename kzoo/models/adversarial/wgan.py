"""WGAN: the Wasserstein distance in place of a divergence, by clipping the critic's weights.

Arjovsky, Chintala, Bottou 2017, "Wasserstein GAN", arXiv:1701.07875: Algorithm 1.

Deviations: latents, and separate batches of real and generated images, as in `kzoo.GAN`.
"""

import keras
from keras import ops

from kzoo.checks import check_positive
from kzoo.losses.adversarial import critic_loss, wasserstein_generator_loss
from kzoo.models.adversarial.alternating import AlternatingGAN


@keras.saving.register_keras_serializable(package="kzoo")
class WGAN(AlternatingGAN):
    """Wasserstein GAN with weight clipping (Algorithm 1).

    The discriminator is a critic: its values are no logits, and the negative of `d_loss`
    estimates the Wasserstein distance up to a factor.

    Args:
        image_shape: `(height, width, channels)`; `None` takes that of the user's networks, else
            (32, 32, 1).
        latent_dim: length of the latent vectors z ~ N(0, I).
        clip: c; after every update the critic's weights are clipped to [-c, c].
        discriminator_steps: critic updates per generator update, n_critic in the paper.
        **kwargs: as `AlternatingGAN` describes them.

    Raises:
        ValueError: if an argument or a network's shapes do not fit.
    """

    def __init__(
        self, image_shape=None, latent_dim=100, clip=0.01, discriminator_steps=5, **kwargs
    ):
        super().__init__(image_shape, latent_dim, discriminator_steps, **kwargs)
        self.clip = check_positive("clip", clip)

    def default_optimizer(self):
        """RMSprop(5e-5), as in Algorithm 1; without momentum, which the paper warns of."""
        return keras.optimizers.RMSprop(5e-5)

    def discriminator_criterion(self, real, fake):
        """E D(G(z)) - E D(x), the negative of the distance's estimate (line 5)."""
        return critic_loss(real, fake)

    def generator_criterion(self, fake):
        """-E D(G(z)) (line 10)."""
        return wasserstein_generator_loss(fake)

    def after_discriminator_step(self):
        """Clips the critic's weights (line 7)."""
        for variable in self.discriminator.trainable_variables:
            variable.assign(ops.clip(variable, -self.clip, self.clip))
