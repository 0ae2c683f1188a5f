"""Planar flow.

[1] Rezende and Mohamed, Variational Inference with Normalizing Flows, 2015 (arXiv:1505.05770):
    the transformation (eq. 10), its log-determinant (eqs. 11 and 12), log q (eq. 13), and the
    parameters that keep it invertible (appendix A.1).
"""

import keras
from keras import ops

from kzoo.checks import check_positive_int
from kzoo.configs import Configured
from kzoo.distributions.posteriors.posterior import Posterior, diagonal_gaussian_sample


@keras.saving.register_keras_serializable(package="kzoo")
class PlanarFlow(Configured, Posterior):
    """A diagonal Gaussian pushed through z + u tanh(w'z + b), several times [1].

    u, w and b of every step come from the encoder, as in [1]: the parameters are the mean, the
    log-variance, and (u, w, b) of one step after the other. There are no weights.

    Args:
        steps: number of transformations.
    """

    def __init__(self, steps=8, **kwargs):
        super().__init__(**kwargs)
        self.steps = check_positive_int("steps", steps)

    def num_parameters(self, latent_dim):
        return 2 * latent_dim + self.steps * (2 * latent_dim + 1)

    def sample(self, parameters, noise):
        dim = noise.shape[-1]
        z, log_q = diagonal_gaussian_sample(
            parameters[..., :dim], parameters[..., dim : 2 * dim], noise
        )
        for k in range(self.steps):
            step = parameters[..., 2 * dim + k * (2 * dim + 1) :]
            u, w, b = step[..., :dim], step[..., dim : 2 * dim], step[..., 2 * dim]
            z, log_det = self.transform(z, u, w, b)
            log_q = log_q - log_det
        return z, log_q

    def transform(self, z, u, w, b):
        """f(z) = z + u^ tanh(w'z + b), and log |det df/dz|.

        Args:
            z: (..., b, d).
            u, w: (b, d).
            b: (b,).

        Returns:
            (..., b, d) and (..., b).
        """
        product = ops.sum(w * u, axis=-1, keepdims=True)
        # w'u^ = m(w'u) = -1 + softplus(w'u) > -1 (appendix A.1).
        norm = ops.sum(ops.square(w), axis=-1, keepdims=True) + 1e-12  # w may be 0
        u = u + (ops.softplus(product) - 1.0 - product) * w / norm
        h = ops.tanh(ops.sum(w * z, axis=-1) + b)
        slope = (1.0 - ops.square(h)) * ops.sum(u * w, axis=-1)
        return z + u * h[..., None], ops.log1p(slope)
