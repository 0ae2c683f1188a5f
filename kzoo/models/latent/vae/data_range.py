"""Do the data fit the likelihood? Warnings before a training that would go astray silently."""

import functools
import warnings

import keras
import numpy as np

from kzoo.datasets.tf_data import on_first_batch
from kzoo.models.batches import images_of

_LOOKED_AT = 256  # images


def check_range(model, data):
    """Warns where the values of the data do not go with the model's likelihood.

    Arrays, `keras.utils.PyDataset`s and `DataLoader`s are looked at at once; a `tf.data.Dataset`
    where its first batch comes by, for to read one in advance costs as much as filling its buffers.
    A generator is not looked at.

    Args:
        model: a model with a `likelihood` and a `scale`, as `kzoo.VAE`.
        data: what `fit` was given.

    Returns:
        The data, to be given to Keras.
    """
    if hasattr(data, "element_spec"):
        known = hasattr(images_of(data.element_spec), "shape")
        if not known:
            return data
        return on_first_batch(
            data,
            functools.partial(_warn, model),
            lambda batch: images_of(batch)[:_LOOKED_AT],
        )
    images = _some_images(images_of(data))
    if images is not None:
        _warn(model, images)
    return data


def _warn(model, images):
    if images.size:
        for problem in problems(model.likelihood, model.scale, images):
            warnings.warn(f"{type(model).__name__}: {problem}", stacklevel=4)


def problems(likelihood, scale, images):
    """Sentences on what does not fit, for images (n, h, w, c), uint8 or floats in [-1, 1]."""
    low, high = float(images.min()), float(images.max())
    if low == high:
        return [f"all pixels of the images looked at have the value {low:g}."]
    if images.dtype == np.uint8:
        if high <= 1:
            return [
                "the uint8 images hold only 0 and 1, which is black and almost black: white is "
                "255. Multiply them by 255."
            ]
        binary = bool(np.isin(images, (0, 255)).all())
        grid = True
    else:
        if low >= 0:
            return [
                f"the float images have values from {low:g} to {high:g}, expected [-1, 1], "
                "black being -1. Images in [0, 1] become so by 2 x - 1; uint8 images are scaled "
                "inside the model."
            ]
        binary = bool(np.isin(images, (-1.0, 1.0)).all())
        levels = (images + 1.0) * 127.5
        grid = bool(np.abs(levels - np.round(levels)).max() < 0.05)
    if likelihood == "bernoulli" and not binary:
        return [
            "the likelihood is 'bernoulli' and the images have grey values, which are taken as "
            "probabilities of white: the losses are cross-entropies, whose smallest value is not "
            "0, and not likelihoods. Binarize the images (kzoo.datasets.load(..., "
            "binarize='dynamic')) or take 'discretized_logistic'."
        ]
    if likelihood == "gaussian" and scale is None and binary:
        return [
            "the likelihood is 'gaussian' with a learned scale and the images are black and "
            "white: the density grows without bound as the scale shrinks. Take 'bernoulli', or "
            "give a scale."
        ]
    if likelihood.startswith("discretized") and not grid:
        return [
            f"the likelihood is {likelihood!r}, of 256 grey levels, and the float images have "
            "values between them: the losses are no probabilities. Give uint8 images."
        ]
    return []


def _some_images(data):
    if isinstance(data, keras.utils.PyDataset):
        data = images_of(data[0])
    elif hasattr(data, "dataset"):  # a DataLoader
        data = images_of(next(iter(data)))
    if not hasattr(data, "shape"):
        return None
    return keras.ops.convert_to_numpy(data[:_LOOKED_AT])
