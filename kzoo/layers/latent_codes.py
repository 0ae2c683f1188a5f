"""A categorical latent made of Gaussian ones."""

import itertools

import keras
import numpy as np
from keras import ops

from kzoo import backend
from kzoo.checks import as_number, check_int, check_number
from kzoo.configs import Configured


@keras.saving.register_keras_serializable(package="kzoo")
class LatentCodes(Configured, keras.layers.Layer):
    """Replaces the first `codes` latents by a one-hot vector: which of them is the largest.

    For z ~ N(0, I) the category is uniform over its values and independent of the other latents.
    A generator behind this layer thus draws from a mixture of `codes` parts, and still takes
    Gaussian noise. Without the layer, a continuous generator maps a connected latent space to
    connected images, and so draws images between two classes; the parts of a mixture can lie apart
    (Ben-Yosef, Weinshall 2018, "Gaussian mixture generative adversarial networks for diverse
    datasets, and the unsupervised clustering of images", arXiv:1808.10356; Khayatkhoei et al. 2018,
    "Disconnected manifold learning for generative adversarial networks", arXiv:1806.00880). The
    layer uses no labels.

    Args:
        codes: int, the number of categories, at least 2 and at most the number of latents.
        probabilities: `codes` positive numbers that sum to 1: how often each category is to occur.
            The category then depends on the first latent alone, through its normal distribution
            function. `None`: equally often.
        scale: length of the one-hot vector; a typical z of d numbers has length sqrt(d). If the
            vector is much shorter than z, a generator may learn to ignore it; if it is much
            longer, to ignore z.

    Input shape: `(batch, latent_dim)`.
    Output shape: `(batch, latent_dim)`.

    Raises:
        ValueError: if `codes` is not an int from 2 to the number of latents, `probabilities` are
            not as described, or `scale` is not positive.
    """

    def __init__(self, codes, probabilities=None, scale=3.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})  # no ties from rounded latents
        self.codes = codes = check_int("codes", codes, 2, "an int of at least 2")
        self.scale = check_number("scale", scale, lambda x: 0 < x < float("inf"), "positive")
        if probabilities is not None:
            probabilities = [as_number(p) for p in np.atleast_1d(probabilities)]
            if len(probabilities) != codes or not all(p > 0 for p in probabilities):
                raise ValueError(
                    f"probabilities must be codes={codes} positive numbers, got {probabilities!r}."
                )
            if abs(sum(probabilities) - 1.0) > 1e-3:
                raise ValueError(f"probabilities must sum to 1, got {sum(probabilities)!r}.")
        self.probabilities = probabilities

    def build(self, input_shape):
        if input_shape[-1] < self.codes:
            raise ValueError(
                f"codes={self.codes} needs as many latents, got latent_dim={input_shape[-1]}."
            )

    def call(self, latents):
        one_hot = ops.one_hot(self.labels(latents), self.codes, dtype=latents.dtype)
        return ops.concatenate([self.scale * one_hot, latents[:, self.codes :]], axis=-1)

    def labels(self, latents):
        """The categories of latents (b, latent_dim), ints (b,) from 0 to `codes` - 1."""
        if self.probabilities is None:
            return backend.argmax(latents[:, : self.codes])
        uniform = 0.5 * (1.0 + ops.erf(latents[:, :1] / 2**0.5))  # (b, 1) in [0, 1]
        bounds = list(itertools.accumulate(self.probabilities[:-1]))  # codes - 1 of them
        above = uniform > ops.convert_to_tensor(bounds, uniform.dtype)
        return ops.sum(ops.cast(above, "int32"), axis=-1)
