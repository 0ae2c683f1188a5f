"""BEGAN: the discriminator is an autoencoder, held in balance with the generator.

Berthelot, Schumm, Metz 2017, "BEGAN: boundary equilibrium generative adversarial networks",
arXiv:1703.10717: the loss of an autoencoder (eq. 1 with eta = 1), the objective with the
proportional control of k_t, and the measure of convergence M (sections 3.3 and 3.3.1).

The discriminator learns to reconstruct real images well and generated ones badly; the generator
wants its images to be reconstructed well. gamma says how much worse than real images the generated
ones may be: E L(G(z)) = gamma E L(x) is the balance. k_t weighs the generated images in the
discriminator's loss, and moves so that the balance is kept.

Deviations: latents are standard normal, as everywhere in kzoo, not uniform in [-1, 1]. L(v) is the
mean over the values of an image, so a suitable lambda_k may differ from the paper's. The networks
lack the optional parts of section 3.4.1 (see `kzoo.networks.began`). The paper halves the learning
rate when M stalls; here a callback can do this: `keras.callbacks.ReduceLROnPlateau("convergence",
factor=0.5, mode="min")`.
"""

import keras
from keras import ops

from kzoo import backend
from kzoo.checks import check_number, check_positive, check_positive_int
from kzoo.models.adversarial.alternating import AlternatingGAN


@keras.saving.register_keras_serializable(package="kzoo")
class BEGAN(AlternatingGAN):
    """Boundary equilibrium GAN.

    The losses are `d_loss` and `g_loss` = E L(G(z)); `real_loss`, E L(x); `convergence`, M =
    E L(x) + |gamma E L(x) - E L(G(z))|, which falls as the images get better; and `k`, the weight
    k_{t+1} that follows from them.

    Args:
        image_shape: `(height, width, channels)`; `None` takes that of the user's networks, else
            (32, 32, 1).
        latent_dim: length of the latent vectors z ~ N(0, I), and of the code of the autoencoder
            that is built by name.
        gamma: in (0, 1], the diversity ratio E L(G(z)) / E L(x) to be held. Lower values give
            better images of fewer kinds; the paper takes .3 to .7.
        lambda_k: proportional gain, the step of k_t.
        width: n, features of the networks next to the image.
        repeats: convolutions of the "began" networks at every size of map.
        generator: `"began"`, or another name or network that `AlternatingGAN` takes.
        discriminator: `"began"`, or the user's own `keras.Model`, an autoencoder: images
            (b, h, w, c) to their reconstructions (b, h, w, c).
        conditioning: `"concatenation"`: the label is added to the autoencoder's input as further
            channels.
        **kwargs: as `AlternatingGAN` describes them, without `information`.

    Raises:
        ValueError: if an argument or a network's shapes do not fit.
    """

    loss_names = ("d_loss", "g_loss", "real_loss", "convergence", "k")
    batch_norm = False
    refused_conditioning = {
        "projection": "an autoencoder has no single value that a projection could be added to",
        "auxiliary": "an autoencoder has no features before its last layer that sum up an image",
    }

    def __init__(
        self,
        image_shape=None,
        latent_dim=64,
        gamma=0.5,
        lambda_k=0.001,
        width=32,
        repeats=2,
        generator="began",
        discriminator="began",
        conditioning="concatenation",
        **kwargs,
    ):
        if kwargs.get("information"):
            raise ValueError(
                "BEGAN takes information=0, got information="
                f"{kwargs['information']!r}: its discriminator is an autoencoder, which has no "
                "features before its last layer that a category could be predicted from."
            )
        gamma = check_number("gamma", gamma, lambda x: 0 < x <= 1, "above 0 and at most 1")
        self.repeats = check_positive_int("repeats", repeats)
        super().__init__(
            image_shape,
            latent_dim,
            width=width,
            generator=generator,
            discriminator=discriminator,
            conditioning=conditioning,
            **kwargs,
        )
        self.gamma = gamma
        self.lambda_k = check_positive("lambda_k", lambda_k)

    def _finish(self):
        self.k = self.add_weight((), "zeros", trainable=False, dtype="float32", name="k")
        super()._finish()

    def network_options(self):
        sizes = {"repeats": self.repeats, "code_dim": self.latent_dim}
        return {**super().network_options(), **sizes, "channels": self.image_shape[-1]}

    @property
    def discriminator_output(self):
        """A reconstruction."""
        return self.image_shape

    def default_optimizer(self):
        """Adam(1e-4), the upper end of section 4.1's learning rates."""
        return keras.optimizers.Adam(1e-4)

    def logits(self, images, training=False, labels=None):
        """L(v), the mean of |v - D(v)| over each image (b, h, w, c) (eq. 1), float32 (b, 1)."""
        images = ops.cast(images, "float32")
        error = ops.abs(images - self.discriminate(images, training, labels))
        return ops.mean(error, axis=(1, 2, 3))[:, None]

    def discriminator_criterion(self, real, fake):
        """E L(x) - k_t E L(G(z_D))."""
        return ops.mean(real) - self.k.value * ops.mean(fake)

    def generator_criterion(self, fake):
        """E L(G(z_G))."""
        return ops.mean(fake)

    def measures(self, losses):
        """E L(x), M and k."""
        real, fake = losses["d_real"], losses["g_loss"]
        convergence = real + ops.abs(self.gamma * real - fake)
        return {"real_loss": real, "convergence": convergence, "k": self.k.value}

    def after_generator_step(self, losses):
        """k_{t+1} = k_t + lambda_k (gamma E L(x) - E L(G(z_G))), kept in [0, 1]."""
        balance = backend.replica_mean(self.gamma * losses["d_real"] - losses["g_loss"])
        step = self.lambda_k * balance
        self.k.assign(ops.clip(self.k.value + step, 0.0, 1.0))
