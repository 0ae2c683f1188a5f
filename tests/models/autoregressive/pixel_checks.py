"""What every pixel model has to pass, and small models to pass it with."""

import itertools
import math

import numpy as np
from keras import ops


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def randomize(model, scale=1.5):
    """Random weights: new models predict the uniform distribution."""
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        fan_in = max(1, math.prod(variable.shape[:-1]))
        variable.assign(rng.normal(size=variable.shape) * scale / fan_in**0.5)
    return model


def random_images(count, model):
    """Images of the grey values that stand for the model's levels."""
    levels = np.random.default_rng(1).integers(model.levels, size=(count, *model.image_shape))
    return model.grey_values()[levels].astype("uint8")


def all_images(model):
    """Every image that the model can draw."""
    values = model.grey_values().astype("uint8")
    pixels = itertools.product(values, repeat=math.prod(model.image_shape))
    return np.array(list(pixels)).reshape((-1, *model.image_shape))


def context_for(count, model):
    """Labels and context of a conditional model, as keyword arguments."""
    rng = np.random.default_rng(4)
    given = {}
    if model.num_classes:
        given["labels"] = rng.integers(model.num_classes, size=count).astype("int32")
    if model.context_features:
        shape = (count, *model.image_shape[:2], model.context_features)
        given["context"] = rng.normal(size=shape).astype("float32")
    return given


def dependence(model):
    """Whether value j of an image changes the distribution of value i: bool [j, i].

    Weights that are positive, and inputs above zero, cannot cancel.
    """
    places = list(np.ndindex(*model.image_shape))
    images = np.zeros((len(places) + 1, *model.image_shape), "uint8")
    for i, place in enumerate(places):
        images[(i, *place)] = 255
    logits = numpy(model(images)).astype("float64")
    logits = logits.reshape(len(places) + 1, len(places), -1)
    return abs(logits[:-1] / logits[-1] - 1.0).max(axis=-1) > 1e-6


def check_sum_of_likelihoods(model, batch_size=256):
    """The probabilities of all images sum to one, and are not all alike."""
    images = all_images(model)
    given = {} if not model.num_classes else {"labels": np.ones(len(images), "int32")}
    log_p = model.log_likelihood(images, batch_size=batch_size, **given).astype("float64")
    np.testing.assert_allclose(np.exp(log_p).sum(), 1.0, rtol=1e-5)
    assert np.exp(log_p).max() > 2 * np.exp(log_p).min()


def check_sampler_sees_the_network(model, atol=1e-5):
    """At every pixel the sampler computes what the network computes on the whole image."""
    images = random_images(3, model)
    given = context_for(3, model)
    expected = numpy(model(images, **given))
    levels = model.to_levels(ops.convert_to_tensor(images))
    condition = model.condition_maps(**given)
    rows = model.initial_rows(3)
    height, width, _ = model.image_shape
    block = model.sampling_block
    for row in range(height):
        of_row = None
        if condition is not None:
            of_row = condition[:, row if condition.shape[1] > 1 else 0]
        place = ops.convert_to_tensor(row, "int32")
        row_cache, pixel_cache = model.start_row(rows, place, of_row, row % block)
        for column in range(width):
            pixel_cache = model.store(model.scale(levels[:, row, column]), pixel_cache, column)
            parameters, pixel_cache = model.step(row_cache, pixel_cache, column, column % block)
            np.testing.assert_allclose(
                numpy(parameters), expected[:, row, column], atol=atol, rtol=atol
            )
        rows = model.end_row(rows, row_cache, pixel_cache)


def check_cached_draws_as_the_network(model, count=3):
    """The same images with caches and by running the network on the whole image."""
    given = context_for(count, model)
    drawn = model.generate(count, seed=0, **given)
    np.testing.assert_array_equal(drawn, model.generate(count, seed=0, cached=False, **given))
    assert len(np.unique(drawn)) > 1
