"""Diagonal Gaussians as pairs (mean, variance) of tensors (b, ...)."""

from keras import ops

from kzoo import losses

MIN_VARIANCE = 1e-4  # a precision stays finite


def from_raw(raw):
    """The Gaussian of a network's output (b, ..., 2 d): mean, and softplus of the second half."""
    # Precisions and sums over many latents need float32, also in mixed precision.
    mean, variance = ops.split(ops.cast(raw, "float32"), 2, axis=-1)
    return mean, ops.softplus(variance) + MIN_VARIANCE


def precision_weighted(a, b):
    """The normalized product of two Gaussians: precisions add up and weigh the means."""
    precision = 1.0 / a[1] + 1.0 / b[1]
    return (a[0] / a[1] + b[0] / b[1]) / precision, 1.0 / precision


def kl(q, p):
    """KL(q || p) in nats, (b,)."""
    mean = (q[0] - p[0]) / ops.sqrt(p[1])
    divergence = losses.gaussian_kl(mean, ops.log(q[1]) - ops.log(p[1]))
    return _sum(divergence)


def log_ratio(z, p, q):
    """log p(z) / q(z), (b,)."""
    exponents = ops.square(z - q[0]) / q[1] - ops.square(z - p[0]) / p[1]
    return 0.5 * _sum(exponents + ops.log(q[1]) - ops.log(p[1]))


def _sum(x):
    return ops.sum(x, axis=tuple(range(1, len(x.shape))))
