"""Training against Algorithms 2 and 3 of arXiv:1801.06309 written down once more, in NumPy.

The networks have one hidden layer, so that their gradients fit on a page. The latents, the images
that a discriminator update draws from the pool and the order of the epochs are given.
"""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo

SHAPE, PIXELS, LATENT_DIM, STAGES = (2, 2, 1), 4, 3, 3
SETTINGS = {
    "num_steps": 3,
    "discriminator_steps": 2,
    "step_size": 0.3,
    "pool_size": 12,
    "batch_size": 4,
    "approximator_epochs": 4,
}
RANDOM = np.random.RandomState(0)
LATENTS = RANDOM.normal(size=(STAGES, SETTINGS["pool_size"], LATENT_DIM))
REAL = np.tanh(RANDOM.normal(0.5, 0.5, (STAGES, 3 * 2 * 12, PIXELS)))  # as many as any case takes
ORDER = RANDOM.permutation(SETTINGS["pool_size"])
WEIGHTS = {
    name: [RANDOM.normal(0, 0.7, shape) for shape in ((inputs, 5), 5, (5, outputs), outputs)]
    for name, inputs, outputs in (
        ("discriminator", PIXELS, 1),
        ("approximator", LATENT_DIM, PIXELS),
    )
}


# The transcription ----------------------------------------------------------------------------


class Network:
    """tanh(x W + b) V + c in float64."""

    def __init__(self, weights):
        self.weights = [w.copy() for w in weights]

    def __call__(self, x):
        w, b, v, c = self.weights
        return np.tanh(x @ w + b) @ v + c

    def gradients(self, x, upstream):
        """Of sum(upstream * f(x)), with respect to the weights and to x."""
        w, b, v, _ = self.weights
        hidden = np.tanh(x @ w + b)
        inner = (upstream @ v.T) * (1 - hidden**2)
        return [x.T @ inner, inner.sum(0), hidden.T @ upstream, upstream.sum(0)], inner @ w.T


class SGD:
    def __init__(self, rate):
        self.rate = rate

    def update(self, weights, gradients):
        for w, g in zip(weights, gradients):
            w -= self.rate * g


class RMSprop(SGD):
    """g / sqrt of the average of g^2, weights rho = .95."""

    averages = None

    def update(self, weights, gradients):
        before = self.averages or [0.0] * len(weights)
        self.averages = [0.95 * a + 0.05 * g**2 for a, g in zip(before, gradients)]
        super().update(weights, [g / np.sqrt(a) for g, a in zip(gradients, self.averages)])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


SCALE = {"constant": np.ones_like, "minimax": sigmoid, "non_saturating": lambda d: sigmoid(-d)}


def step(discriminator, x, settings):
    """x + eta s(D(x)) grad D(x), and the root of the mean of ||s grad D||^2."""
    logits = discriminator(x)
    scale = SCALE[settings.get("scaling", "constant")](logits)
    change = scale * discriminator.gradients(x, np.ones_like(logits))[1]
    return x + settings["step_size"] * change, np.sqrt((change**2).sum(1).mean())


def train_discriminator(discriminator, optimizer, real, fake):
    """One update on the mean of -ln sigmoid(D(x)) - ln(1 - sigmoid(D(G(z))))."""
    d_real, d_fake = discriminator(real), discriminator(fake)
    loss = np.mean(np.log1p(np.exp(-d_real))) + np.mean(np.log1p(np.exp(d_fake)))
    of_real, _ = discriminator.gradients(real, -sigmoid(-d_real) / len(real))
    of_fake, _ = discriminator.gradients(fake, sigmoid(d_fake) / len(fake))
    optimizer.update(discriminator.weights, [r + f for r, f in zip(of_real, of_fake)])
    return {"d_loss": loss, "d_real": d_real.mean(), "d_fake": d_fake.mean()}


def distill(approximator, optimizer, latents, targets, settings):
    """Least squares; returns the last epoch's loss and the rate of every epoch."""
    last, cuts, rates = np.inf, 0, []
    initial_rate, size = optimizer.rate, settings["batch_size"]
    for _ in range(settings["approximator_epochs"]):
        optimizer.rate = initial_rate / 10**cuts
        rates.append(optimizer.rate)
        losses = []
        for rows in ORDER.reshape(-1, size):
            error = approximator(latents[rows]) - targets[rows]
            losses.append(0.5 * (error**2).sum() / size)
            gradients, _ = approximator.gradients(latents[rows], error / size)
            optimizer.update(approximator.weights, gradients)
        loss = np.mean(losses)
        cuts += loss > last and cuts < 3
        last = loss
    return loss, rates


def transcription(optimizer, d_rate, g_rate, settings):
    """Per stage: the pools of t = 0 .. T, D_1 .. D_T, the approximator, losses and rates."""
    discriminator, approximator = (
        Network(WEIGHTS[name]) for name in ("discriminator", "approximator")
    )
    d_optimizer = optimizer(d_rate)
    size, updates = settings["batch_size"], settings["discriminator_steps"]
    for stage in range(STAGES):
        latents = LATENTS[stage]
        real = iter(REAL[stage].reshape(-1, size, PIXELS))
        pools, snapshots = [approximator(latents)], []
        for _ in range(settings["num_steps"]):
            for _ in range(updates):
                # Fresh images are, in these tests, of the pool's first latents.
                fixed = settings.get("fixed_pool", True)
                fake = pools[-1][ORDER[:size]] if fixed else pools[-1][:size]
                losses = train_discriminator(discriminator, d_optimizer, next(real), fake)
            snapshots.append([w.copy() for w in discriminator.weights])
            pool, losses["grad_norm"] = step(discriminator, pools[-1], settings)
            pools.append(pool)
        losses["g_loss"], rates = distill(
            approximator, optimizer(g_rate), latents, pools[-1], settings
        )
        yield {
            "pools": np.stack(pools),
            "snapshots": [np.stack(parts) for parts in zip(*snapshots)],
            "approximator": [w.copy() for w in approximator.weights],
            "losses": losses,
            "rates": rates,
        }


# kzoo -----------------------------------------------------------------------------------------


class GivenLatents(kzoo.CFGGAN):
    def _latents(self, count):
        table = ops.convert_to_tensor(LATENTS, "float32")
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
    ],
    ids=["minibatches", "full batches", "one update", "fresh latents", "minimax", "non-saturating"],
)
def test_gradient_descent(monkeypatch, changes):
    stages = compare(monkeypatch, SGD, 0.2, 0.05, **changes)
    # The check sees a training: everything moves, and far more than 1e-4.
    for name, first in WEIGHTS.items():
        last = stages[-1]["approximator"]
        if name == "discriminator":
            last = [weights[-1] for weights in stages[-1]["snapshots"]]
        assert all(np.abs(w - old).max() > 0.02 for w, old in zip(last, first))
    assert all(np.abs(np.diff(stage["pools"], axis=0)).max() > 0.02 for stage in stages)


def test_rmsprop(monkeypatch):
    """The discriminator's averages last from stage to stage, the approximator's do not."""
    compare(monkeypatch, RMSprop, 0.01, 0.02)


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
