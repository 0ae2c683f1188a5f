"""The posteriors: log q(z|x), Jacobians, inverses, moments, saving."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from kzoo import posteriors
from kzoo.distributions.posteriors import (
    CouplingFlow,
    DiagonalGaussian,
    FullCovarianceGaussian,
    InverseAutoregressiveFlow,
    PlanarFlow,
    posterior_by_name,
)

DIM = 3
MAKE = {
    "diagonal": DiagonalGaussian,
    "full": FullCovarianceGaussian,
    "planar": lambda: PlanarFlow(steps=3),
    "coupling": lambda: CouplingFlow(steps=3, units=8, context=4),
    "iaf": lambda: InverseAutoregressiveFlow(steps=3, units=12, context=4),
}
each_posterior = pytest.mark.parametrize("name", MAKE)
each_flow = pytest.mark.parametrize("name", ["coupling", "iaf"])


def numpy(x):
    return ops.convert_to_numpy(x)


def tensor(x):
    return ops.convert_to_tensor(np.asarray(x, "float32"))


def made(name, dim=DIM, seed=0, scale=0.4):
    """A posterior with random weights."""
    posterior = MAKE[name]()
    posterior.build((None, dim))
    rng = np.random.default_rng(seed)
    for weight in posterior.weights:
        weight.assign(scale * rng.standard_normal(weight.shape))
    return posterior


def drawn(posterior, batch=2, dim=DIM, draws=4, seed=1):
    """Random parameters (b, p) and noise (s, b, d)."""
    rng = np.random.default_rng(seed)
    parameters = rng.standard_normal((batch, posterior.num_parameters(dim)))
    return tensor(0.7 * parameters), tensor(rng.standard_normal((draws, batch, dim)))


def log_determinants(function, x, step=1e-2):
    """log |det df/dx| (n,) of a function of points x (n, d), by central differences."""
    x = np.asarray(x, "float32")
    columns = []
    for shift in step * np.eye(x.shape[1], dtype="float32"):
        ahead, behind = numpy(function(tensor(x + shift))), numpy(function(tensor(x - shift)))
        columns.append((ahead.astype("float64") - behind) / (2 * step))
    return np.linalg.slogdet(np.stack(columns, axis=-1))[1]


@each_posterior
def test_log_q_is_that_of_the_change_of_variables(name):
    """log q(z) = log N(noise) - log |det dz/dnoise|, the determinant by finite differences."""
    posterior = made(name)
    parameters, noise = drawn(posterior)
    z, log_q = posterior.sample(parameters, noise)
    assert tuple(z.shape) == (4, 2, DIM) and tuple(log_q.shape) == (4, 2)
    for b in range(2):
        points = numpy(noise)[:, b]
        log_det = log_determinants(
            lambda e, one=parameters[b : b + 1]: posterior.sample(one, e[:, None])[0][:, 0], points
        )
        expected = -0.5 * np.sum(points**2 + math.log(2 * math.pi), axis=1) - log_det
        np.testing.assert_allclose(numpy(log_q)[:, b], expected, atol=2e-3)


@each_posterior
def test_leading_axes_change_nothing(name):
    posterior = made(name)
    parameters, noise = drawn(posterior)
    z, log_q = map(numpy, posterior.sample(parameters, noise))
    for s in range(4):
        one_z, one_log_q = map(numpy, posterior.sample(parameters, noise[s]))
        np.testing.assert_allclose(one_z, z[s], atol=1e-5)
        np.testing.assert_allclose(one_log_q, log_q[s], atol=1e-5)


@each_posterior
def test_q_integrates_to_one(name):
    """The mean of N(z; 0, 9 I) / q(z) over z from q is 1."""
    posterior = made(name)
    parameters, _ = drawn(posterior, batch=1)
    noise = tensor(np.random.default_rng(0).standard_normal((40_000, 1, DIM)))
    z, log_q = map(numpy, posterior.sample(parameters, noise))
    scale = 0.6  # lighter tails than q has: the ratio's variance stays small
    centre, spread = z.mean(axis=(0, 1)), scale * z.std(axis=(0, 1))
    log_p = -0.5 * np.sum(
        ((z - centre) / spread) ** 2 + math.log(2 * math.pi) + 2 * np.log(spread), axis=-1
    )
    ratio = np.exp((log_p - log_q).astype("float64"))
    assert abs(ratio.mean() - 1) < 5 * ratio.std() / math.sqrt(len(ratio)) < 0.2


@each_flow
def test_inverse(name):
    posterior = made(name)
    parameters, noise = drawn(posterior)
    h = parameters[:, 2 * DIM :]
    z, _ = posterior.forward(noise, h)
    assert np.abs(numpy(z) - numpy(noise)).max() > 0.1
    np.testing.assert_allclose(numpy(posterior.inverse(z, h)), numpy(noise), atol=1e-5)


@each_flow
def test_log_determinant_of_the_flow(name):
    posterior = made(name)
    parameters, noise = drawn(posterior, batch=1)
    h = ops.repeat(parameters[:, 2 * DIM :], 4, axis=0)
    points = numpy(noise)[:, 0]
    _, log_det = posterior.forward(tensor(points), h)
    expected = log_determinants(lambda z: posterior.forward(z, h)[0], points)
    np.testing.assert_allclose(numpy(log_det), expected, atol=2e-3)


def test_a_step_of_an_autoregressive_network_depends_on_earlier_dimensions_only():
    posterior = made("iaf", dim=4)
    rng = np.random.default_rng(0)
    z, h = rng.standard_normal((1, 4)), tensor(rng.standard_normal((1, 4)))
    before = [numpy(a)[0] for a in posterior.gate(0, tensor(z), h)]
    for i in range(4):
        changed = z.copy()
        changed[0, i] += 1.0
        for old, new in zip(before, posterior.gate(0, tensor(changed), h), strict=True):
            same = np.isclose(old, numpy(new)[0], atol=1e-6)
            np.testing.assert_array_equal(same, np.arange(4) <= i)


def test_planar_flow_stays_invertible():
    """w'u far below -1 would fold the space; the determinant stays positive."""
    planar = PlanarFlow(steps=1)
    w = tensor([[2.0, 1.0]])
    z = tensor(np.random.default_rng(0).standard_normal((500, 1, 2)))
    moved, log_det = planar.transform(z, -3.0 * w, w, tensor([0.0]))
    assert np.isfinite(numpy(log_det)).all()
    assert numpy(log_det).min() < -1  # it does contract
    along = [numpy(ops.sum(a * w, axis=-1))[:, 0] for a in (z, moved)]
    order = np.argsort(along[0])
    assert (np.diff(along[1][order]) > 0).all()  # w'f(z) still rises with w'z


