"""Gaussian posteriors.

[1] Kingma and Welling, Auto-Encoding Variational Bayes, 2014 (arXiv:1312.6114): the
    reparameterization (eq. 4), the diagonal Gaussian (appendix C.2).
[2] Kingma and Welling, An Introduction to Variational Autoencoders, 2019 (arXiv:1906.02691),
    section 2.5.1: the full-covariance Gaussian by its Cholesky factor (algorithm 2).

Deviation from [2]: the encoder gives the logarithms of the Cholesky factor's diagonal.
"""

import keras
import numpy as np
from keras import ops

from kzoo.distributions.posteriors.posterior import (
    Posterior,
    diagonal_gaussian_sample,
    standard_normal_log_prob,
)


@keras.saving.register_keras_serializable(package="kzoo")
class DiagonalGaussian(Posterior):
    """N(mean, diag(exp(log_variance))) [1]; the parameters are (mean, log_variance)."""

    def num_parameters(self, latent_dim):
        return 2 * latent_dim

    def split(self, parameters):
        """Mean and log-variance, (b, latent_dim) each."""
        return ops.split(parameters, 2, axis=-1)

    def sample(self, parameters, noise):
        return diagonal_gaussian_sample(*self.split(parameters), noise)

    def moments(self, parameters):
        mean, log_variance = self.split(parameters)
        return mean, ops.exp(log_variance)


@keras.saving.register_keras_serializable(package="kzoo")
class FullCovarianceGaussian(Posterior):
    """N(mean, L L') with a lower triangular L, its Cholesky factor [2].

    The parameters are the mean, the logarithms of the diagonal of L, and its entries below the
    diagonal, row by row: (d + 3) d / 2 numbers for d latent dimensions.
    """

    def num_parameters(self, latent_dim):
        return 2 * latent_dim + latent_dim * (latent_dim - 1) // 2

    def split(self, parameters):
        """Mean (b, d), logarithms of the diagonal of L (b, d), and L (b, d, d)."""
        dim = self.latent_dim_of(parameters)
        mean, log_diagonal = parameters[..., :dim], parameters[..., dim : 2 * dim]
        # Every entry of L comes from one number: 0, those of the diagonal, those below it.
        numbers = ops.concatenate(
            [
                ops.zeros_like(parameters[..., :1]),
                ops.exp(log_diagonal),
                parameters[..., 2 * dim :],
            ],
            axis=-1,
        )
        index = np.zeros((dim, dim), "int32")
        index[np.diag_indices(dim)] = 1 + np.arange(dim)
        index[np.tril_indices(dim, -1)] = 1 + dim + np.arange(dim * (dim - 1) // 2)
        factor = ops.take(numbers, index.reshape(-1), axis=-1)
        return mean, log_diagonal, ops.reshape(factor, (*ops.shape(mean)[:-1], dim, dim))

    def sample(self, parameters, noise):
        mean, log_diagonal, factor = self.split(parameters)
        z = mean + ops.squeeze(ops.matmul(factor, noise[..., None]), -1)
        return z, standard_normal_log_prob(noise) - ops.sum(log_diagonal, axis=-1)

    def moments(self, parameters):
        mean, _, factor = self.split(parameters)
        return mean, ops.sum(ops.square(factor), axis=-1)
