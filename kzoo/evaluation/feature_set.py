"""What the metrics share that compare two sets of features, point by point."""

import numpy as np

from kzoo.evaluation.classifier_metric import ClassifierMetric, activations_of

CHUNK = 2**23  # distances held at once


class FeatureSetMetric(ClassifierMetric):
    """A metric of the features of all images beside those of real images.

    All features are kept: 10,000 images of 128 features take 5 MB.

    Args:
        classifier, name, dtype: as in `FrechetDistance`.
        reference: `(m, d)`, features of the real images; or None. See also `set_reference`.

    Raises:
        ValueError: as `FrechetDistance`, and if the reference has too few rows.
    """

    of_features = True
    least = 1  # images that the metric needs, of either kind

    def __init__(self, classifier="mnist", reference=None, name=None, dtype=None):
        super().__init__(classifier, name=name, dtype=dtype)
        self.reference = None
        if reference is not None:
            self.reference = self._checked(np.asarray(reference, "float32"), "`reference`")

    def set_reference(self, images):
        """Compares with these real images from now on, uint8 `(m, height, width, channels)`.

        Raises:
            ValueError: if the images are too few, not uint8 or of another shape.
        """
        features = activations_of(self.classifier, images)[0]
        self.reference = self._checked(features, "reference images")

    def reset_state(self):
        """Forgets all images, but not the reference."""
        self._batches = []

    @property
    def count(self):
        """How many images there were."""
        return sum(map(len, self._batches))

    def update_activations(self, features, probabilities):
        self._batches.append(self._checked(np.asarray(features, "float32"), "features", least=0))

    def features(self):
        """`(images, real images)`: their features, float64 `(n, d)` and `(m, d)`.

        Raises:
            ValueError: if there is no reference, or too few images.
        """
        if self.reference is None:
            raise ValueError(
                f"{type(self).__name__} compares with real images: give `reference` or call "
                "set_reference(images) first."
            )
        images = np.concatenate([np.zeros((0, self.classifier.num_features)), *self._batches])
        return self._checked(images, "images"), self.reference.astype("float64")

    def _checked(self, features, what, least=None):
        d, least = self.classifier.num_features, self.least if least is None else least
        if features.ndim != 2 or features.shape[1] != d or len(features) < least:
            raise ValueError(
                f"{type(self).__name__} needs features ({least} or more, {d}) of {what}; got "
                f"shape {features.shape}."
            )
        return features

    def get_config(self):
        reference = None if self.reference is None else self.reference.tolist()
        return {**super().get_config(), "reference": reference}


def square_distances(x, y):
    """Squared Euclidean distances of vectors, in chunks of rows.

    Args:
        x: float64 `(n, d)`.
        y: float64 `(m, d)`.

    Yields:
        The distances of the next vectors of `x`, `(a, m)`.
    """
    squares = (y * y).sum(axis=1)  # (m,)
    size = max(1, CHUNK // len(y))
    for start in range(0, len(x), size):
        some = x[start : start + size]
        distances = (some * some).sum(axis=1)[:, None] - 2 * some @ y.T + squares
        yield np.maximum(distances, 0)  # (a, m)
