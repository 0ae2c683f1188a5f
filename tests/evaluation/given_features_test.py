import numpy as np
import pytest

import kzoo
from kzoo.evaluation.frechet_distance import frechet_distance

METRICS = [
    kzoo.metrics.FrechetDistance,
    kzoo.metrics.KernelDistance,
    kzoo.metrics.SamplePrecision,
    kzoo.metrics.SampleRecall,
    kzoo.metrics.DensityCoverage,
]


def features(count, shift=0.0):
    return np.random.default_rng(count).standard_normal((count, 3)).astype("float32") + shift


@pytest.mark.parametrize("metric_class", METRICS, ids=lambda c: c.__name__)
def test_features_in_place_of_images(metric_class):
    """Equal to the metric of a model whose features are the mean of each channel."""
    import keras

    averages = keras.Sequential([keras.Input((2, 2, 3)), keras.layers.GlobalAveragePooling2D()])
    real, images = (
        np.random.default_rng(i).integers(0, 256, (n, 2, 2, 3), dtype="uint8")
        for i, n in enumerate((60, 50))
    )
    by_model, by_features = metric_class(averages), metric_class(3)
    by_model.set_reference(real)
    by_features.set_reference(real.mean((1, 2), dtype="float32"))
    for part in np.split(images, [20]):
        by_model.update_state(part)
        by_features.update_state(part.mean((1, 2), dtype="float32"))
    assert by_features.result() == pytest.approx(by_model.result(), rel=1e-4)


def test_frechet_distance_of_a_shift():
    metric = kzoo.metrics.FrechetDistance(3)
    metric.set_reference(features(500))
    metric.update_state(features(500, shift=2.0))
    assert metric.result() == pytest.approx(3 * 2.0**2, rel=1e-4)
    mean, covariance = features(500).mean(0), np.cov(features(500).T)
    assert frechet_distance(mean, covariance, mean + 2, covariance) == pytest.approx(12, rel=1e-4)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((5, 4), "float32"), r"shape \(n, 3\), got \(5, 4\)"),
        (np.zeros((5, 2, 2, 3), "uint8"), r"shape \(n, 3\)"),
        (np.full((5, 3), np.nan, "float32"), "finite numbers"),
        (np.array([["a", "b", "c"]]), "finite numbers"),
    ],
)
def test_what_are_no_features(given, message):
    with pytest.raises(ValueError, match=message):
        kzoo.metrics.SamplePrecision(3).update_state(given)


def test_the_number_of_features_is_positive():
    with pytest.raises(ValueError, match="classifier must be"):
        kzoo.metrics.FrechetDistance(0)
