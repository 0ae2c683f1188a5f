"""Density and coverage of generated images: Naeem et al. 2020 (arXiv:2002.09797), section 3.

Both use spheres around the features of real images, which reach to the k-th nearest neighbor among
these. Density is the average number of these spheres that contain a generated image, divided by k.
A real image far from all others makes the precision of `SamplePrecision` too good, because its
sphere is large; it adds little to the density. Coverage is the share of real images with a
generated one in their sphere. Unlike recall it uses no spheres around generated images, of which a
few outliers could cover much.

Deviation: the features are those of a `kzoo.Classifier`, and not of VGG-16.
"""

import keras
import numpy as np

from kzoo.evaluation.precision_recall import ManifoldMetric, in_spheres


def density_coverage(x, points, k=5, radii=None):
    """Density and coverage of vectors among points.

    Args:
        x: `(n, d)`, the vectors, n >= 1: features of generated images.
        points: `(m, d)`, m > k: features of real images.
        k: int, which nearest neighbor among the other points gives the radius around a point.
        radii: `neighbor_radii(points, k)`, if they are known already.

    Returns:
        `(density, coverage)`, floats. The density is 0 or more, and about 1 for vectors of the
        distribution of the points. The coverage is in [0, 1]; for as many vectors of that
        distribution as there are points it is about 1 - 2**-k.

    Raises:
        ValueError: if the vectors and the points differ in length, there are no vectors, or no more
            points than k.
    """
    inside, covered = 0, np.zeros(len(points), bool)
    for part in in_spheres(x, points, k, radii):
        inside += part.sum()
        covered |= part.any(axis=0)
    return float(inside / (k * len(x))), float(covered.mean())


@keras.saving.register_keras_serializable(package="kzoo")
class DensityCoverage(ManifoldMetric):
    """Density and coverage of images, on a classifier's features.

    Density says how near images lie to real ones, and coverage how many real images have one near
    them.

    Args:
        classifier, name, dtype: as in `FrechetDistance`.
        reference: `(m, d)`, features of the real images; or None. See also `set_reference`.
        k: int, which nearest neighbor the spheres around the real features reach to.

    Raises:
        ValueError: as `SamplePrecision`.
    """

    score = "density_coverage"

    def __init__(self, classifier="mnist", reference=None, k=5, name=None, dtype=None):
        super().__init__(classifier, reference, k, name=name, dtype=dtype)

    def result(self):
        """A dict of two floats, `"density"` and `"coverage"`, as `density_coverage` gives them.

        Raises:
            ValueError: if there is no reference, or no more than k images.
        """
        images, real = self.features()
        values = density_coverage(images, real, self.k, self.real_radii())
        return dict(zip(("density", "coverage"), values, strict=True))
