"""The base class of approximate posteriors q(z|x), and what the flows share."""

import math

from keras import ops

from kzoo.checks import check_activation, check_positive_int
from kzoo.configs import Configured
from kzoo.distributions.distribution import Distribution


class Posterior(Distribution):
    """A family of distributions q(z|x), whose parameters an encoder gives for every image.

    Parameters have the shape (b, num_parameters(latent_dim)); noise is standard normal and has the
    shape (..., b, latent_dim), where the axes before b are those of several draws per image. All
    computations are in float32, whatever the precision of the encoder.

    A subclass with weights makes them in `build`, of the shape of z.
    """

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


class ContextFlow(Configured, Posterior):
    """A diagonal Gaussian pushed through steps that see a context h from the encoder.

    The parameters are the mean, the log-variance and h. A subclass writes `forward`.

    Args:
        steps: number of steps.
        units: of the hidden layer of each step's network.
        context: length of h.
        activation: of the hidden layers, a Keras name.
    """

    def __init__(self, steps, units, context, activation, **kwargs):
        super().__init__(**kwargs)
        self.steps = check_positive_int("steps", steps)
        self.units = check_positive_int("units", units)
        self.context = check_positive_int("context", context)
        self.activation = check_activation("activation", activation)

    def num_parameters(self, latent_dim):
        return 2 * latent_dim + self.context

    def forward(self, z, h):
        """The steps one after the other.

        Args:
            z: (..., b, latent_dim), of the Gaussian.
            h: (b, context).

        Returns:
            `(z, log_det)`: (..., b, latent_dim), and the log-determinant of the Jacobian (..., b).
        """
        raise NotImplementedError

    def sample(self, parameters, noise):
        mean, log_variance, h = ops.split(parameters, [self.dim, 2 * self.dim], axis=-1)
        z, log_q = diagonal_gaussian_sample(mean, log_variance, noise)
        z, log_det = self.forward(z, h)
        return z, log_q - log_det
