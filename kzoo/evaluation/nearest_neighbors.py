"""The training images nearest to generated ones: they show whether a model has memorized them."""

import numpy as np

from kzoo.checks import check_positive_int
from kzoo.evaluation.classifier_metric import check_uint8_images

CHUNK_BYTES = 2**26  # of float64 pixels of either set, and of distances, held at once


def nearest_neighbors(images, training_images, k=1):
    """The k nearest training images of each image.

    The distance is the Euclidean one between images as models see them, scaled to [-1, 1]:
    sqrt(sum (x - y)^2) over all pixels and channels, 2 / 255 times that of the uint8 values. The
    search is exhaustive and exact: sums of squares of uint8 values are integers, which float64
    holds without rounding.

    Args:
        images: uint8 array `(n, height, width, channels)`, n >= 0.
        training_images: uint8 array `(m, height, width, channels)`, m >= k.
        k: int, how many neighbors per image.

    Returns:
        `(indices, distances)`: NumPy arrays `(n, k)` of int64, which training images, and of
        float64, how far they are; nearest first, of equally near ones the earlier first.

    Raises:
        ValueError: if the images are not uint8 of rank 4, or of two shapes; if k is not between 1
            and m.
    """
    images, training_images = check_uint8_images(images), check_uint8_images(training_images)
    if images.shape[1:] != training_images.shape[1:]:
        raise ValueError(
            f"Expected training images of shape (m, {', '.join(map(str, images.shape[1:]))}), as "
            f"the images are; got {training_images.shape}."
        )
    if check_positive_int("k", k) > len(training_images):
        raise ValueError(f"k must be at most {len(training_images)}, all training images; got {k}.")
    # Rows whose pixels, or whose distances to a chunk of other rows, fit into CHUNK_BYTES.
    rows = max(1, min(CHUNK_BYTES // (8 * max(1, images[:1].size)), int((CHUNK_BYTES / 8) ** 0.5)))
    indices = np.zeros((len(images), k), "int64")
    squares = np.full((len(images), k), np.inf)
    for start in range(0, len(training_images), rows):
        y = _flat(training_images[start : start + rows])  # (b, d)
        for first in range(0, len(images), rows):
            some = slice(first, first + rows)
            x = _flat(images[some])  # (a, d)
            distances = (x * x).sum(1)[:, None] - 2 * x @ y.T + (y * y).sum(1)  # (a, b)
            nearer = np.concatenate([squares[some], distances], axis=1)
            here = np.broadcast_to(np.arange(start, start + len(y)), distances.shape)
            numbers = np.concatenate([indices[some], here], axis=1)
            best = np.argsort(nearer, axis=1, kind="stable")[:, :k]
            squares[some] = np.take_along_axis(nearer, best, axis=1)
            indices[some] = np.take_along_axis(numbers, best, axis=1)
    return indices, np.sqrt(squares) * (2 / 255)


def _flat(images):
    return images.reshape(len(images), -1).astype("float64")
