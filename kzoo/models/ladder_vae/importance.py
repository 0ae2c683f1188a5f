"""Means of importance weights, in chunks of bounded memory."""

import math

import numpy as np
from keras import ops

from kzoo.models.data import check_positive_int


def log_mean_weights(images, num_samples, batch_size, prepare, draw_noise, log_weights):
    """The logarithm of the mean of every image's importance weights.

    All chunks have one shape, and so one compiled program: what is too much of the last ones is
    left out. The weights of an image are never held all at once.

    Args:
        images: array (n, h, w, c), n at least 1.
        num_samples: weights per image.
        batch_size: how many weights to compute at once.
        prepare: function of images (b, h, w, c), run once for each of them.
        draw_noise: function of a number to noise for so many weights.
        log_weights: function of images, what `prepare` returned for them, noise for b * r weights,
            and r, to log-weights (b, r).

    Returns:
        float64 NumPy array (n,).

    Raises:
        ValueError: if a number is not positive or there are no images.
    """
    num_samples = check_positive_int("num_samples", num_samples)
    count, size = len(images), slices(len(images), batch_size)[0].stop
    size = min(size, count)
    repeats = min(batch_size // size, num_samples)  # samples of an image at once
    means = []
    for start in range(0, count, size):
        batch = images[np.arange(start, start + size) % count]
        prepared = prepare(batch)
        total = np.full(size, -np.inf)  # log of the sum of the weights
        for done in range(0, num_samples, repeats):
            noise = draw_noise(size * repeats)
            weights = ops.convert_to_numpy(log_weights(batch, prepared, noise, repeats))
            weights = weights.astype("float64")[:, : num_samples - done]
            total = np.logaddexp(total, np.logaddexp.reduce(weights, axis=1))
        means.append(total - math.log(num_samples))
    return np.concatenate(means)[:count]


def slices(count, batch_size):
    """Slices of at most `batch_size` that cover `count` images or latents, at least 1."""
    batch_size = check_positive_int("batch_size", batch_size)
    if not count:
        raise ValueError("Expected at least one image or latent, got none.")
    return [slice(start, start + batch_size) for start in range(0, count, batch_size)]
