"""Precision and recall of generated images: Kynkaanniemi et al. 2019 (arXiv:1904.06991).

The manifold of a set of images is the union of spheres around their features (equation 1). The
radius of a sphere reaches to the k-th nearest neighbor in the set. Precision is the share of
generated images in the manifold of the real ones; recall is the share of real images in the
manifold of the generated ones (equation 2).

Deviation: the features are those of a `kzoo.Classifier`, and not of VGG-16. Values are comparable
under one classifier and for equal numbers of images only.
"""

import keras
import numpy as np

from kzoo.checks import check_positive_int
from kzoo.evaluation.feature_set import FeatureSetMetric, square_distances


def neighbor_radii(points, k=3):
    """Squared distance of each point to its k-th nearest neighbor among the others.

    Args:
        points: `(m, d)`, m > k.
        k: int, at least 1.

    Returns:
        float64 `(m,)`.

    Raises:
        ValueError: if there are no more points than k.
    """
    points = np.asarray(points, "float64")
    check_positive_int("k", k)
    if points.ndim != 2 or len(points) <= k:
        raise ValueError(
            f"The {k}-th neighbor needs points (m, d), more than {k}; got {points.shape}."
        )
    points = points - points.mean(axis=0)  # distances far from 0 would lose digits
    return np.concatenate(  # column 0 is the point itself
        [np.partition(distances, k, axis=1)[:, k] for distances in square_distances(points, points)]
    )


def manifold_share(x, points, k=3, radii=None):
    """The share of vectors that lie in the manifold of a set of points.

    Args:
        x: `(n, d)`, the vectors, n >= 1.
        points: `(m, d)`, m > k.
        k: int, which nearest neighbor among the other points gives the radius around a point.
        radii: `neighbor_radii(points, k)`, if they are known already.

    Returns:
        A float in [0, 1].

    Raises:
        ValueError: if the vectors have two lengths, there are none, or no more points than k.
    """
    inside = [np.any(part, axis=1) for part in in_spheres(x, points, k, radii)]
    return float(np.mean(np.concatenate(inside)))


def in_spheres(x, points, k, radii=None):
    """Which vectors lie in which spheres, in chunks of rows.

    Args:
        x, points, k, radii: as in `manifold_share`.

    Yields:
        For the next vectors of `x`, whether each is in the sphere around each point: bool
        `(a, m)`.

    Raises:
        ValueError: as `manifold_share`.
    """
    x, points = np.asarray(x, "float64"), np.asarray(points, "float64")
    if x.ndim != 2 or points.ndim != 2 or x.shape[1] != points.shape[1] or not len(x):
        raise ValueError(
            f"Expected vectors (n, d) and points (m, d); got {x.shape} and {points.shape}."
        )
    radii = neighbor_radii(points, k) if radii is None else radii
    centre = points.mean(axis=0)
    for distances in square_distances(x - centre, points - centre):
        yield distances <= radii


class ManifoldMetric(FeatureSetMetric):
    """What the metrics share that draw spheres around features; arguments as `SamplePrecision`."""

    _radii = None  # (reference, its radii): the real images stay, and there are many

    def __init__(self, classifier="mnist", reference=None, k=3, name=None, dtype=None):
        self.k = check_positive_int("k", k)
        self.least = self.k + 1
        super().__init__(classifier, reference, name=name, dtype=dtype)

    def real_radii(self):
        """`neighbor_radii` of the real images, computed once."""
        if self._radii is None or self._radii[0] is not self.reference:
            self._radii = self.reference, neighbor_radii(self.reference, self.k)
        return self._radii[1]

    def get_config(self):
        return {**super().get_config(), "k": self.k}


@keras.saving.register_keras_serializable(package="kzoo")
class SamplePrecision(ManifoldMetric):
    """The share of images that look like real ones: those in the manifold of the real images.

    Args:
        classifier, name, dtype: as in `FrechetDistance`.
        reference: `(m, d)`, features of the real images; or None. See also `set_reference`.
        k: int, which nearest neighbor the spheres around the features reach to.

    Raises:
        ValueError: as `FrechetDistance`, and if k is not a positive integer, or the reference has
            no more than k rows.
    """

    score = "precision"

    def result(self):
        """The precision, a float in [0, 1].

        Raises:
            ValueError: if there is no reference, or no more than k images.
        """
        images, real = self.features()
        return manifold_share(images, real, self.k, self.real_radii())


@keras.saving.register_keras_serializable(package="kzoo")
class SampleRecall(ManifoldMetric):
    """The share of real images that the images cover: those in the manifold of the images.

    An image that is repeated more than k times has a sphere of radius 0. So a model that draws a
    few images again and again has a recall near 0.

    Args:
        classifier, reference, k, name, dtype: as in `SamplePrecision`, whose errors it raises.
    """

    score = "recall"

    def result(self):
        """The recall, a float in [0, 1].

        Raises:
            ValueError: if there is no reference, or no more than k images.
        """
        images, real = self.features()
        return manifold_share(real, images, self.k)
