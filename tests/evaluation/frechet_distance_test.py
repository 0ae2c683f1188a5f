import numpy as np
import pytest
from numpy.testing import assert_allclose

from kzoo import Classifier
from kzoo.metrics import FrechetDistance, GaussianStatistics, frechet_distance

D = 5


@pytest.fixture(scope="module")
def classifier():
    return Classifier((8, 8, 1), num_classes=4, widths=(3, D))


def covariance(rng, rank=D):
    a = rng.normal(size=(D, rank))
    return a @ a.T


def test_translation():
    rng = np.random.default_rng(0)
    c, mean, shift = covariance(rng), rng.normal(size=D), rng.normal(size=D)
    assert frechet_distance(mean, c, mean + shift, c) == pytest.approx(shift @ shift)


def test_equal_gaussians():
    c = covariance(np.random.default_rng(1), rank=2)  # singular, as dead features make it
    assert frechet_distance(np.ones(D), c, np.ones(D), c) == pytest.approx(0, abs=1e-6)


def test_diagonal_covariances():
    s, t = np.array([1.0, 2.0, 0.5, 3.0, 0.0]), np.array([2.0, 2.0, 1.5, 0.0, 1.0])
    distance = frechet_distance(np.zeros(D), np.diag(s**2), np.zeros(D), np.diag(t**2))
    assert distance == pytest.approx(np.sum((s - t) ** 2))


def test_covariances_that_commute():
    rng = np.random.default_rng(2)
    q, _ = np.linalg.qr(rng.normal(size=(D, D)))
    s, t = rng.uniform(0.1, 3, D), rng.uniform(0.1, 3, D)
    distance = frechet_distance(np.zeros(D), q * s**2 @ q.T, np.zeros(D), q * t**2 @ q.T)
    assert distance == pytest.approx(np.sum((s - t) ** 2))


def test_covariances_that_do_not_commute():
    # The optimal map between N(0, C) and N(0, A C A) is x -> A x for a positive definite A, so
    # that the distance is E |A x - x|^2 = tr((A - I) C (A - I)).
    rng = np.random.default_rng(3)
    c, a = covariance(rng), covariance(rng)
    expected = np.trace((a - np.eye(D)) @ c @ (a - np.eye(D)))
    distance = frechet_distance(np.zeros(D), c, np.zeros(D), a @ c @ a)
    assert distance == pytest.approx(expected)
    assert frechet_distance(np.zeros(D), a @ c @ a, np.zeros(D), c) == pytest.approx(expected)


def test_streaming_is_one_shot():
    x = np.random.default_rng(4).normal(size=(500, D)) @ np.diag([1, 2, 3, 4, 5.0])
    statistics = GaussianStatistics(D)
    for batch in np.split(x, [1, 3, 3, 200]):  # one of one vector, one of none
        statistics.update(batch)
    assert statistics.count == 500
    assert_allclose(statistics.mean, x.mean(axis=0), rtol=1e-10)
    assert_allclose(statistics.covariance, np.cov(x.T), rtol=1e-10, atol=1e-12)


def test_large_means_cost_no_precision():
    x = np.random.default_rng(5).normal(size=(1000, D))
    statistics = GaussianStatistics(D)
    for batch in np.split(x + 1e7, 10):
        statistics.update(batch)
    # The vectors themselves are rounded to 1e-9; sums of raw squares would lose about .01.
    assert_allclose(statistics.covariance, np.cov(x.T), atol=1e-7)


def test_statistics_errors():
    statistics = GaussianStatistics(D)
    with pytest.raises(ValueError, match=r"\(n, 5\).*\(3, 4\)"):
        statistics.update(np.zeros((3, 4)))
    statistics.update(np.zeros((1, D)))
    with pytest.raises(ValueError, match="two vectors; got 1"):
        _ = statistics.covariance


def test_metric_against_given_statistics(classifier):
    x = np.random.default_rng(6).normal(size=(100, D))
    mean, c = np.arange(D), covariance(np.random.default_rng(7))
    metric = FrechetDistance(classifier, reference=(mean, c))
    for batch in np.split(x, [40]):
        metric.update_activations(batch, None)
    expected = frechet_distance(x.mean(axis=0), np.cov(x.T), mean, c)
    assert metric.result() == pytest.approx(expected, rel=1e-10)
    assert metric.reference_value is None

    copy = FrechetDistance.from_config(metric.get_config())
    copy.update_activations(x, None)
    assert copy.result() == pytest.approx(expected, rel=1e-10)

    metric.reset_state()
    assert metric.count == 0
    metric.update_activations(x[:50], None)
    assert metric.result() != pytest.approx(expected)


def test_reference_images(classifier):
    rng = np.random.default_rng(8)
    real = rng.integers(0, 90, (40, 8, 8, 1), dtype="uint8")
    other = rng.integers(160, 256, (40, 8, 8, 1), dtype="uint8")
    metric = FrechetDistance(classifier)
    metric.set_reference(real)
    metric.update_state(real[:20])
    metric.update_state(real[20:])
    same = metric.result()
    metric.reset_state()
    metric.update_state(other)
    gaussians = []
    for images in (other, real):
        features = classifier.activations(images)[0].astype("float64")
        gaussians += [features.mean(axis=0), np.cov(features.T)]
    assert metric.result() == pytest.approx(frechet_distance(*gaussians), rel=1e-4)
    assert 0 <= same < 1e-3 * metric.result()


def test_errors(classifier):
    metric = FrechetDistance(classifier)
    images = np.zeros((D + 1, 8, 8, 1), "uint8")
    metric.update_state(images[:D])
    with pytest.raises(ValueError, match="5 features needs more than 5 images; got 5"):
        metric.result()
    metric.update_state(images)
    with pytest.raises(ValueError, match="set_reference"):
        metric.result()
    with pytest.raises(ValueError, match="more than 5 reference images; got 5"):
        metric.set_reference(images[:D])
    with pytest.raises(ValueError, match=r"\(5,\).*\(4,\)"):
        FrechetDistance(classifier, reference=(np.zeros(4), np.eye(5)))
