"""The base class of approximate posteriors q(z|x), and what the flows share."""

import importlib
import math

import keras
from keras import ops

_BY_NAME = {
    "diagonal_gaussian": ("gaussian", "DiagonalGaussian"),
    "full_covariance": ("gaussian", "FullCovarianceGaussian"),
    "planar": ("planar", "PlanarFlow"),
    "coupling": ("coupling", "CouplingFlow"),
    "iaf": ("inverse_autoregressive", "InverseAutoregressiveFlow"),
}


class Posterior(keras.layers.Layer):
    """A family of distributions q(z|x), whose parameters an encoder gives for every image.

    Parameters have the shape (b, num_parameters(latent_dim)); noise is standard normal and has the
    shape (..., b, latent_dim), where the axes before b are those of several draws per image. All
    computations are in float32, whatever the precision of the encoder.

    A subclass with weights makes them in `build`, of the shape of z.
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def get_build_config(self):
        """None: the model that takes it builds it."""

    def num_parameters(self, latent_dim):
        """How many numbers the encoder gives per image, including a flow's context."""
        raise NotImplementedError

    def sample(self, parameters, noise):
        """Samples z from noise, and their log-density.

        Args:
            parameters: (b, num_parameters(latent_dim)).
            noise: (..., b, latent_dim), standard normal.

        Returns:
            `(z, log_q)`: (..., b, latent_dim), and the exact log q(z|x) in nats, (..., b).
        """
        raise NotImplementedError

    def mean(self, parameters):
        """The centre of q(z|x), (b, latent_dim): z at noise 0.

        For a Gaussian this is the mean. For a flow it is near the mean of z, but not equal to it.
        """
        latent_dim = self.latent_dim_of(parameters)
        noise = ops.zeros((*ops.shape(parameters)[:-1], latent_dim))
        return self.sample(parameters, noise)[0]

    def latent_dim_of(self, parameters):
        """The dimension of z that belongs to parameters (..., p)."""
        width = parameters.shape[-1]
        latent_dim = 1
        while self.num_parameters(latent_dim) < width:
            latent_dim += 1
        if self.num_parameters(latent_dim) != width:
            raise ValueError(f"A {type(self).__name__} has no {width} parameters.")
        return latent_dim

    def moments(self, parameters):
        """Mean and variance of every z_i, (b, latent_dim) each; `None` where not in closed form."""
        return None


def standard_normal_log_prob(z):
    """log N(z; 0, I) of z (..., latent_dim), in nats: (...)."""
    return -0.5 * ops.sum(ops.square(z) + math.log(2.0 * math.pi), axis=-1)


def diagonal_gaussian_sample(mean, log_variance, noise):
    """z = mean + sigma * noise and log q(z|x) (arXiv:1312.6114, eq. 4 and appendix C.2)."""
    z = mean + ops.exp(0.5 * log_variance) * noise
    return z, standard_normal_log_prob(noise) - 0.5 * ops.sum(log_variance, axis=-1)


def posterior_by_name(posterior):
    """A `Posterior` from its name, or the one given.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(posterior, Posterior):
        return posterior
    if posterior not in _BY_NAME:
        raise ValueError(
            f"posterior must be one of {', '.join(map(repr, _BY_NAME))} or a "
            f"kzoo.posteriors.Posterior, got {posterior!r}."
        )
    module, name = _BY_NAME[posterior]
    return getattr(importlib.import_module(f"kzoo.distributions.posteriors.{module}"), name)(
        name="posterior"
    )
