"""The base class of priors p(z), and the standard normal distribution."""

import keras
from keras import ops

from kzoo.checks import check_positive_int, seed_generator
from kzoo.configs import Configured
from kzoo.distributions.distribution import Distribution
from kzoo.distributions.posteriors.posterior import standard_normal_log_prob


class Prior(Distribution):
    """A distribution p(z) of latents."""

    def attach(self, model):
        """Makes the weights that the prior needs. Called once, by the model that takes it."""
        self.latent_dim = model.latent_dim
        if not self.built:
            self.build((None, model.latent_dim))

    def log_prob(self, z):
        """log p(z) of z (..., latent_dim), in nats: (...)."""
        raise NotImplementedError

    def sample(self, num_samples, seed=None):
        """Latents drawn from p(z).

        Args:
            num_samples: how many.
            seed: an int, a `keras.random.SeedGenerator` or `None`.

        Returns:
            A tensor (num_samples, latent_dim).
        """
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="kzoo")
class StandardNormal(Prior):
    """N(0, I)."""

    def log_prob(self, z):
        return standard_normal_log_prob(z)

    def sample(self, num_samples, seed=None):
        return keras.random.normal((num_samples, self.latent_dim), seed=seed_generator(seed))


class Mixture(Configured, Prior):
    """A mixture of diagonal Gaussians, whose components a subclass gives.

    Args:
        num_components: K, at least 1.
    """

    def __init__(self, num_components, **kwargs):
        super().__init__(**kwargs)
        self.num_components = check_positive_int("num_components", num_components)

    def components(self):
        """`(logits (K,), means (K, latent_dim), log_variances (K, latent_dim))`."""
        raise NotImplementedError

    def log_prob(self, z):
        logits, means, log_variances = self.components()
        standardized = (z[..., None, :] - means) * ops.exp(-0.5 * log_variances)  # (..., K, d)
        densities = standard_normal_log_prob(standardized) - 0.5 * ops.sum(log_variances, axis=-1)
        return ops.logsumexp(ops.log_softmax(logits) + densities, axis=-1)

    def sample(self, num_samples, seed=None):
        """As `Prior.sample`; the components are drawn first, then a point from each."""
        seed = seed_generator(seed)
        logits, means, log_variances = self.components()
        index = keras.random.categorical(logits[None], num_samples, seed=seed)[0]
        noise = keras.random.normal((num_samples, self.latent_dim), seed=seed)
        scales = ops.exp(0.5 * ops.take(log_variances, index, axis=0))
        return ops.take(means, index, axis=0) + scales * noise
