"""Theorem 2.1 of arXiv:1801.06309 on densities that are known exactly.

With D = log(p* / p_t), the step x + eta s(D(x)) grad D(x) lowers KL(p* || p_t) by
eta E_{p*}[s |grad D|^2], up to terms of order eta^2. "Images" are points of the plane or the line.
"""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo

# Means and covariances of p* and p_0.
GAUSSIANS = {
    "line": (([1.0], [[0.64]]), ([-0.5], [[2.25]])),
    "plane": (([0.5, -1.0], [[1.0, 0.6], [0.6, 0.8]]), ([-0.5, 0.0], [[1.5, -0.4], [-0.4, 1.7]])),
}
# Weights, means and standard deviations of p* and p_0.
MIXTURES = {
    "one to two modes": (([0.3, 0.7], [-1.2, 1.0], [0.6, 0.5]), ([1.0], [0.2], [1.1])),
    "two to two modes": (
        ([0.5, 0.5], [-1.0, 1.5], [0.7, 0.6]),
        ([0.8, 0.2], [-0.8, 1.0], [0.8, 1]),
    ),
}
GRID = np.linspace(-6.0, 6.0, 1201)

each_pair = pytest.mark.parametrize("pair", GAUSSIANS.values(), ids=GAUSSIANS)


def numpy(x):
    return ops.convert_to_numpy(x).astype("float64")


class Quadratic(keras.layers.Layer):
    """D(x) = 1/2 <x, A x> + <b, x> of points (b, 1, n, 1): log p* - log p_t of Gaussians."""

    def build(self, input_shape):
        n = input_shape[2]
        self.curvature = self.add_weight(shape=(n, n), initializer="zeros")
        self.slope = self.add_weight(shape=(n, 1), initializer="zeros")

    def call(self, x):
        x = ops.reshape(x, (-1, x.shape[2]))
        value = 0.5 * ops.sum(ops.matmul(x, self.curvature) * x, axis=-1, keepdims=True)
        return value + ops.matmul(x, self.slope)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 1)


class LogRatio(keras.layers.Layer):
    """D(x) = log p*(x) - log p_0(x) of points (b, 1, 1, 1) of the line, for two mixtures."""

    def __init__(self, target, start):
        super().__init__()
        self.mixtures = target, start

    def call(self, x):
        target, start = (self.log_density(mixture, x[:, 0, 0]) for mixture in self.mixtures)
        return target - start

    def log_density(self, mixture, x):
        parts = [w / s * ops.exp(-0.5 * ops.square((x - m) / s)) for w, m, s in zip(*mixture)]
        return ops.log(sum(parts))  # the same factor in every density is left out

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 1)


def log_density(mixture, x):
    """log sum_k w_k N(x; m_k, s_k^2) at points x (n,), in float64."""
    weights, means, stddevs = (np.array(part)[:, None] for part in mixture)
    parts = weights / stddevs * np.exp(-0.5 * ((x - means) / stddevs) ** 2)
    return np.log(parts.sum(0) / np.sqrt(2 * np.pi))


def new_model(discriminator, start, eta, num_steps=1, **kwargs):
    """A CFGGAN whose approximator's images are distributed as N(mean, covariance) exactly."""
    mean, covariance = (np.array(part) for part in start)
    n = len(mean)
    discriminator = keras.Sequential(discriminator)
    discriminator.build((None, 1, n, 1))
    approximator = keras.Sequential([keras.layers.Dense(n), keras.layers.Reshape((1, n, 1))])
    approximator.build((None, n))
    approximator.set_weights([np.linalg.cholesky(covariance).T, mean])
    model = kzoo.CFGGAN(
        (1, n, 1),
        n,
        num_steps=num_steps,
        step_size=eta,
        warm_start=True,
        discriminator=discriminator,
        approximator=approximator,
        **kwargs,
    )
    model.compile(keras.optimizers.Adam(0.03), None)
    return model


def log_ratio(target, current):
    """(A, b) of D = log p* - log p_t, up to a constant, of two Gaussians."""
    (target_mean, target_covariance), (mean, covariance) = target, current
    target_precision, precision = np.linalg.inv(target_covariance), np.linalg.inv(covariance)
    return precision - target_precision, target_precision @ target_mean - precision @ mean


def set_exact(model, target, current):
    curvature, slope = log_ratio(target, current)
    model.discriminator.layers[0].set_weights([curvature, slope[:, None]])


