"""PixelCNN++: the network's causality, the mixture, initialization from data, cached sampling."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from kzoo import PixelCNNPlusPlus
from kzoo.losses import discretized_logistic_mixture_log_likelihood

TINY = {"filters": 4, "num_resnets": 1, "num_mixtures": 2, "dropout": 0.0}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def random_images(count, shape, seed=1):
    return np.random.default_rng(seed).integers(256, size=(count, *shape)).astype("uint8")


def random_model(image_shape, **options):
    """A tiny model whose weights are all random."""
    model = PixelCNNPlusPlus(image_shape, **{**TINY, **options})
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        values = rng.normal(size=variable.shape)
        if variable.name == "g":
            values = 0.7 + 0.2 * values
        variable.assign(values * (0.3 if variable.name == "b" else 1.0))
    return model


# The distribution


def test_a_pixel_depends_on_exactly_the_pixels_before_it():
    height, width, channels = shape = (8, 4, 2)
    model = random_model(shape)
    places = list(np.ndindex(height, width))
    base = random_images(1, shape)
    images = np.repeat(base, len(places) + 1, axis=0)
    for i, place in enumerate(places):
        images[(i, *place)] ^= 128
    parameters = numpy(model(images)).reshape(len(images), len(places), -1)
    change = abs(parameters[:-1] - parameters[-1]).max(axis=-1)
    before = np.triu(np.ones_like(change), k=1)  # no blind spot, and no pixel itself
    np.testing.assert_array_equal(change > 1e-6, before)


def test_channels_depend_linearly_on_the_channels_before_them():
    """The mean of channel c moves by its coefficients times the levels before it."""
    model = random_model((4, 4, 3), num_mixtures=1)
    images = random_images(2, (4, 4, 3))
    _, means, log_scales, coefficients = map(numpy, model.mixture(model(images)))
    assert means.shape == log_scales.shape == coefficients.shape == (2, 4, 4, 3, 1)
    assert abs(coefficients).max() < 1.0
    x = images / 127.5 - 1.0
    a, b, c = (coefficients[..., i, 0] for i in range(3))
    shifts = [0.0, a * x[..., 0], b * x[..., 0] + c * x[..., 1]]
    expected = 0.0
    for channel, shift in enumerate(shifts):
        mean = means[..., channel, 0] + shift
        scale = np.exp(np.maximum(log_scales[..., channel, 0], -7.0))
        value = x[..., channel]
        with np.errstate(over="ignore"):
            upper = 1 / (1 + np.exp((mean - value - 1 / 255) / scale))
            lower = 1 / (1 + np.exp((mean - value + 1 / 255) / scale))
        upper = np.where(images[..., channel] == 255, 1.0, upper)
        lower = np.where(images[..., channel] == 0, 0.0, lower)
        expected = expected + np.log(upper - lower)
    log_prob = numpy(model.pixel_log_prob(ops.convert_to_tensor(images)))
    np.testing.assert_allclose(log_prob, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("channels", [1, 2])
def test_the_probabilities_of_a_pixel_sum_to_one(channels):
    model = random_model((4, 4, channels))
    images = random_images(1, (4, 4, channels))
    parameters = numpy(model(images))[:, 1, 2]  # (1, num_outputs)
    values = np.arange(256) * 2 / 255 - 1
    x = np.stack(np.meshgrid(*[values] * channels, indexing="ij"), axis=-1)
    x = x.reshape(1, -1, channels).astype("float32")
    parts = model.mixture(ops.convert_to_tensor(parameters[:, None]))
    log_p = numpy(discretized_logistic_mixture_log_likelihood(ops.convert_to_tensor(x), *parts))
    np.testing.assert_allclose(np.exp(log_p.astype("float64")).sum(), 1.0, rtol=1e-4)
