"""
Title: Why composite functional gradients work: KL divergence step by step
Author: kzoo authors
Date created: 2026/11/22
Last modified: 2026/11/22
Description: Check the theorem behind CFG-GAN on densities that are known exactly.
Accelerator: None
"""

"""
## Introduction

Composite functional gradient learning (CFG) moves generated images a little way
along the gradient of a discriminator, trains the discriminator again, and takes
the next step: `x <- x + step_size * grad D(x)`. Why does that bring them closer
to the data? Write `p_data` and `p` for the two densities, and let `D` be the best
discriminator there can be for the logistic loss, `log(p_data(x) / p(x))`. The
points move with the velocity `grad D`, and `p` changes as the density of a fluid
does, `dp/dt = -div(p grad D)`. Insert this into the derivative of the
Kullback-Leibler divergence, and integrate by parts:

```
KL(p_data || p) = average over the data of log(p_data(x) / p(x))
d KL / dt       = - average over the data of |grad D(x)|^2
```

This is Theorem 2.1 of Johnson and Zhang; time is the sum of the step sizes. It
neglects terms of second order in the step size, and assumes the best discriminator.
We check it on "images" of one pixel with exact discriminators, and on those of two
pixels with learned ones.

Reference:

- Johnson and Zhang, 2018: Composite Functional Gradient Learning of Generative
  Adversarial Models, [arXiv:1801.06309](https://arxiv.org/abs/1801.06309)

## Setup

You can install kzoo via the following command, in a checkout of kzoo:
`pip install -e ".[jax]"`, or with `tensorflow` or `torch` in place of `jax`. The
environment variable `KERAS_BACKEND` chooses one.

A full run takes about a minute on one core of a CPU, with TensorFlow.
"""

import pathlib

import keras
import kzoo
import matplotlib.pyplot as plt
import numpy as np

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)

STEP_SIZES = (0.01, 0.005)  # On the line.
TIME = 5.0  # Sum of the step sizes.
SHOWN = (0.0, 0.2, 1.0, 5.0)  # Times at which we look at the densities.
NUM_NODES = 101
NUM_STEPS = 50  # T, functional gradient steps in the plane.
DISCRIMINATOR_STEPS = (5, 40)  # U, updates of the discriminator before each of them.
STEP_SIZE = 0.001
BATCH_SIZE = 256
UNITS = 256
NUM_SAMPLES = 5000  # New latents, to measure with.
GROWTH = (0, 5, 10, 20, 50)  # Steps at which we look at them.
FOLDER = "cfg_theory"  # Where the pictures go.

pathlib.Path(FOLDER).mkdir(exist_ok=True)

"""
## Exact discriminators on the line

A monotone map `y = F(x)` transforms a density: `p_new(F(x)) = p(x) / F'(x)`. We put
nodes on the line, let them take the steps, and keep the logarithm of the density at
every node. A discriminator only has to know the log-ratio at the nodes and its slope
there. The layer below draws parabolas from node to node.
"""


class LogRatio(keras.layers.Layer):
    def build(self, input_shape):
        self.nodes, self.values, self.slopes = (
            self.add_weight(shape=(NUM_NODES,), initializer="zeros") for _ in range(3)
        )

    def call(self, x):
        x = keras.ops.reshape(x, (-1, 1))
        right = keras.ops.searchsorted(self.nodes, x[:, 0])[:, None]
        right = keras.ops.clip(right, 1, NUM_NODES - 1)
        x0, x1 = (keras.ops.take(self.nodes, i) for i in (right - 1, right))
        s0, s1 = (keras.ops.take(self.slopes, i) for i in (right - 1, right))
        bend = (s1 - s0) / (x1 - x0)
        x = x - x0
        return keras.ops.take(self.values, right - 1) + s0 * x + bend * x**2 / 2


"""
`kzoo.CFGGAN` takes any Keras model as its discriminator. Before every step, the
function below notes the divergence and the average of `|grad D|^2`, two integrals.
"""


def log_mixture(x, weights, means, stddevs):
    x = (x[:, None] - np.array(means)) / np.array(stddevs)
    parts = np.log(weights) - np.log(stddevs) - 0.5 * x**2
    return np.logaddexp.reduce(parts, axis=1) - 0.5 * np.log(2 * np.pi)