def kl(target, current):
    """KL(p* || p_t) of two Gaussians, in nats."""
    (target_mean, target_covariance), (mean, covariance) = target, current
    distance = np.subtract(mean, target_mean)
    return 0.5 * (
        np.trace(np.linalg.solve(covariance, target_covariance))
        + distance @ np.linalg.solve(covariance, distance)
        - len(mean)
        + np.linalg.slogdet(covariance)[1]
        - np.linalg.slogdet(target_covariance)[1]
    )


def fall_rate(target, current):
    """E_{p*} |grad D|^2, grad D = A x + b."""
    curvature, slope = log_ratio(target, current)
    mean, covariance = target
    gradient_of_mean = curvature @ mean + slope
    return gradient_of_mean @ gradient_of_mean + np.trace(curvature @ covariance @ curvature)


def moved(function, current):
    """The Gaussian to which an affine function of points takes a Gaussian; reads the function."""
    mean, covariance = current
    n = len(mean)
    points = np.concatenate([np.zeros((1, n)), np.eye(n)])
    images = numpy(function(points.reshape(-1, 1, n, 1).astype("float32"))).reshape(-1, n)
    matrix = (images[1:] - images[0]).T
    return matrix @ mean + images[0], matrix @ covariance @ matrix.T


def closed_form(target, current, eta):
    """p_{t+1} from p_t, both Gaussian."""
    curvature, slope = log_ratio(target, current)
    matrix = np.eye(len(slope)) + eta * curvature
    mean, covariance = current
    return matrix @ mean + eta * slope, matrix @ covariance @ matrix.T


def assert_second_order(residuals):
    """Halving eta divides a residual of order eta^2 by 4, one of order eta by 2."""
    ratios = np.divide(residuals[:-1], residuals[1:])
    assert (np.abs(ratios - 4) < 0.5).all() and abs(ratios[-1] - 4) < 0.25, ratios


@each_pair
def test_kl_falls_in_every_step_by_eta_times_the_mean_squared_gradient(pair):
    target, current = pair
    eta = 0.02
    model = new_model([Quadratic()], current, eta)
    falls, predicted = [], []
    for _ in range(80):
        set_exact(model, target, current)
        after = moved(model.functional_gradient_step, current)
        for got, expected in zip(after, closed_form(target, current, eta)):
            np.testing.assert_allclose(got, expected, atol=1e-5)
        falls.append(kl(target, current) - kl(target, after))
        predicted.append(eta * fall_rate(target, current))
        current = after
    assert min(falls) > 0
    np.testing.assert_allclose(falls, predicted, rtol=0.05)
    assert kl(target, current) < 0.02 * kl(*pair)  # all the way, not a small part of it


@each_pair
def test_the_theorem_holds_to_first_order_for_gaussians(pair):
    residuals = []
    for eta in (0.04, 0.02, 0.01):
        model = new_model([Quadratic()], pair[1], eta)
        set_exact(model, *pair)
        fall = kl(*pair) - kl(pair[0], moved(model.functional_gradient_step, pair[1]))
        residuals.append(fall - eta * fall_rate(*pair))
    assert_second_order(residuals)


@each_pair
def test_grown_generator_draws_from_the_closed_forms_densities(pair):
    """G_t = t stored discriminators after the approximator, t = 0 .. T: N(0, I) becomes p_t."""
    target, current = pair
    eta, n, num_steps = 0.1, len(pair[0][0]), 12
    model = new_model([Quadratic()], current, eta, num_steps)
    expected = [current]
    for t in range(num_steps):
        set_exact(model, target, expected[t])
        model.store_snapshot(ops.convert_to_tensor(t, "int32"))
        expected.append(closed_form(target, expected[t], eta))
    for t in (0, 1, num_steps):
        grown = moved(
            lambda z, t=t: model.transform_noise(z.reshape(-1, n), steps=t),
            (np.zeros(n), np.eye(n)),
        )
        for got, wanted in zip(grown, expected[t]):
            np.testing.assert_allclose(got, wanted, atol=1e-4)
    assert kl(target, expected[-1]) < 0.1 * kl(*pair)


