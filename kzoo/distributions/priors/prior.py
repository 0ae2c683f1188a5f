"""The base class of priors p(z), and the standard normal distribution."""

import importlib

import keras
from keras import ops

from kzoo.checks import seed_generator
from kzoo.distributions.posteriors.posterior import standard_normal_log_prob

_BY_NAME = {
    "standard_normal": ("prior", "StandardNormal"),
    "mixture": ("mixture", "GaussianMixture"),
    "vamp": ("mixture", "VampPrior"),
}


class Prior(keras.layers.Layer):
    """A distribution p(z) of latents, computed in float32."""

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def get_build_config(self):
        """None: the model that takes it builds it."""

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


class Mixture(Prior):
    """A mixture of diagonal Gaussians, whose components a subclass gives."""

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


def prior_by_name(prior):
    """A `Prior` from its name, or the one given.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(prior, Prior):
        return prior
    if prior not in _BY_NAME:
        raise ValueError(
            f"prior must be one of {', '.join(map(repr, _BY_NAME))} or a kzoo.priors.Prior, got "
            f"{prior!r}."
        )
    module, name = _BY_NAME[prior]
    return getattr(importlib.import_module(f"kzoo.distributions.priors.{module}"), name)(
        name="prior"
    )