@pytest.mark.parametrize("name", ["diagonal", "full"])
def test_moments_of_gaussians(name):
    posterior = made(name)
    parameters, _ = drawn(posterior)
    noise = tensor(np.random.default_rng(0).standard_normal((100_000, 2, DIM)))
    z = numpy(posterior.sample(parameters, noise)[0])
    mean, variance = map(numpy, posterior.moments(parameters))
    np.testing.assert_allclose(z.mean(axis=0), mean, atol=0.03)
    np.testing.assert_allclose(z.var(axis=0), variance, rtol=0.03)
    np.testing.assert_allclose(numpy(posterior.mean(parameters)), mean, atol=1e-6)


def test_full_covariance_is_the_product_of_its_factors():
    posterior = FullCovarianceGaussian()
    # mean 0; diagonal 1, 2; 3 below it
    parameters = tensor([[0, 0, 0, math.log(2), 3]])
    _, log_diagonal, factor = posterior.split(parameters)
    np.testing.assert_allclose(numpy(factor)[0], [[1, 0], [3, 2]], atol=1e-6)
    noise = np.random.default_rng(0).standard_normal((200_000, 1, 2))
    z = numpy(posterior.sample(parameters, tensor(noise))[0])[:, 0]
    np.testing.assert_allclose(np.cov(z.T), [[1, 3], [3, 13]], rtol=0.02)


@each_flow
def test_new_flows_start_near_their_gaussian(name):
    posterior = MAKE[name]()
    posterior.build((None, DIM))
    z = tensor(np.random.default_rng(0).standard_normal((5, DIM)))
    moved, log_det = posterior.forward(z, ops.zeros((5, 4)))
    factor = 1.0 if name == "coupling" else 1 / (1 + math.exp(-2.0)) ** 3  # the gates' bias
    np.testing.assert_allclose(numpy(log_det), DIM * math.log(factor), atol=0.2)
    if name == "coupling":
        np.testing.assert_allclose(numpy(moved), numpy(z), atol=1e-6)


@each_posterior
def test_serialization(name):
    posterior = made(name)
    config = keras.saving.serialize_keras_object(posterior)
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is type(posterior) and copy.get_config() == posterior.get_config()
    if not copy.built:
        copy.build((None, DIM))
    copy.set_weights(posterior.get_weights())
    given = drawn(posterior)
    for mine, theirs in zip(posterior.sample(*given), copy.sample(*given), strict=True):
        np.testing.assert_allclose(numpy(theirs), numpy(mine), atol=1e-6)


def test_names():
    names = ("diagonal_gaussian", "full_covariance", "planar", "coupling", "iaf")
    classes = {type(posterior_by_name(name)) for name in names}
    assert len(classes) == 5
    assert all(getattr(posteriors, c.__name__) is c for c in classes)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: posterior_by_name("radial"), "posterior must be one of .*'radial'"),
        (lambda: PlanarFlow(steps=0), "steps.*0"),
        (lambda: InverseAutoregressiveFlow(units=-1), "units.*-1"),
        (lambda: CouplingFlow(context=1.5), "context.*1.5"),
        (lambda: CouplingFlow().build((None, 1)), "at least 2, got 1"),
        (lambda: DiagonalGaussian().mean(tensor([[1.0, 2.0, 3.0]])), "no 3 parameters"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
