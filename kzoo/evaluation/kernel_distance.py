"""Kernel distance of a classifier's features: Binkowski et al. 2018 (arXiv:1801.01401), section 4.

The paper's "KID", on the features of a `kzoo.Classifier`. Since they are not those of the
Inception-v3 network, the value is no KID and comparable under one classifier only.
"""

import keras
import numpy as np

from kzoo.checks import check_positive_int
from kzoo.evaluation.feature_set import FeatureSetMetric


def kernel_distance(x, y):
    """Unbiased estimate of the squared maximum mean discrepancy (MMD) of two distributions.

    With k(a, b) = (a.b / d + 1)^3, it is the mean of k over pairs of different vectors of `x`,
    plus that of `y`, less twice the mean over pairs of one of each (Gretton et al. 2012, equation
    3). Its expectation does not depend on the numbers of vectors, and is 0 for equal
    distributions. A single value may be negative.

    Args:
        x: `(n, d)`, n >= 2, samples of one distribution.
        y: `(m, d)`, m >= 2, samples of the other.

    Returns:
        A float.

    Raises:
        ValueError: if the vectors have two lengths, or there are fewer than two of either kind.
    """
    x, y = np.asarray(x, "float64"), np.asarray(y, "float64")
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < 2:
        raise ValueError(
            f"Expected vectors (n, d) and (m, d), two or more of each; got {x.shape} and {y.shape}."
        )
    n, m = len(x), len(y)
    within_x, within_y, between = _kernel(x, x), _kernel(y, y), _kernel(x, y)
    return float(
        (within_x.sum() - np.trace(within_x)) / (n * (n - 1))
        + (within_y.sum() - np.trace(within_y)) / (m * (m - 1))
        - 2 * between.mean()
    )


def _kernel(x, y):
    k = x @ y.T / x.shape[1] + 1  # (n, m)
    return k * k * k  # much faster than k**3


@keras.saving.register_keras_serializable(package="kzoo")
class KernelDistance(FeatureSetMetric):
    """Kernel distance between the classifier's features of the images and of real images.

    The mean of `kernel_distance` over random subsets of both, drawn without replacement within a
    subset. Unlike the Frechet distance, its expectation does not depend on the number of images.

    Args:
        classifier, name, dtype: as in `FrechetDistance`.
        reference: `(m, d)`, features of the real images; or None. See also `set_reference`.
        subsets: how many subsets.
        subset_size: images of either kind per subset, at least 2; if there are fewer images of one
            kind, this number of both.
        seed: int, of the subsets.

    Raises:
        ValueError: as `FrechetDistance`, and if an argument is outside its range.
    """

    score = "kernel_distance"
    least = 2

    def __init__(
        self,
        classifier="mnist",
        reference=None,
        subsets=100,
        subset_size=1000,
        seed=0,
        name=None,
        dtype=None,
    ):
        super().__init__(classifier, reference, name=name, dtype=dtype)
        self.subsets = check_positive_int("subsets", subsets)
        self.subset_size = check_positive_int("subset_size", subset_size)
        if self.subset_size < 2:
            raise ValueError(f"subset_size must be at least 2, got {subset_size}.")
        self.seed = seed

    def of_subsets(self):
        """The distance of each subset, float64 `(subsets,)`.

        Raises:
            ValueError: if there is no reference, or fewer than two images.
        """
        rng = np.random.default_rng(self.seed)
        sets = self.features()
        size = min(self.subset_size, *map(len, sets))
        draws = (
            [x[rng.choice(len(x), size, replace=False)] for x in sets] for _ in range(self.subsets)
        )
        return np.array([kernel_distance(*drawn) for drawn in draws])

    def result(self):
        """The mean distance of the subsets, a float; raises as `of_subsets`."""
        return float(self.of_subsets().mean())

    def get_config(self):
        own = {"subsets": self.subsets, "subset_size": self.subset_size, "seed": self.seed}
        return {**super().get_config(), **own}