def grow(start, data, step_size):
    discriminator = keras.Sequential([keras.Input((1, 1, 1)), LogRatio()])
    unused = keras.Sequential([keras.Input((1,)), keras.layers.Reshape((1, 1, 1))])
    networks = {"discriminator": discriminator, "approximator": unused}
    model = kzoo.CFGGAN((1, 1, 1), latent_dim=1, step_size=step_size, **networks)
    nodes = np.linspace(-7.0, 7.0, NUM_NODES)
    log_p = log_mixture(nodes, *start)
    densities, measured, rates = [], [], []
    for _ in range(round(TIME / step_size) + 1):
        log_data = log_mixture(nodes, *data)
        slopes = np.gradient(log_data - log_p, nodes)
        densities.append((nodes, np.exp(log_p)))
        measured.append(np.trapezoid(np.exp(log_data) * (log_data - log_p), nodes))
        rates.append(np.trapezoid(np.exp(log_data) * slopes**2, nodes))

        discriminator.set_weights([nodes, log_data - log_p, slopes])
        images = nodes.reshape(-1, 1, 1, 1).astype("float32")
        moved = model.functional_gradient_step(images)
        moved = keras.ops.convert_to_numpy(moved).ravel().astype("float64")
        log_p = log_p - np.log(np.gradient(moved, nodes))
        nodes = moved
    predicted = measured[0] - step_size * np.cumsum([0.0, *rates[:-1]])
    return densities, np.array(measured), predicted


"""
In the first of two cases, the data and the start are normal distributions. In the
second, the data are a mixture of two, and nearly all of the start lies on the
smaller one. Predicted is the divergence at the start, less the sum over the steps
of `step_size * average of |grad D|^2`.
"""

CASES = {  # Weights, means and standard deviations of the start and of the data.
    "normal": (([1], [-0.5], [1.5]), ([1], [1], [0.8])),
    "mixture": (([1], [-1.5], [1.2]), ([0.3, 0.7], [-1.5, 1.5], [0.8, 0.8])),
}
results = {(name, s): grow(*CASES[name], s) for name in CASES for s in STEP_SIZES}
for (name, size), (_, measured, predicted) in results.items():
    print(
        f"{name:8s} step size {size:5.3f}   KL {measured[0]:.4f} -> {measured[-1]:.4f}"
        f"   largest rise in a step {np.diff(measured).max():8.1e}"
        f"   off the theorem by {np.abs(measured - predicted).max():.5f}"
    )

figure, axes = plt.subplots(2, 2, figsize=(10, 7))
for (above, below), (name, (_, data)) in zip(axes.T, CASES.items()):
    densities, measured, predicted = results[name, STEP_SIZES[0]]
    x = np.linspace(-5, 5, 400)
    above.fill_between(x, np.exp(log_mixture(x, *data)), color="0.85")
    for time, color in zip(SHOWN, plt.cm.viridis(np.linspace(0, 0.9, len(SHOWN)))):
        nodes, density = densities[round(time / STEP_SIZES[0])]
        above.plot(nodes, density, color=color, label=f"time {time:g}")
    above.set(title=name, xlim=(-5, 5), xlabel="x", ylabel="density")
    times, every = STEP_SIZES[0] * np.arange(len(measured)), max(1, len(measured) // 20)
    below.plot(times, measured, label="measured")
    below.plot(times[::every], predicted[::every], "o", mfc="none", label="predicted")
    below.set(xlabel="time", ylabel="KL(p_data || p)", ylim=(0, None))
axes[0, 0].legend()
axes[1, 0].legend()
plt.savefig(f"{FOLDER}/line.png", bbox_inches="tight")
plt.show()

"""
The gray areas are the data. The normal density moves over and becomes narrower. In
the mixture, mass has to cross the valley between the modes. It does, but slowly:
once each mode has its shape, the log-ratio has a slope only in the valley.

The divergence falls in every step. It differs from the prediction by at most half a
percent of its value at the start. With the normal densities, half the step size
halves the difference, as it should: half a step has a quarter of the error, and
there are twice as many steps. With the mixture, the distance between the nodes adds
an error.

How long may a step be? Near normal data of variance `v`, it multiplies the error of
the mean by `1 - step_size / v` and that of the standard deviation by
`1 - 2 * step_size / v`. So it has to stay below `v`, for the finest detail in the data.

## A learned discriminator in the plane

Eight clusters on a circle are a classic test: a GAN easily leaves out some of them.
The step size is a fifth of their variance, which is 0.0049.
"""

angles = 2 * np.pi * np.arange(8) / 8
CENTERS = 0.7 * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def draw_data(count):
    points = random.choice(CENTERS, count) + 0.07 * random.normal(size=(count, 2))
    return np.clip(points, -1, 1).astype("float32").reshape(count, 1, 2, 1)


"""
With `algorithm="icfg"` (Algorithm 2 of the paper) the generator grows by T steps
from a fixed linear map and keeps a snapshot of each step's discriminator. We train
twice, with few and with many updates before every step. Then new latents follow
the snapshots, and we note the points and, at points of the data, `|grad D|^2`.
"""


def train_and_follow(updates):
    layers = keras.layers
    hidden = [layers.Dense(UNITS, activation="relu") for _ in range(2)]
    linear = layers.Dense(2, kernel_initializer=keras.initializers.Identity(0.35))
    model = kzoo.CFGGAN(
        image_shape=(1, 2, 1),
        latent_dim=2,
        algorithm="icfg",
        num_steps=NUM_STEPS,
        discriminator_steps=updates,
        step_size=STEP_SIZE,
        pool_size=4 * BATCH_SIZE,
        batch_size=BATCH_SIZE,
        warm_start=True,
        discriminator=keras.Sequential([layers.Flatten(), *hidden, layers.Dense(1)]),
        approximator=keras.Sequential([linear, layers.Reshape((1, 2, 1))]),
    )
    model.compile(d_optimizer=keras.optimizers.Adam(5e-3, beta_1=0.5))
    model.fit(draw_data(NUM_STEPS * updates * BATCH_SIZE), verbose=0)

    noise = random.normal(size=(NUM_SAMPLES, 2)).astype("float32")
    samples, rates, data = [model.approximate(noise)], [], draw_data(NUM_SAMPLES)
    for t in range(NUM_STEPS):
        step = keras.ops.convert_to_tensor(t, "int32")
        samples.append(model.snapshot_step(samples[-1], step))
        moved = keras.ops.convert_to_numpy(model.snapshot_step(data, step))
        rates.append(np.mean(np.sum(((moved - data) / STEP_SIZE) ** 2, axis=(1, 2, 3))))
    return [keras.ops.convert_to_numpy(x).reshape(-1, 2) for x in samples], rates


runs = {updates: train_and_follow(updates) for updates in DISCRIMINATOR_STEPS}

samples = runs[DISCRIMINATOR_STEPS[-1]][0]
figure, axes = plt.subplots(1, len(GROWTH), figsize=(3 * len(GROWTH), 3))
for axis, t in zip(axes, GROWTH):
    axis.plot(*samples[t].T, ".", markersize=1)
    axis.plot(*CENTERS.T, "k+")
    axis.set(title=f"t = {t}", xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), xticks=[], yticks=[])
