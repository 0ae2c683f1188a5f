"""Do the values of the images fit the likelihood?"""

import numpy as np


def likelihood_problem(likelihood, scale, images):
    """A sentence on what does not fit, or `None`.

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
