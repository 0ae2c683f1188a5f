"""KL divergences in closed form, and importance-sampled estimates of likelihoods.

[1] Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, 2016 (arXiv:1509.00519).
"""

import math

import numpy as np
from keras import ops

from kzoo.checks import check_positive_int

FEW = 50  # images whose latents are decoded together, if there are that many and memory allows it


def log_mean_weights(count, num_samples, batch_size, log_weights):
    """The logarithm of the mean of every image's importance weights (reference 1, eq. 8).

    The weights are computed in chunks of one shape, so one compiled program serves all of them.
    The last chunks may hold more images or weights than asked for; these are not used. An image's
    weights are never all in memory at once.

    Args:
        count: number of images, at least 1.
        num_samples: weights per image.
        batch_size: how many weights to compute at once.
        log_weights: function `(index, r)` that returns the logarithms of r new weights of each
            image, (r, b); `index` is an int array (b,) of the images' positions.

    Returns:
        float64 NumPy array (count,).

    Raises:
        ValueError: if `num_samples` or `batch_size` is not positive.
    """
    num_samples = check_positive_int("num_samples", num_samples)
    batch_size = check_positive_int("batch_size", batch_size)
    size = min(count, batch_size, max(FEW, -(-batch_size // num_samples)))
    repeats = batch_size // size
    means = []
    for start in range(0, count, size):
        index = np.arange(start, start + size) % count
        total = np.full(size, -np.inf)  # log of the sum of the weights
        for done in range(0, num_samples, repeats):
            weights = ops.convert_to_numpy(log_weights(index, repeats)).astype("float64")
            chunk = np.logaddexp.reduce(weights[: num_samples - done], axis=0)
            total = np.logaddexp(total, chunk)
        means.append(total - math.log(num_samples))
    return np.concatenate(means)[:count]


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


def average(values, sample_weight=None):
    """The mean over a batch, each example times its weight, as Keras averages losses.

    Args:
        values: tensor (..., b).
        sample_weight: weights (b,), or `None` for 1.

    Returns:
        Tensor (...).
    """
    if sample_weight is not None:
        values = values * ops.cast(ops.reshape(sample_weight, (-1,)), values.dtype)
    return ops.mean(values, axis=-1)
