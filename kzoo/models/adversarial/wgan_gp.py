"""WGAN-GP: the Wasserstein distance with a penalty on the critic's gradient.

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville 2017, "Improved training of Wasserstein GANs",
arXiv:1704.00028: Algorithm 1.

Deviations: latents as in `kzoo.GAN`; the critic is DCGAN's without batch norm, because the penalty
is on the gradient at single images (section 4).
"""

import keras
from keras import ops

from kzoo import backend
from kzoo.checks import check_positive
from kzoo.losses.adversarial import critic_loss, wasserstein_generator_loss
from kzoo.models.adversarial.alternating import AlternatingGAN


@keras.saving.register_keras_serializable(package="kzoo")
class WGANGP(AlternatingGAN):
    """Wasserstein GAN with gradient penalty (Algorithm 1).

    Args:
        image_shape: `(height, width, channels)`; `None` takes that of the user's networks, else
            (32, 32, 1).
        latent_dim: length of the latent vectors z ~ N(0, I).
        penalty_weight: lambda.
        discriminator_steps: critic updates per generator update, n_critic in the paper.
        **kwargs: as `AlternatingGAN` describes them. A given critic should not normalize over the
            batch.

    Raises:
        ValueError: if an argument or a network's shapes do not fit.
    """

    batch_norm = False

    def __init__(
        self, image_shape=None, latent_dim=100, penalty_weight=10.0, discriminator_steps=5, **kwargs
    ):
        super().__init__(image_shape, latent_dim, discriminator_steps, **kwargs)
        self.penalty_weight = check_positive("penalty_weight", penalty_weight)

    def default_optimizer(self):
        """Adam(1e-4, beta_1=0, beta_2=.9), the defaults of Algorithm 1."""
        return keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9)

    def discriminator_criterion(self, real, fake):
        """E D(G(z)) - E D(x), the negative of the distance's estimate."""
        return critic_loss(real, fake)

    def generator_criterion(self, fake):
        """-E D(G(z)) (line 12)."""
        return wasserstein_generator_loss(fake)

    def discriminator_penalty(self, real, fake, condition):
        """lambda E (||grad D(x)|| - 1)^2 (line 7), between the images that the critic sees."""
        return self.penalty_weight * self.gradient_penalty(real, fake, condition)

    def gradient_penalty(self, real, fake, condition):
        """E (||grad D(x)|| - 1)^2 at random points between real and generated images."""
        shape = (ops.shape(real)[0], 1, 1, 1)
        mix = backend.random_rows(keras.random.uniform, shape, seed=self.seed_generator)
        between = mix * real + (1.0 - mix) * fake  # (b, h, w, c)
        _, gradient = backend.input_gradient(
            lambda x: self.logits(x, training=True, **condition), between
        )
        # A tiny number keeps the root's own gradient finite where the gradient is 0.
        norm = ops.sqrt(ops.sum(ops.square(gradient), axis=(1, 2, 3)) + 1e-12)  # (b,)
        return ops.mean(ops.square(norm - 1.0))
