"""Training against Algorithms 1, 2 and 3 of arXiv:1801.06309 in NumPy (`cfggan_in_numpy`)."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from tests.models.cfggan.cfggan_in_numpy import (
    FRESH,
    LATENT_DIM,
    LATENTS,
    ORDER,
    PIXELS,
    REAL,
    SETTINGS,
    SGD,
    SHAPE,
    STAGES,
    WEIGHTS,
    RMSprop,
    algorithm_1,
    transcription,
)


class GivenLatents(kzoo.CFGGAN):
    def _latents(self, count):
        # More than a pool has are for the updates of the discriminator.
        table = LATENTS if count <= self.pool_size else FRESH.reshape(STAGES, -1, LATENT_DIM)
        table = ops.convert_to_tensor(table, "float32")
        return ops.take(table, self.stage, axis=0)[:count]


def network(name):
    layers = [keras.layers.Dense(5, "tanh"), keras.layers.Dense(len(WEIGHTS[name][3]))]
    if name == "discriminator":
        layers, inputs = [keras.layers.Flatten(), *layers], SHAPE
    else:
        layers, inputs = [*layers, keras.layers.Reshape(SHAPE)], (LATENT_DIM,)
    network = keras.Sequential(layers)
    network.build((None, *inputs))
    network.set_weights(WEIGHTS[name])
    return network


def numpy(x):
    return ops.convert_to_numpy(x).copy()


def training(optimizer, d_rate, g_rate, settings):
    """What `transcription` gives, less the rates, from `fit`."""
    networks = {name: network(name) for name in WEIGHTS}
    model = GivenLatents(SHAPE, LATENT_DIM, warm_start=True, **networks, **settings)
    optimizers = [model.default_optimizer() if optimizer is RMSprop else keras.optimizers.SGD()]
    optimizers.append(type(optimizers[0]).from_config(optimizers[0].get_config()))
    for each, rate in zip(optimizers, (d_rate, g_rate)):
        each.learning_rate = rate
    model.compile(*optimizers)
    for stage in range(STAGES):
        images = REAL[stage, : model.examples_per_step(1)].reshape(-1, *SHAPE).astype("float32")
        data = kzoo.datasets.ArrayDataset(images, batch_size=len(images), shuffle=False)
        start = model.approximate(ops.convert_to_tensor(LATENTS[stage], "float32"))
        history = model.fit(data, verbose=0).history
        assert float(numpy(model.g_optimizer.learning_rate)) == pytest.approx(g_rate)
        pools = [numpy(model.composite(start, t)) for t in range(model.num_steps + 1)]
        yield {
            "pools": np.stack(pools).reshape(len(pools), -1, PIXELS),
            "snapshots": [numpy(snapshot) for snapshot in model.snapshots],
            "approximator": [numpy(w) for w in model.approximator.trainable_variables],
            "losses": {name: history[name][0] for name in model.loss_names},
        }


def compare(monkeypatch, optimizer, d_rate, g_rate, **changes):
    """Both, to 1e-4; returns the transcription's stages."""
    monkeypatch.setattr(keras.random, "shuffle", lambda x, axis=0, seed=None: ops.take(x, ORDER))
    arguments = optimizer, d_rate, g_rate, {**SETTINGS, **changes}
    stages = list(transcription(*arguments))
    for got, expected in zip(training(*arguments), stages, strict=True):
        assert set(got["losses"]) == set(expected["losses"])
        for name, value in got.items():
            keras.tree.map_structure(
                lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4),
                value,
                expected[name],
            )
    return stages


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"batch_size": 12},
        {"discriminator_steps": 1},
        {"fixed_pool": False},
        {"scaling": "minimax"},
        {"scaling": "non_saturating"},
        {"algorithm": "icfg"},
    ],
    ids=[
        "minibatches",
        "full batches",
        "one update",
        "fresh latents",
        "minimax",
        "non-saturating",
        "icfg",
    ],
)
def test_gradient_descent(monkeypatch, changes):
    stages = compare(monkeypatch, SGD, 0.2, 0.05, **changes)
    # The check sees a training: everything moves, and far more than 1e-4.
    for name, first in WEIGHTS.items():
        if name == "approximator" and changes.get("algorithm") == "icfg":
            continue  # stays G_0
        last = stages[-1]["approximator"]
        if name == "discriminator":
            last = [weights[-1] for weights in stages[-1]["snapshots"]]
        assert all(np.abs(w - old).max() > 0.02 for w, old in zip(last, first))
    assert all(np.abs(np.diff(stage["pools"], axis=0)).max() > 0.02 for stage in stages)


@pytest.mark.parametrize("restart", [True, False])
def test_rmsprop(monkeypatch, restart):
    """The discriminator's averages last from stage to stage, the approximator's only if told."""
    compare(monkeypatch, RMSprop, 0.01, 0.02, restart_optimizer=restart)


def test_algorithm_1():
    settings = {**SETTINGS, "discriminator_steps": 5}
    networks = {name: network(name) for name in WEIGHTS}
    model = GivenLatents(
        SHAPE, LATENT_DIM, algorithm="cfg", warm_start=True, **networks, **settings
    )
    model.compile(keras.optimizers.SGD(0.2), keras.optimizers.SGD(0.2))
    for t, expected in enumerate(algorithm_1(0.2, settings)):
        images = REAL[t, : model.examples_per_step(1)].reshape(-1, *SHAPE).astype("float32")
        data = kzoo.datasets.ArrayDataset(images, batch_size=len(images), shuffle=False)
        history = model.fit(data, verbose=0).history
        latents = ops.convert_to_tensor(LATENTS[t][: model.batch_size], "float32")
        pool = numpy(model.composite(model.approximate(latents), t + 1))
        np.testing.assert_allclose(pool.reshape(-1, PIXELS), expected["pool"], atol=1e-4)
        for stored, weights in zip(model.snapshots, expected["discriminator"], strict=True):
            np.testing.assert_allclose(numpy(stored)[t], weights, atol=1e-4)
        for name, value in expected["losses"].items():
            assert history[name][0] == pytest.approx(value, rel=1e-4, abs=1e-4), name
        assert np.abs(expected["discriminator"][0] - WEIGHTS["discriminator"][0]).max() > 0.02
    assert model.stages_done == model.num_steps


@pytest.mark.parametrize(
    ("batch_size", "rate", "cuts"),
    [
        (12, 0.8, [[0, 0, 1, 2, 2, 2, 2], [0, 0, 0, 1, 2, 2, 2], [0, 0, 0, 0, 0, 0, 0]]),
        (4, 0.8, [[0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1]]),
    ],
)
def test_the_learning_rate_is_cut_and_restored(monkeypatch, batch_size, rate, cuts):
    """Steps that overshoot: another rate, an epoch earlier or later, gives other weights."""
    changes = {"batch_size": batch_size, "approximator_epochs": 7}
    stages = compare(monkeypatch, SGD, 0.2, rate, **changes)
    for stage, expected in zip(stages, cuts, strict=True):
        np.testing.assert_allclose(stage["rates"], rate / 10.0 ** np.array(expected))
