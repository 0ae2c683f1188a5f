"""Statistics of the real data under a classifier, with which generated images are compared."""

import dataclasses

import numpy as np

SCORES = ("inception_score", "diversity_score", "frechet_distance")


@dataclasses.dataclass(frozen=True)
class Reference:
    """Statistics of real training images, and the scores that real test images get.

    Args:
        mean: `(d,)`, mean of the classifier's features of the training images.
        covariance: `(d, d)`, their covariance (normalized by n - 1).
        label_distribution: `(num_classes,)`, the share of each label in the training images, or
            the classifier's average prediction on them (see `kzoo.metrics.measure_reference`).
        num_train: how many training images these are of.
        scores: dict of the test images' `inception_score`, `diversity_score` and
            `frechet_distance` (to the training images).
        num_test: how many test images these are of.
    """

    mean: np.ndarray
    covariance: np.ndarray
    label_distribution: np.ndarray
    num_train: int
    scores: dict
    num_test: int
