import numpy as np
from keras import ops

from kzoo import losses

MEAN = np.array([[0.0, 0.0], [1.5, -0.5], [0.3, 2.0]], "float32")
LOG_VARIANCE = np.array([[0.0, 0.0], [-1.0, 0.7], [0.2, -3.0]], "float32")


def gaussian_kl(mean, log_variance):
    tensors = map(ops.convert_to_tensor, (mean, log_variance))
    return ops.convert_to_numpy(losses.gaussian_kl(*tensors))


def test_gaussian_kl_is_the_closed_form_of_two_gaussians():
    # KL of N(m, S) from N(0, I) = (tr S + m'm - d - log det S) / 2, with full matrices.
    expected = []
    for mean, log_variance in zip(MEAN.astype("float64"), LOG_VARIANCE.astype("float64")):
        covariance = np.diag(np.exp(log_variance))
        logdet = np.linalg.slogdet(covariance)[1]
        expected.append(0.5 * (np.trace(covariance) + mean @ mean - len(mean) - logdet))
    result = gaussian_kl(MEAN, LOG_VARIANCE)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-7)
    assert result[0] == 0.0


def test_gaussian_kl_is_the_expected_log_ratio():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((200_000, 1, 2))
    z = MEAN + np.exp(0.5 * LOG_VARIANCE) * noise
    log_ratio = 0.5 * np.sum(z**2 - noise**2 - LOG_VARIANCE, axis=-1)  # log q(z) / p(z)
    result = gaussian_kl(MEAN, LOG_VARIANCE)
    np.testing.assert_allclose(result, log_ratio.mean(axis=0), atol=0.03)


def test_gaussian_kl_sums_over_the_last_axis_only():
    stacked = np.stack([MEAN, MEAN])
    result = gaussian_kl(stacked, np.stack([LOG_VARIANCE, LOG_VARIANCE]))
    assert result.shape == (2, 3)
