import numpy as np
import pytest
from keras import ops

from kzoo import losses

LEVELS = (-1.0 + 2.0 * np.arange(256) / 255.0).astype("float32")


def evaluate(function, *arguments):
    tensors = [ops.convert_to_tensor(argument, "float32") for argument in arguments]
    return ops.convert_to_numpy(function(*tensors))


def test_bernoulli_is_the_log_probability_of_each_pixel():
    logits = np.array([-3.0, -0.5, 0.0, 2.0])
    probability = 1.0 / (1.0 + np.exp(-logits))
    white = evaluate(losses.bernoulli_log_likelihood, np.ones(4), logits)
    black = evaluate(losses.bernoulli_log_likelihood, np.zeros(4), logits)
    np.testing.assert_allclose(white, np.log(probability), rtol=1e-5)
    np.testing.assert_allclose(black, np.log(1.0 - probability), rtol=1e-5)


def test_bernoulli_of_grey_is_the_expectation_over_binarizations():
    logits, grey = np.array([1.5]), np.array([0.3])
    white = evaluate(losses.bernoulli_log_likelihood, np.ones(1), logits)
    black = evaluate(losses.bernoulli_log_likelihood, np.zeros(1), logits)
    result = evaluate(losses.bernoulli_log_likelihood, grey, logits)
    np.testing.assert_allclose(result, 0.3 * white + 0.7 * black, rtol=1e-5)


def test_bernoulli_stays_finite():
    x = np.array([0.0, 1.0, 0.0, 1.0, 0.5])
    logits = np.array([1e6, 1e6, -1e6, -1e6, 1e6])
    result = evaluate(losses.bernoulli_log_likelihood, x, logits)
    np.testing.assert_allclose(result, [-1e6, 0.0, 0.0, -1e6, -5e5])


def test_gaussian_is_the_normal_density():
    x = np.array([-1.0, 0.25, 3.0])
    mean = np.array([0.5, 0.0, 3.0])
    sigma = np.array([0.1, 1.0, 2.5])
    density = np.exp(-((x - mean) ** 2) / (2 * sigma**2)) / np.sqrt(2 * np.pi * sigma**2)
    with np.errstate(divide="ignore"):
        expected = np.log(density.astype("float64"))
    expected[0] = -(1.5**2) / 0.02 - np.log(0.1) - 0.5 * np.log(2 * np.pi)  # too small to divide
    result = evaluate(losses.gaussian_log_likelihood, x, mean, np.log(sigma))
    np.testing.assert_allclose(result, expected, rtol=1e-5)


@pytest.mark.parametrize("log_scale", [-100.0, -7.0, 0.0, 100.0])
def test_gaussian_has_no_nan(log_scale):
    x = np.array([-1.0, 0.0, 1.0])
    result = evaluate(losses.gaussian_log_likelihood, x, 0.0, log_scale)
    assert np.isfinite(result).all()


@pytest.mark.parametrize("mean", [-30.0, -1.0, 0.0037, 0.9, 5.0])
@pytest.mark.parametrize("log_scale", [-100.0, -7.0, -4.0, -1.0, 3.0, 20.0, 80.0])
def test_discretized_logistic_sums_to_one_over_the_256_levels(mean, log_scale):
    result = evaluate(
        losses.discretized_logistic_log_likelihood, LEVELS, np.float32(mean), np.float32(log_scale)
    )
    assert np.isfinite(result).all()
    np.testing.assert_allclose(np.exp(result.astype("float64")).sum(), 1.0, atol=1e-4)


def test_discretized_logistic_is_the_difference_of_two_sigmoids():
    def sigmoid(t):
        return 1.0 / (1.0 + np.exp(-t))

    mean, scale, levels = 0.1, 0.2, LEVELS.astype("float64")
    upper = sigmoid((levels + 1 / 255 - mean) / scale)
    lower = sigmoid((levels - 1 / 255 - mean) / scale)
    upper[-1], lower[0] = 1.0, 0.0  # the tails
    result = evaluate(losses.discretized_logistic_log_likelihood, LEVELS, mean, np.log(scale))
    np.testing.assert_allclose(result, np.log(upper - lower), rtol=1e-4)


@pytest.mark.parametrize("mean", [-1e8, -30.0, -1.0, 0.3, 1e4])
@pytest.mark.parametrize("log_scale", [-100.0, -7.0, -2.0, 0.0, 20.0, 80.0])
def test_discretized_logistic_mixture_sums_to_one(mean, log_scale):
    logits = [[0.5, -0.3]]  # the second component is an ordinary one
    means, log_scales = [[[mean, 0.1]]], [[[log_scale, -1.0]]]
    function = losses.discretized_logistic_mixture_log_likelihood
    result = evaluate(function, LEVELS[:, None], logits, means, log_scales)
    assert result.shape == (256,) and np.isfinite(result).all()
    np.testing.assert_allclose(np.exp(result.astype("float64")).sum(), 1.0, atol=1e-4)


def test_discretized_logistic_mixture_stays_finite():
    """In the tails, and where one component has all the weight."""
    logits = [[1e4, -1e4]]
    means, log_scales = [[[-1e4, 1e4]] * 2], [[[-50.0, 50.0]] * 2]
    x = np.stack(np.meshgrid(LEVELS[::51], LEVELS[::51]), axis=-1)
    function = losses.discretized_logistic_mixture_log_likelihood
    result = evaluate(function, x, logits, means, log_scales, [[[1.0, -1.0]]])
    assert result.shape == (6, 6) and np.isfinite(result).all()
    np.testing.assert_allclose(result[0, 0], 0.0, atol=1e-5)  # all of it is in the tail at black


def test_channels_of_a_mixture_are_shifted_linearly():
    rng = np.random.default_rng(0)
    x = LEVELS[rng.integers(256, size=(5, 3))]
    logits, (means, log_scales, a) = rng.normal(size=(5, 2)), rng.normal(size=(3, 5, 3, 2))
    r, g = x[:, 0, None], x[:, 1, None]
    shifted = means + np.stack([0 * r * a[:, 0], a[:, 0] * r, a[:, 1] * r + a[:, 2] * g], axis=1)
    channels = evaluate(
        losses.discretized_logistic_log_likelihood, x[..., None], shifted, log_scales
    )
    weights = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    expected = np.log((weights * np.exp(channels.sum(axis=1))).sum(axis=-1))
    function = losses.discretized_logistic_mixture_log_likelihood
    result = evaluate(function, x, logits, means, log_scales, a)
    np.testing.assert_allclose(result, expected, rtol=1e-4)
