import itertools

import numpy as np
import pytest

from kzoo import Classifier
from kzoo.metrics import KernelDistance, kernel_distance

D = 5


@pytest.fixture(scope="module")
def classifier():
    return Classifier((8, 8, 1), num_classes=4, widths=(3, D))


def test_by_hand_in_one_dimension():
    # k(a, b) = (a b + 1)^3: k(0, 1) = 1 within x, k(1, 2) = 27 within y, and 1, 1, 8, 27 between.
    assert kernel_distance([[0.0], [1.0]], [[1.0], [2.0]]) == pytest.approx(1 + 27 - 2 * 37 / 4)


def test_pair_by_pair():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, D)), rng.normal(size=(4, D)) + 1

    def k(a, b):
        return (a @ b / D + 1) ** 3

    expected = (
        np.mean([k(a, b) for a, b in itertools.permutations(x, 2)])
        + np.mean([k(a, b) for a, b in itertools.permutations(y, 2)])
        - 2 * np.mean([k(a, b) for a, b in itertools.product(x, y)])
    )
    assert kernel_distance(x, y) == pytest.approx(expected)


@pytest.mark.parametrize("m", [0.0, 0.5])
def test_unbiased(m):
    # For x ~ N(0, 1) and y ~ N(m, 1) in one dimension E (a b + 1)^3 is, with the moments of both,
    # E a^3 E b^3 + 3 E a^2 E b^2 + 3 E a E b + 1.
    y, y2, y3 = m, 1 + m**2, m**3 + 3 * m
    expected = (3 + 1) + (y3**2 + 3 * y2**2 + 3 * y**2 + 1) - 2 * (3 * y2 + 1)
    rng = np.random.default_rng(1)
    values = [
        kernel_distance(rng.normal(size=(10, 1)), rng.normal(size=(10, 1)) + m)
        for _ in range(20_000)
    ]
    error = np.std(values) / len(values) ** 0.5
    assert np.mean(values) == pytest.approx(expected, abs=4 * error) and error < 0.1


def test_metric_is_the_mean_over_subsets(classifier):
    rng = np.random.default_rng(3)
    x, y = (rng.normal(size=(n, D)).astype("float32") for n in (30, 50))
    metric = KernelDistance(classifier, reference=y[:30], subsets=7, subset_size=100)
    for batch in np.split(x, [11]):
        metric.update_activations(batch, None)
    # Where there are fewer images than a subset has, every subset is all of them.
    expected = kernel_distance(x, y[:30])
    np.testing.assert_allclose(metric.of_subsets(), np.full(7, expected), atol=1e-9)
    assert metric.count == 30 and metric.name == "kernel_distance"
    assert metric.reference_value is None

    small = KernelDistance(classifier, reference=y, subsets=300, subset_size=10, seed=4)
    small.update_activations(x, None)
    of_subsets = small.of_subsets()
    assert len(set(of_subsets)) == 300 and small.result() == of_subsets.mean()
    error = np.std(of_subsets) / 300**0.5
    assert small.result() == pytest.approx(kernel_distance(x, y), abs=4 * error)
    copy = KernelDistance.from_config(small.get_config())
    copy.update_activations(x, None)
    assert copy.result() == small.result()

    metric.reset_state()
    assert metric.count == 0 and metric.reference is not None


def test_images(classifier):
    rng = np.random.default_rng(5)
    real, other = (rng.integers(low, low + 90, (40, 8, 8, 1), dtype="uint8") for low in (0, 160))
    metric = KernelDistance(classifier, subsets=3, subset_size=30)
    metric.set_reference(real)
    metric.update_state(real[::-1])
    same = metric.result()
    metric.reset_state()
    metric.update_state(other)
    assert abs(same) < 0.1 * metric.result()


def test_errors(classifier):
    with pytest.raises(ValueError, match=r"\(1, 5\) and \(2, 5\)"):
        kernel_distance(np.zeros((1, D)), np.zeros((2, D)))
    with pytest.raises(ValueError, match=r"\(3, 4\) and \(3, 5\)"):
        kernel_distance(np.zeros((3, 4)), np.zeros((3, 5)))
    with pytest.raises(ValueError, match=r"features \(2 or more, 5\) of `reference`.*\(3, 4\)"):
        KernelDistance(classifier, reference=np.zeros((3, 4)))
    with pytest.raises(ValueError, match="subset_size must be at least 2, got 1"):
        KernelDistance(classifier, subset_size=1)
    with pytest.raises(ValueError, match="subsets"):
        KernelDistance(classifier, subsets=0)
    metric = KernelDistance(classifier)
    with pytest.raises(ValueError, match="set_reference"):
        metric.result()
    metric.set_reference(np.zeros((2, 8, 8, 1), "uint8"))
    with pytest.raises(ValueError, match=r"of images; got shape \(0, 5\)"):
        metric.result()
    with pytest.raises(ValueError, match="reference images; got shape"):
        metric.set_reference(np.zeros((1, 8, 8, 1), "uint8"))
    with pytest.raises(ValueError, match="uint8"):
        metric.update_state(np.zeros((2, 8, 8, 1)))
