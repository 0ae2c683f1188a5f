"""What a VAE's decoder says about the pixels: the choices of p(x|z)."""

from keras import ops

from kzoo import losses

_SCALED = {
    "gaussian": losses.gaussian_log_likelihood,
    "discretized_logistic": losses.discretized_logistic_log_likelihood,
}
LIKELIHOODS = ("bernoulli", *_SCALED)


def check_likelihood(likelihood, scale):
    """`ValueError` unless the likelihood exists and the scale goes with it."""
    if likelihood not in LIKELIHOODS:
        raise ValueError(f"likelihood must be one of {LIKELIHOODS}, got {likelihood!r}.")
    if scale is not None and (likelihood == "bernoulli" or not scale > 0):
        raise ValueError(
            "scale must be None or a positive number, and None for the Bernoulli likelihood; "
            f"got scale={scale!r} with likelihood={likelihood!r}."
        )


def image_log_likelihood(likelihood, x, parameters, log_scale=None):
    """log p(x|z) in nats.

    Args:
        likelihood: one of `LIKELIHOODS`.
        x: images (..., h, w, c) in [-1, 1].
        parameters: the decoder's output for z, (..., h, w, c).
        log_scale: scalar, log of the scale of a likelihood that has one.

    Returns:
        A tensor of the shape before (h, w, c).
    """
    if likelihood == "bernoulli":
        pixels = losses.bernoulli_log_likelihood(0.5 * (x + 1.0), parameters)
    else:
        pixels = _SCALED[likelihood](x, parameters, log_scale)
    return ops.sum(pixels, axis=(-3, -2, -1))


def mean_image(likelihood, parameters):
    """The mean (for a scaled likelihood the centre, clipped) as an image in [-1, 1]."""
    if likelihood == "bernoulli":
        return 2.0 * ops.sigmoid(parameters) - 1.0
    return ops.clip(parameters, -1.0, 1.0)