@pytest.mark.parametrize("scaling", ["constant", "minimax", "non_saturating"])
@pytest.mark.parametrize("pair", MIXTURES.values(), ids=MIXTURES)
def test_the_theorem_holds_to_first_order_for_mixtures(pair, scaling):
    """p_1 by change of variables: p_1(F(x)) = p_0(x) / F'(x), F the step, as the model takes it."""
    log_target, log_start = (log_density(mixture, GRID) for mixture in pair)
    gradient = np.gradient(log_target - log_start, GRID, edge_order=2)
    sigmoid = 1 / (1 + np.exp(log_start - log_target))
    scale = {"constant": 1.0, "minimax": sigmoid, "non_saturating": 1 - sigmoid}[scaling]
    kl_before = np.trapezoid(np.exp(log_target) * (log_target - log_start), GRID)
    rate = np.trapezoid(np.exp(log_target) * scale * gradient**2, GRID)

    residuals = []
    for eta in (0.04, 0.02, 0.01):
        model = new_model([LogRatio(*pair)], ([0.0], [[1.0]]), eta, scaling=scaling)
        points = GRID.reshape(-1, 1, 1, 1).astype("float32")
        step = numpy(model.functional_gradient_step(points)).ravel() - GRID
        np.testing.assert_allclose(step, eta * scale * gradient, atol=eta * 2e-3 + 1e-6)
        slope = 1 + np.gradient(step, GRID)
        assert slope.min() > 0  # F is monotone: no two points meet
        # KL(p* || p_1) = int p*(y) (log p*(y) - log p_1(y)) dy with y = F(x).
        log_target_there = log_density(pair[0], GRID + step)
        integrand = np.exp(log_target_there) * (log_target_there - log_start + np.log(slope))
        fall = kl_before - np.trapezoid(integrand * slope, GRID)
        assert 0 < fall < kl_before
        residuals.append(fall - eta * rate)
    assert_second_order(residuals)


def test_nothing_moves_at_the_fixed_point():
    """p_t = p*: the exact D is constant. It is not when one of two modes is a bit heavier."""
    points = np.random.RandomState(0).normal(size=(64, 1, 1, 1)).astype("float32")
    weights, means, stddevs = MIXTURES["two to two modes"][0]
    heavier = [0.52, 0.48], means, stddevs
    for other, unmoved in (((weights, means, stddevs), True), (heavier, False)):
        layer = LogRatio((weights, means, stddevs), other)
        model = new_model([layer], ([0.0], [[1.0]]), eta=0.5)
        step = numpy(model.functional_gradient_step(points)) - points
        assert (np.abs(step).max() < 1e-6) == unmoved


def samples(gaussian, shape, seed):
    mean, covariance = gaussian
    points = np.random.RandomState(seed).multivariate_normal(mean, covariance, shape)
    return points.reshape(*shape, 1, len(mean), 1).astype("float32")


def learning_model(pair, eta, num_steps=1, updates=1):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Flatten(), keras.layers.Dense(32, "gelu"), keras.layers.Dense(1)]
    arguments = {"discriminator_steps": updates, "pool_size": 1024, "batch_size": 256}
    return new_model(layers, pair[1], eta, num_steps, **arguments)


def mean_squared_gradient(model, points):
    """E |grad D|^2, from the step that it makes."""
    step = numpy(model.functional_gradient_step(points)) - points
    return np.mean(np.sum(np.square(step / model.step_size), axis=(1, 2, 3)))


@each_pair
def test_a_learned_discriminator_takes_the_pool_to_the_data(pair):
    """KL(p* || Gaussian with the pool's moments), which the log-ratio's curvature needs too."""
    target, start = pair
    model = learning_model(pair, eta=0.15, num_steps=20, updates=10)
    n = len(target[0])
    pool = model.approximate(np.random.RandomState(2).normal(size=(1024, n)).astype("float32"))
    real = samples(target, (200, 256), seed=3)
    grown = model.grow(ops.convert_to_tensor(real), pool)[0]

    def moments(images):
        points = numpy(images).reshape(-1, n)
        return points.mean(0), np.cov(points.T).reshape(n, n)

    np.testing.assert_allclose(kl(target, moments(pool)), kl(target, start), rtol=0.15)
    assert kl(target, moments(grown)) < 0.1 * kl(target, moments(pool))


@each_pair
def test_a_learned_discriminator_has_no_gradient_at_the_fixed_point(pair):
    """... after as many updates as give it the exact gradient's size away from there."""
    target, start = pair
    sizes = {}
    for name, generated in (("at", target), ("away", start)):
        model = learning_model(pair, eta=1.0)
        real, fake = samples(target, (200, 256), seed=4), samples(generated, (200, 256), seed=5)
        for pair_of_batches in zip(real, fake):
            model.discriminator_step(*map(ops.convert_to_tensor, pair_of_batches))
        sizes[name] = mean_squared_gradient(model, samples(target, (2000,), seed=6))
    np.testing.assert_allclose(sizes["away"], fall_rate(*pair), rtol=0.35)
    assert sizes["at"] < 0.03 * sizes["away"]
