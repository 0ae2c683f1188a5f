"""Divergences between distributions, in closed form."""

from keras import ops


def gaussian_kl(mean, log_variance):
    """Kullback-Leibler divergence of a diagonal Gaussian from the standard normal distribution.

    KL(N(mean, exp(log_variance)) || N(0, I)), from Kingma and Welling, Auto-Encoding Variational
    Bayes, 2014 (arXiv:1312.6114), appendix B.

    Args:
        mean: float tensor of shape (..., dimension).
        log_variance: float tensor of shape (..., dimension).

    Returns:
        A tensor of shape (...), in nats.
    """
    return 0.5 * ops.sum(ops.exp(log_variance) + ops.square(mean) - 1.0 - log_variance, axis=-1)
