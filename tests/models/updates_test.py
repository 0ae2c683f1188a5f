"""One update of every model, from equal weights and noise, is the same on all backends.

`updates.npz` holds what the updates were on one backend. To write it anew, where a model has
changed: `python -m tests.models.updates_test`.
"""

import pathlib

import keras
import numpy as np
import pytest
from keras import ops

from tests.small_models import MODELS, SHAPE, beside, small

RECORD = pathlib.Path(__file__).with_name("updates.npz")


def numbers(shape):
    """The same numbers in [0, 1) on every backend, for shapes that are known or not."""
    count = 1
    for size in shape:
        count = count * size
    spread = ops.cast(ops.arange(count), "float32") * 0.7548776
    return ops.reshape(spread - ops.floor(spread), shape)


def without_chance(patch):
    """Replaces what Keras draws at random."""
    patch.setattr(
        keras.random,
        "normal",
        lambda shape, mean=0.0, stddev=1.0, dtype=None, seed=None: (
            mean + stddev * 3.46 * (numbers(shape) - 0.5)
        ),
    )
    patch.setattr(
        keras.random,
        "uniform",
        lambda shape, minval=0.0, maxval=1.0, dtype=None, seed=None: (
            minval + (maxval - minval) * numbers(shape)
        ),
    )
    patch.setattr(keras.random, "shuffle", lambda x, axis=0, seed=None: ops.flip(x, axis))
    patch.setattr(
        keras.random,
        "randint",
        lambda shape, minval, maxval, dtype="int32", seed=None: ops.cast(
            numbers(shape) * ops.cast(maxval - minval, "float32"), dtype
        ),
    )


def changes(name, classes, patch):
    """What one update, under `fit` as a user calls it, changes in every weight of a model."""
    model = small(name, num_classes=classes)
    for i, weight in enumerate(model.weights):
        value = ops.convert_to_numpy(weight)
        if value.size and np.ptp(value) > 0:  # drawn at random
            spread = np.prod(value.shape[:-1]) ** -0.5
            drawn = np.random.RandomState(i).normal(0, spread, value.shape)
            weight.assign(drawn.astype("float32"))
    optimizers = [keras.optimizers.SGD(1e-2) for _ in model.default_optimizers()]
    model.compile(*optimizers)
    without_chance(patch)
    count = model.examples_per_step(8)
    rng = np.random.RandomState(1)
    images = np.where(rng.uniform(size=(count, *SHAPE)) < 0.4, 255, 0).astype("uint8")
    _, values = beside(model, count)
    before = [ops.convert_to_numpy(w).astype("float64") for w in model.weights]
    model.fit(images, values, batch_size=8, shuffle=False, verbose=0)
    after = [ops.convert_to_numpy(w).astype("float64") for w in model.weights]
    return np.concatenate([(b - a).ravel() for a, b in zip(before, after, strict=True)])


def key(name, classes):
    return name if classes is None else f"{name}-classes"


@pytest.mark.parametrize("name, classes", MODELS, ids=[key(*m) for m in MODELS])
def test_an_update_is_the_same_on_every_backend(name, classes, monkeypatch):
    with np.load(RECORD) as record:
        expected = record[key(name, classes)]
    got = changes(name, classes, monkeypatch)
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


if __name__ == "__main__":
    record = {}
    for model_and_classes in MODELS:
        with pytest.MonkeyPatch.context() as context:
            record[key(*model_and_classes)] = changes(*model_and_classes, context)
    np.savez_compressed(RECORD, **{k: v.astype("float32") for k, v in record.items()})
