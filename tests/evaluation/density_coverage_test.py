import numpy as np
import pytest

from kzoo import Classifier
from kzoo.evaluation import feature_set
from kzoo.metrics import DensityCoverage, density_coverage

D = 5


@pytest.fixture(scope="module")
def classifier():
    return Classifier((8, 8, 1), num_classes=4, widths=(3, D))


def test_on_a_line():
    points = np.array([[0.0], [1.0], [3.0], [10.0]])
    # Radii to the nearest other point: 1, 1, 2, 7. The intervals are [-1, 1], [0, 2], [1, 5] and
    # [3, 17].
    for x, inside, covered in [(-2, 0, 0), (0.5, 2, 2), (1, 3, 3), (4, 2, 2), (12, 1, 1)]:
        assert density_coverage([[x]], points, k=1) == (inside, covered / 4)
    assert density_coverage([[0.5], [0.5], [12]], points, k=1) == (5 / 3, 3 / 4)
    # To the second: 3, 2, 3, 9. The intervals are [-3, 3], [-1, 3], [0, 6] and [1, 19].
    assert density_coverage([[-2.0], [2.0]], points, k=2) == (5 / 4, 1)


def plain(real, fake, k):
    """The formulas of the paper, pair by pair."""
    radii = [np.sort(np.linalg.norm(real - x, axis=1))[k] for x in real]  # 0 is the point itself
    inside = np.array([np.linalg.norm(fake - x, axis=1) <= r for x, r in zip(real, radii)])
    return inside.sum() / (k * len(fake)), inside.any(axis=1).mean()


@pytest.mark.parametrize("chunk", [1, 50, 2**23])
@pytest.mark.parametrize("k", [1, 5])
def test_pair_by_pair(monkeypatch, chunk, k):
    monkeypatch.setattr(feature_set, "CHUNK", chunk)
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(40, D)), 1.2 * rng.normal(size=(60, D))
    expected = plain(real, fake, k)
    assert density_coverage(fake, real, k) == pytest.approx(expected)
    assert density_coverage(fake + 1e4, real + 1e4, k) == pytest.approx(expected)


def test_equal_distributions():
    # A real point is not covered if its k nearest among n - 1 real and n generated ones are all
    # real; all orders are equally probable.
    rng, n, k = np.random.default_rng(1), 300, 3
    values = [
        density_coverage(rng.normal(size=(n, 2)), rng.normal(size=(n, 2)), k) for _ in range(20)
    ]
    density, coverage = np.mean(values, axis=0)
    error = np.std(values, axis=0) / len(values) ** 0.5
    expected = 1 - np.prod([(n - i) / (2 * n - i) for i in range(1, k + 1)])
    assert density == pytest.approx(1, abs=4 * error[0])
    assert coverage == pytest.approx(expected, abs=4 * error[1]) and error[1] < 0.01


def test_an_outlier_raises_the_density_little():
    rng = np.random.default_rng(2)
    real, fake = rng.normal(size=(200, D)), rng.normal(size=(200, D)) + 4
    alone, _ = density_coverage(fake, real)
    with_outlier, coverage = density_coverage(fake, np.concatenate([real, [[9.0] * D]]))
    assert alone < 0.1 and with_outlier - alone <= 1 / 5 and coverage < 0.2


@pytest.mark.parametrize("k", [3, 5])
def test_equals_prdc(k):
    prdc = pytest.importorskip("prdc", reason="compares with the package prdc")
    rng = np.random.default_rng(3)
    real, fake = rng.normal(size=(50, D)), 0.8 * rng.normal(size=(70, D))
    expected = prdc.compute_prdc(real, fake, nearest_k=k)
    expected = expected["density"], expected["coverage"]
    assert density_coverage(fake, real, k) == pytest.approx(expected)


def test_metric(classifier):
    rng = np.random.default_rng(4)
    real, images = (rng.integers(0, high, (40, 8, 8, 1), dtype="uint8") for high in (256, 230))
    metric = DensityCoverage(classifier, k=2)
    metric.set_reference(real)
    for batch in np.split(images, [13]):
        metric.update_state(batch)
    features = [classifier.activations(x)[0] for x in (images, real)]
    density, coverage = density_coverage(*features, k=2)
    assert metric.result() == pytest.approx({"density": density, "coverage": coverage})
    copy = DensityCoverage.from_config(metric.get_config())
    copy.update_state(images)
    assert copy.result() == pytest.approx(metric.result()) and copy.k == 2
    assert metric.name == "density_coverage" and metric.reference_value is None
    metric.reset_state()
    metric.update_state(np.repeat(real[:1], 10, axis=0))
    # Equal images: every ball of a real image has all of them or none, its own has them.
    around = metric.result()["coverage"] * len(real)
    assert around >= 1 and metric.result()["density"] == pytest.approx(around / 2)


def test_errors(classifier):
    with pytest.raises(ValueError, match=r"\(2, 4\) and \(9, 5\)"):
        density_coverage(np.zeros((2, 4)), np.zeros((9, D)))
    with pytest.raises(ValueError, match=r"5-th neighbor .* more than 5; got \(5, 5\)"):
        density_coverage(np.zeros((2, D)), np.zeros((5, D)))
    with pytest.raises(ValueError, match="k must be"):
        DensityCoverage(classifier, k=0)
    with pytest.raises(ValueError, match="set_reference"):
        DensityCoverage(classifier).result()
