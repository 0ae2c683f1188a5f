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
