import numpy as np
import pytest

from kzoo import Classifier
from kzoo.evaluation import feature_set
from kzoo.metrics import SamplePrecision, SampleRecall, manifold_share

D = 5


@pytest.fixture(scope="module")
def classifier():
    return Classifier((8, 8, 1), num_classes=4, widths=(3, D))


def test_on_a_line():
    points = np.array([[0.0], [1.0], [3.0], [10.0]])
    # Radii to the nearest other point: 1, 1, 2, 7. The intervals cover [-1, 5] and [3, 17].
    for x, inside in [(-1.1, 0), (-1, 1), (5, 1), (17, 1), (17.1, 0)]:
        assert manifold_share([[x]], points, k=1) == inside
    # To the second: 3, 2, 3, 9.
    assert manifold_share([[-3.0], [-3.1], [18.9], [19.1]], points, k=2) == 0.5


@pytest.mark.parametrize("chunk", [1, 50, 2**23])
def test_point_by_point(monkeypatch, chunk):
    monkeypatch.setattr(feature_set, "CHUNK", chunk)
    rng = np.random.default_rng(0)
    points, x = rng.normal(size=(40, D)), 1.2 * rng.normal(size=(60, D))
    inside = np.zeros(60, bool)
    for i, p in enumerate(points):
        others = np.delete(points, i, axis=0)
        radius = np.sort(np.linalg.norm(others - p, axis=1))[2]
        inside |= np.linalg.norm(x - p, axis=1) <= radius
    assert 0.2 < inside.mean() < 0.8
    assert manifold_share(x, points, k=3) == inside.mean()
    assert manifold_share(x + 1e4, points + 1e4, k=3) == inside.mean()


@pytest.mark.parametrize(
    "scale, precision, recall",
    [(1.0, (0.7, 1), (0.7, 1)), (0.2, (0.99, 1), (0, 0.2)), (5.0, (0, 0.2), (0.7, 1))],
)
def test_narrow_samples_lose_recall_and_wide_ones_precision(classifier, scale, precision, recall):
    rng = np.random.default_rng(1)
    real, x = rng.normal(size=(300, D)), scale * rng.normal(size=(300, D))
    for metric, (low, high) in [
        (SamplePrecision(classifier, reference=real), precision),
        (SampleRecall(classifier, reference=real), recall),
    ]:
        for batch in np.split(x, [100]):
            metric.update_activations(batch, None)
        assert low <= metric.result() <= high


def test_precision_is_recall_the_other_way_round(classifier):
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(50, D)).astype("float32"), rng.normal(size=(70, D)).astype("float32")
    precision, recall = SamplePrecision(classifier, a, k=2), SampleRecall(classifier, b, k=2)
    precision.update_activations(b, None)
    recall.update_activations(a, None)
    assert precision.result() == recall.result() == manifold_share(b, a, k=2)
    copy = SampleRecall.from_config(recall.get_config())
    copy.update_activations(a, None)
    assert copy.result() == recall.result() and copy.k == 2
    assert (precision.name, recall.name) == ("precision", "recall")
    assert precision.reference_value is None


def test_images(classifier):
    rng = np.random.default_rng(3)
    real, other, images = (
        rng.integers(0, high, (40, 8, 8, 1), dtype="uint8") for high in (256, 200, 230)
    )
    features = classifier.activations(images)[0]
    precision, recall = SamplePrecision(classifier), SampleRecall(classifier)
    for reference in (real, other, real):  # the spheres are those of the present reference
        of_real = classifier.activations(reference)[0]
        for metric in (precision, recall):
            metric.reset_state()
            metric.set_reference(reference)
            metric.update_state(images)
        assert precision.result() == precision.result() == manifold_share(features, of_real)
        assert recall.result() == manifold_share(of_real, features)
    recall.reset_state()
    recall.update_state(np.repeat(images[:1], 10, axis=0))
    assert recall.result() == 0  # spheres of radius 0


def test_errors(classifier):
    with pytest.raises(ValueError, match=r"\(2, 4\) and \(9, 5\)"):
        manifold_share(np.zeros((2, 4)), np.zeros((9, D)))
    with pytest.raises(ValueError, match=r"3-th neighbor .* more than 3; got \(3, 5\)"):
        manifold_share(np.zeros((2, D)), np.zeros((3, D)))
    with pytest.raises(ValueError, match="k must be"):
        SamplePrecision(classifier, k=0)
    with pytest.raises(ValueError, match=r"SampleRecall needs features \(4 or more, 5\)"):
        SampleRecall(classifier, reference=np.zeros((3, D)))
    with pytest.raises(ValueError, match="k must be"):
        manifold_share(np.zeros((2, D)), np.zeros((3, D)), k=0)
    metric = SampleRecall(classifier, reference=np.eye(D))
    metric.update_activations(np.zeros((3, D)), None)
    with pytest.raises(ValueError, match=r"of images; got shape \(3, 5\)"):
        metric.result()
    with pytest.raises(ValueError, match=r"of features; got shape \(3, 4\)"):
        metric.update_activations(np.zeros((3, 4)), None)
    with pytest.raises(ValueError, match="set_reference"):
        SamplePrecision(classifier).result()
