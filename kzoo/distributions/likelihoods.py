"""Log-likelihoods of pixels under the distributions that a decoder can describe.

Every function works element by element, in nats, and broadcasts its arguments. The sum over the
pixels of an image is the log-likelihood of that image.

References:
    [1] Kingma and Welling, Auto-Encoding Variational Bayes, 2014 (arXiv:1312.6114), appendix C.
    [2] Kingma et al., Improved Variational Inference with Inverse Autoregressive Flow, 2016
        (arXiv:1606.04934), appendix A (the discretized logistic).
    [3] Salimans et al., PixelCNN++, 2017 (arXiv:1701.05517), section 2.1 (the tails at 0 and 255).
"""

import math

from keras import ops

# About a tenth of the distance of two grey levels in [-1, 1]. A sharper distribution gains
# nothing on 8-bit images, and a Gaussian density would grow without bound.
MIN_LOG_SCALE = -7.0

_HALF_BIN = 1.0 / 255.0  # half the distance of two of the 256 grey levels in [-1, 1]


def bernoulli_log_likelihood(x, logits):
    """Log-probability of binary pixels (reference 1, eq. 11).

    Args:
        x: float tensor in [0, 1]. A grey value is taken as the probability that the pixel is 1:
            the result is then the expected log-probability over random binarizations.
        logits: float tensor, the log-odds of the value 1.

    Returns:
        A tensor of the common shape, in nats.
    """
    return x * logits - ops.softplus(logits)


def gaussian_log_likelihood(x, mean, log_scale):
    """Log-density of the normal distribution N(mean, exp(log_scale)^2).

    A density, not a probability: it depends on the units of `x` and may be positive.

    Args:
        x: float tensor.
        mean: float tensor.
        log_scale: float tensor, the log of the standard deviation; values below -7 count as -7.

    Returns:
        A tensor of the common shape, in nats.
    """
    log_scale = ops.maximum(log_scale, MIN_LOG_SCALE)
    standardized = (x - mean) * ops.exp(-log_scale)
    return -0.5 * ops.square(standardized) - log_scale - 0.5 * math.log(2.0 * math.pi)


def discretized_logistic_log_likelihood(x, mean, log_scale):
    """Log-probability of 256 grey levels under a logistic distribution (references 2 and 3).

    A level has the mass of the logistic distribution within half a level around it; the darkest
    and the brightest level also take the tail beyond them, so the 256 probabilities sum to 1.

    Args:
        x: float tensor, grey levels k = 0 .. 255 at -1 + 2 k / 255 in [-1, 1].
        mean: float tensor, the centre of the logistic distribution.
        log_scale: float tensor, the log of its scale; values below -7 count as -7.

    Returns:
        A tensor of the common shape, in nats.
    """
    log_scale = ops.maximum(log_scale, MIN_LOG_SCALE)
    inverse_scale = ops.exp(-log_scale)
    upper = (x - mean + _HALF_BIN) * inverse_scale
    lower = (x - mean - _HALF_BIN) * inverse_scale
    below_upper = ops.log_sigmoid(upper)
    above_lower = ops.log_sigmoid(-lower)

    # sigmoid(b) - sigmoid(a) = sigmoid(b) sigmoid(-a) (1 - exp(a - b)) stays exact where both
    # sigmoids round to 0 or 1. For a narrow bin the last factor is b - a up to its second order.
    width = 2.0 * _HALF_BIN * inverse_scale
    narrow = math.log(2.0 * _HALF_BIN) - log_scale - 0.5 * width
    wide = ops.log(-ops.expm1(-ops.maximum(width, 1e-3)))
    inside = below_upper + above_lower + ops.where(width < 1e-3, narrow, wide)

    result = ops.where(x < -1.0 + _HALF_BIN, below_upper, inside)
    return ops.where(x > 1.0 - _HALF_BIN, above_lower, result)


def discretized_logistic_mixture_log_likelihood(x, logits, means, log_scales, coefficients=None):
    """Log-probability of pixels of 256 grey levels per channel under a mixture (reference 3).

    A component is a product over the channels of discretized logistics, in which the mean of a
    channel depends linearly on the channels before it (section 2.2). The probabilities of all
    pixels sum to 1, those at 0 and 255 having the tails.

    Args:
        x: float tensor (..., channels), grey levels k = 0 .. 255 at -1 + 2 k / 255 in [-1, 1].
        logits: float tensor (..., mixtures), of the components.
        means: float tensor (..., channels, mixtures).
        log_scales: float tensor (..., channels, mixtures); values below -7 count as -7.
        coefficients: float tensor (..., channels (channels - 1) / 2, mixtures), what a channel adds
            to the means of the later ones: first R's factor for G, then R's and G's factors for B,
            and so on. `None` for channels that are independent within a component.

    Returns:
        A tensor (...,), in nats per pixel.
    """
    values = ops.log_softmax(logits)
    channels = [x[..., c : c + 1] for c in range(x.shape[-1])]
    for c, channel in enumerate(channels):
        mean = shifted_mean(c, channels, means, coefficients)
        values = values + discretized_logistic_log_likelihood(channel, mean, log_scales[..., c, :])
    return ops.logsumexp(values, axis=-1)


def mixture_size(channels, num_mixtures):
    """How many numbers describe a pixel's mixture, see `mixture_parameters`."""
    return num_mixtures * (1 + 2 * channels + channels * (channels - 1) // 2)


def mixture_parameters(outputs, channels, num_mixtures):
    """A network's outputs as the parameters of `discretized_logistic_mixture_log_likelihood`.

    Args:
        outputs: float tensor (..., mixture_size(channels, num_mixtures)).
        channels, num_mixtures: ints.

    Returns:
        `(logits, means, log_scales, coefficients)`, the last within (-1, 1), or `None` for grey
        images.
    """
    x = ops.reshape(outputs, (*ops.shape(outputs)[:-1], -1, num_mixtures))
    middle, end = 1 + channels, 1 + 2 * channels
    coefficients = ops.tanh(x[..., end:, :]) if channels > 1 else None
    return x[..., 0, :], x[..., 1:middle, :], x[..., middle:end, :], coefficients


def shifted_mean(channel, values, means, coefficients):
    """The means of one channel given those before it (reference 3, eq. 3).

    Args:
        channel: int, its index.
        values: list of the values of the earlier channels, or of more: tensors that broadcast
            with (..., mixtures).
        means: (..., channels, mixtures).
        coefficients: (..., channels (channels - 1) / 2, mixtures), or `None` for zeros.

    Returns:
        A tensor (..., mixtures).
    """
    mean = means[..., channel, :]
    if coefficients is None:
        return mean
    first = channel * (channel - 1) // 2
    for i in range(channel):
        mean = mean + coefficients[..., first + i, :] * values[i]
    return mean
