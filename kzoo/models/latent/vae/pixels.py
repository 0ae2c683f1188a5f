"""The choices of p(x|z): a VAE's distributions of pixels."""

import math

import numpy as np
from keras import ops

from kzoo import losses
from kzoo.checks import check_name
from kzoo.distributions.likelihoods import mixture_parameters, shifted_mean

_SCALED = {
    "gaussian": losses.gaussian_log_likelihood,
    "discretized_logistic": losses.discretized_logistic_log_likelihood,
}
MIXTURE = "discretized_logistic_mixture"
LIKELIHOODS = ("bernoulli", *_SCALED, MIXTURE)


def check_likelihood(likelihood, scale):
    """`ValueError` unless the likelihood exists and has a scale if one is given."""
    check_name("likelihood", likelihood, LIKELIHOODS)
    if scale is not None and (likelihood not in _SCALED or not scale > 0):
        raise ValueError(
            "scale must be None or a positive number, and None for the Bernoulli likelihood and "
            f"the mixture; got scale={scale!r} with likelihood={likelihood!r}."
        )


def likelihood_problem(likelihood, scale, images):
    """A sentence on what values of images do not fit the likelihood, or `None`.

    Args:
        likelihood, scale: as in `kzoo.VAE`.
        images: NumPy array (n, h, w, c), uint8 or floats in [-1, 1].
    """
    if images.dtype == np.uint8:
        binary, grid = bool(np.isin(images, (0, 255)).all()), True
    else:
        binary = bool(np.isin(images, (-1.0, 1.0)).all())
        levels = (images + 1.0) * 127.5
        grid = bool(np.abs(levels - np.round(levels)).max() < 0.05)
    if likelihood == "bernoulli" and not binary:
        return (
            "the likelihood is 'bernoulli' and the images have grey values, which are taken as "
            "probabilities of white: the losses are cross-entropies, whose smallest value is not "
            "0, and not likelihoods. Binarize the images (kzoo.datasets.load(..., "
            "binarize='dynamic')) or take 'discretized_logistic'."
        )
    if likelihood == "gaussian" and scale is None and binary:
        return (
            "the likelihood is 'gaussian' with a learned scale and the images are black and "
            "white: the density grows without bound as the scale shrinks. Take 'bernoulli', or "
            "give a scale."
        )
    if likelihood.startswith("discretized") and not grid:
        return (
            f"the likelihood is {likelihood!r}, of 256 grey levels, and the float images have "
            "values between them: the losses are no probabilities. Give uint8 images."
        )
    return None


class PixelLikelihood:
    """p(x|z) of a model with `likelihood` and `scale`, a mixin before `GenerativeModel`."""

    num_mixtures = None

    def build_scale(self):
        """Makes `log_scale`: a number, a weight where the scale is learned, `None` where none is.

        All pixels share the scale.
        """
        self.log_scale = None if self.scale is None else math.log(self.scale)
        if self.scale is None and self.likelihood in _SCALED:
            self.log_scale = self.add_weight(shape=(), initializer="zeros", name="log_scale")

    def conditional_log_likelihood(self, x, parameters):
        """log p(x|z) in nats, (...).

        Args:
            x: images (..., h, w, c) in [-1, 1].
            parameters: the decoder's output for z, (..., h, w, numbers per pixel).
        """
        if self.likelihood == MIXTURE:
            mixture = mixture_parameters(parameters, x.shape[-1], self.num_mixtures)
            pixels = losses.discretized_logistic_mixture_log_likelihood(x, *mixture)
            return ops.sum(pixels, axis=(-2, -1))
        if self.likelihood == "bernoulli":
            pixels = losses.bernoulli_log_likelihood(0.5 * (x + 1.0), parameters)
        else:
            pixels = _SCALED[self.likelihood](x, parameters, self.log_scale)
        return ops.sum(pixels, axis=(-3, -2, -1))

    def mean_pixels(self, parameters):
        """The mean of p(x|z) as images in [-1, 1], from the decoder's output for z.

        Of logistic distributions it is the mean of the centres, clipped.
        """
        if self.likelihood == "bernoulli":
            return 2.0 * ops.sigmoid(parameters) - 1.0
        if self.likelihood == MIXTURE:
            channels = self.image_shape[-1]
            logits, means, _, coefficients = mixture_parameters(
                parameters, channels, self.num_mixtures
            )
            centres = []  # of each channel, (..., k)
            for channel in range(channels):
                mean = shifted_mean(channel, centres, means, coefficients)
                centres.append(ops.clip(mean, -1.0, 1.0))
            weights = ops.softmax(logits)[..., None, :]
            parameters = ops.sum(weights * ops.stack(centres, axis=-2), axis=-1)
        return ops.clip(parameters, -1.0, 1.0)

    def data_problems(self, images):
        found = super().data_problems(images)
        problem = None if found else likelihood_problem(self.likelihood, self.scale, images)
        return found if problem is None else [problem]

    @classmethod
    def arguments_for(cls, image_shape, batch_size=None):
        """28x28 grey images are taken for digits of black and white pixels."""
        likelihood = "bernoulli" if tuple(image_shape) == (28, 28, 1) else "discretized_logistic"
        return {**super().arguments_for(image_shape, batch_size), "likelihood": likelihood}

    @property
    def is_binary(self):
        return self.likelihood == "bernoulli"
