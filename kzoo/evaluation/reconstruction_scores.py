"""How well models reconstruct test images."""

import keras
import numpy as np

from kzoo.batching import in_batches
from kzoo.evaluation.capabilities import can
from kzoo.evaluation.scores import Score
from kzoo.images import to_float

BATCH = 500  # images encoded at once


def reconstruction_scores(model, images):
    """How well an autoencoder reconstructs test images, none of them corrupted.

    Args:
        model: a model with `reconstruct`, such as a `kzoo.Autoencoder`.

    Returns:
        `reconstruction`, the loss that the model reports, per image, if it has
        `reconstruction_error`; and `mse`, the mean squared error of a pixel in units of [0, 1],
        comparable between losses.
    """
    scores = []
    if can(model, "encode", "pixel_parameters", "reconstruction_error"):

        def errors(batch):
            parameters = model.pixel_parameters(model.encode(batch))
            return model.reconstruction_error(to_float(batch), parameters)

        unit, what = {
            "l2": ("", "squared error in units of [-1, 1], summed over an image"),
            "cross_entropy": ("nats", "cross-entropy, summed over an image"),
        }[model.reconstruction_loss]
        scores.append(Score("reconstruction", _mean(errors, images), unit, what))

    def squares(batch):
        difference = model.reconstruct(batch) - keras.ops.convert_to_numpy(to_float(batch))
        return np.mean((difference / 2.0) ** 2, axis=(1, 2, 3))

    what = "mean over pixels, in units of [0, 1]"
    return [*scores, Score("mse", _mean(squares, images), "", what)]


def _mean(function, images):
    """The mean of what a function of a batch gives for each image."""
    return float(in_batches(function, BATCH, images, fill=False).mean(dtype="float64"))


def discrete_code_scores(model, images, labels=None):
    """How well a `kzoo.VQVAE` reconstructs test images, and how likely their codes are.

    The model has a prior; labels are for a class-conditional one.
    """
    codes = model.encode_to_codes(images)
    error = model.decode_codes(codes) / 255.0 - images / 255.0
    uses = np.bincount(codes.ravel(), minlength=model.num_codes)
    frequencies = uses[uses > 0] / codes.size
    perplexity = np.exp(-np.sum(frequencies * np.log(frequencies)))
    log_prior = model.prior.log_likelihood(model.prior_images(images), labels)
    bits = -float(np.mean(log_prior, dtype="float64")) / np.log(2.0)
    return [
        Score("reconstruction_mse", float(np.mean(np.square(error))), "", "values in [0, 1]"),
        Score("codes_in_use", float(perplexity), "", f"perplexity, of {model.num_codes} codes"),
        Score("prior_bits", bits, "bits/image", "exact, of the codes under the prior"),
    ]
