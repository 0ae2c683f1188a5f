import keras
import numpy as np
import pytest

from kzoo.metrics import PSNR, SSIM, psnr, ssim


def pairs(count=3, side=14, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, side, side, channels), dtype="uint8")
    other = np.clip(images + rng.normal(0, 20, images.shape), 0, 255).astype("uint8")
    return images, other


def ssim_of_windows(x, y):
    """Eqs. 13 to 17 of Wang et al. for one grey image, window by window."""
    r = np.arange(11) - 5
    weights = np.exp(-(r[:, None] ** 2 + r[None] ** 2) / (2 * 1.5**2))
    weights /= weights.sum()
    values = []
    for i in range(x.shape[0] - 10):
        for j in range(x.shape[1] - 10):
            a, b = x[i : i + 11, j : j + 11] * 1.0, y[i : i + 11, j : j + 11] * 1.0
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            var_a, var_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
            covariance = (weights * (a - mean_a) * (b - mean_b)).sum()
            c1, c2 = 2.55**2, 7.65**2
            values.append(
                (2 * mean_a * mean_b + c1)
                * (2 * covariance + c2)
                / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
            )
    return np.mean(values)


def test_ssim_equals_a_transcription():
    images, references = pairs()
    expected = [
        np.mean([ssim_of_windows(x[..., c], y[..., c]) for c in range(3)])
        for x, y in zip(images, references)
    ]
    np.testing.assert_allclose(ssim(images, references), expected, rtol=1e-9)
    np.testing.assert_allclose(ssim(images, images), 1.0, rtol=1e-9)


def test_psnr():
    black = np.zeros((2, 4, 4, 1), "uint8")
    grey = black.copy()
    grey[0], grey[1, 0, 0] = 255, 16  # errors 255^2, and 16^2 / 16
    np.testing.assert_allclose(psnr(grey, black), [0.0, 20 * np.log10(255 / 4)])
    assert psnr(black, black)[0] == np.inf


@pytest.mark.parametrize(("metric_class", "function"), [(PSNR, psnr), (SSIM, ssim)])
def test_metrics_are_means_over_images(metric_class, function):
    images, references = pairs(5)
    metric = metric_class()
    for part in (slice(0, 2), slice(2, 5)):
        metric.update_state(references[part], images[part])
    assert metric.result() == pytest.approx(function(images, references).mean(), rel=1e-6)
    assert metric.name == metric_class.__name__.lower()
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    copy.update_state(references, images, sample_weight=[1, 0, 0, 0, 0])
    assert copy.result() == pytest.approx(function(images, references)[0], rel=1e-6)
    metric.reset_state()
    assert metric.result() == 0


def test_errors():
    images, references = pairs()
    for function in (psnr, ssim):
        with pytest.raises(ValueError, match=r"\(3, 14, 14, 3\) and \(2, 14, 14, 3\)"):
            function(images, references[:2])
        with pytest.raises(ValueError, match="uint8"):
            function(images / 255.0, references)
    with pytest.raises(ValueError, match=r"at least 11x11.*\(3, 10, 10, 3\)"):
        ssim(images[:, :10, :10], references[:, :10, :10])
