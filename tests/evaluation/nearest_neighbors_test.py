import numpy as np
import pytest

from kzoo.metrics import nearest_neighbors


def pixels(*rows):
    """uint8 images 1x2x1, one per row of two values."""
    return np.array(rows, "uint8").reshape(-1, 1, 2, 1)


def test_by_hand():
    training = pixels((0, 0), (255, 255), (0, 255), (30, 40))
    indices, distances = nearest_neighbors(pixels((0, 0), (255, 250)), training, k=2)
    np.testing.assert_array_equal(indices, [[0, 3], [1, 2]])
    # In [-1, 1] a step of the uint8 values is 2 / 255; 3-4-5 triangle.
    expected = np.array([[0, 50], [5, np.hypot(255, 5)]]) * 2 / 255
    np.testing.assert_allclose(distances, expected, rtol=1e-14)
    assert indices.dtype == np.int64 and distances.dtype == np.float64


def test_ends_of_the_range_are_two_apart():
    black, white = np.zeros((1, 3, 4, 3), "uint8"), np.full((1, 3, 4, 3), 255, "uint8")
    assert nearest_neighbors(black, white)[1] == pytest.approx(2 * np.sqrt(36), rel=1e-14)


def test_of_equally_near_images_the_first_comes_first():
    training = pixels((9, 9), (5, 7), (3, 5), (5, 3), (7, 5))
    indices, distances = nearest_neighbors(pixels((5, 5)), training, k=5)
    np.testing.assert_array_equal(indices, [[1, 2, 3, 4, 0]])
    assert len(set(distances[0, :4])) == 1


@pytest.mark.parametrize("chunk_bytes", [8 * 12, 8 * 12 * 5, 2**26])
def test_chunks(monkeypatch, chunk_bytes):
    """Against all differences at once, with ties, for chunks of one image, of a few, of all."""
    monkeypatch.setitem(nearest_neighbors.__globals__, "CHUNK_BYTES", chunk_bytes)
    rng = np.random.default_rng(0)
    images, training = (rng.integers(0, 4, (n, 2, 2, 3), dtype="uint8") for n in (7, 23))
    differences = images[:, None].astype(int) - training[None]
    squares = (differences**2).sum(axis=(2, 3, 4))
    expected = np.argsort(squares, axis=1, kind="stable")[:, :4]
    indices, distances = nearest_neighbors(images, training, k=4)
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_allclose(
        distances, np.sqrt(np.take_along_axis(squares, expected, axis=1)) * 2 / 255
    )


def test_a_copy_has_distance_zero():
    rng = np.random.default_rng(0)
    training = rng.integers(0, 256, (50, 16, 16, 3), dtype="uint8")
    indices, distances = nearest_neighbors(training[[41, 7]], training)
    np.testing.assert_array_equal(indices, [[41], [7]])
    np.testing.assert_array_equal(distances, 0)


def test_no_images():
    indices, distances = nearest_neighbors(pixels(), pixels((1, 2)))
    assert indices.shape == distances.shape == (0, 1)


@pytest.mark.parametrize(
    "images, k, message",
    [
        (pixels((0, 0)) / 255, 1, "Expected uint8 images"),
        (np.zeros((1, 2, 1, 1), "uint8"), 1, r"training images of shape \(m, 2, 1, 1\)"),
        (pixels((0, 0)), 3, "k must be at most 2, all training images; got 3"),
        (pixels((0, 0)), 0, "k must be"),
    ],
)
def test_errors(images, k, message):
    with pytest.raises(ValueError, match=message):
        nearest_neighbors(images, pixels((0, 0), (1, 1)), k=k)