plt.savefig(f"{FOLDER}/samples.png", bbox_inches="tight")
plt.show()

nearest = np.linalg.norm(samples[-1][:, None] - CENTERS, axis=-1).argmin(axis=1)
print(f"points nearest to each center: {np.bincount(nearest, minlength=8)}")

"""
With many updates, most points soon gather around the crosses, and the rest follow.
All eight clusters are there, with about as many points each: this divergence is
large if there are data where no generated points are. To measure it, we compare the
shares of both in the cells of a grid, which can only make it smaller.
"""

cells = [np.linspace(-1.2, 1.2, 25)] * 2
shares = np.histogram2d(*draw_data(40 * NUM_SAMPLES).reshape(-1, 2).T, cells)[0]
shares = shares / shares.sum()


def divergence(points):
    counts = np.histogram2d(*np.clip(points, -1.19, 1.19).T, cells)[0] + 0.1
    return np.sum(shares * np.log(np.maximum(shares, 1e-9) * counts.sum() / counts))


figure, axes = plt.subplots(1, len(runs), figsize=(10, 3.5), sharey=True)
for axis, (updates, (samples, rates)) in zip(axes, runs.items()):
    measured = np.array([divergence(points) for points in samples])
    predicted = measured[0] - STEP_SIZE * np.cumsum([0.0, *rates])
    axis.plot(measured, label="measured")
    axis.plot(predicted, "o", mfc="none", markersize=4, label="predicted")
    axis.set(title=f"{updates} updates per step", xlabel="step t", ylim=(0, None))
    print(
        f"{updates:2d} updates   KL {measured[0]:.3f} -> {measured[-1]:.3f}   fell by "
        f"{measured[0] - measured[-1]:.3f}, predicted {measured[0] - predicted[-1]:.3f}"
    )
axes[0].set_ylabel("KL(p_data || p)")
axes[0].legend()
plt.savefig(f"{FOLDER}/plane.png", bbox_inches="tight")
plt.show()

"""
With many updates the divergence falls nearly to zero, and the theorem accounts for
90 percent of that or more. With few, the discriminator lags behind the points that
it judges. The divergence falls more slowly, and the theorem is further off. That it
falls at all with an inexact `D` has a reason: for any `D`, its derivative is the
average over the data of `- grad D(x) . grad log(p_data(x) / p(x))`, so it is enough
if the gradient of `D` makes an acute angle with the true one on average.
"""

"""
## Conclusion

With the best discriminator, a short functional gradient step lowers the divergence
by the step size times the mean squared gradient. With a learned one it falls too.
The better that is trained, the closer is the theorem. The example `cfggan_mnist.py`
does the same with images, and fits a network of fixed size to the result of the
steps.
"""
