"""Frechet distance between Gaussians fitted to a classifier's features.

The construction of Heusel et al. 2017 (arXiv:1706.08500), equation 6, on the features of a
`kzoo.Classifier`: since they are not those of the Inception-v3 network, the value is no "FID" and
comparable under one classifier only.
"""

import keras
import numpy as np

from kzoo.evaluation.classifier_metric import ClassifierMetric, activations_of


class GaussianStatistics:
    """Mean and covariance of a stream of vectors, in float64.

    Batches are merged by Chan, Golub & LeVeque 1979, equation 2.1: sums of squares are always
    about the mean of their own batch, so that a large mean costs no precision.

    Attributes:
        count: how many vectors there were.
        mean: `(d,)`, their mean.
    """

    def __init__(self, num_features):
        self.count = 0
        self.mean = np.zeros(num_features)
        self._scatter = np.zeros((num_features, num_features))  # sum (x - mean)(x - mean)^T

    def update(self, x):
        """Adds vectors `(n, d)`."""
        x = np.asarray(x, "float64")
        if x.ndim != 2 or x.shape[1] != len(self.mean):
            raise ValueError(f"Expected vectors (n, {len(self.mean)}); got shape {x.shape}.")
        if not len(x):
            return
        mean = x.mean(axis=0)
        centred = x - mean
        shift = mean - self.mean
        total = self.count + len(x)
        self._scatter += centred.T @ centred
        self._scatter += np.outer(shift, shift) * (self.count * len(x) / total)
        self.mean = self.mean + shift * (len(x) / total)
        self.count = total

    @property
    def covariance(self):
        """`(d, d)`, normalized by n - 1.

        Raises:
            ValueError: if there were fewer than two vectors.
        """
        if self.count < 2:
            raise ValueError(f"A covariance needs at least two vectors; got {self.count}.")
        return self._scatter / (self.count - 1)


def gaussian_of(features):
    """`(mean, covariance)` of vectors (n, d), n >= 2."""
    statistics = GaussianStatistics(features.shape[1])
    statistics.update(features)
    return statistics.mean, statistics.covariance


def frechet_distance(mean1, covariance1, mean2, covariance2):
    """Squared Frechet (2-Wasserstein) distance between two Gaussians.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2) (Dowson & Landau 1982; the symmetric form
    of the last term has the same trace as (C1 C2)^1/2 and needs no complex square root).

    Args:
        mean1: `(d,)`, mean of the first Gaussian.
        covariance1: `(d, d)`, its covariance, symmetric and positive semidefinite.
        mean2: `(d,)`, mean of the second.
        covariance2: `(d, d)`, its covariance.

    Returns:
        A float, not negative.

    Raises:
        ValueError: if the shapes do not fit.
    """
    shapes = [np.shape(part) for part in (mean1, covariance1, mean2, covariance2)]
    d = len(mean1) if np.ndim(mean1) else 0
    if shapes != [(d,), (d, d)] * 2:
        raise ValueError(
            "Expected two means (d,), each with a covariance (d, d); got shapes "
            f"{', '.join(map(str, shapes))}."
        )
    values, vectors = np.linalg.eigh(covariance1)
    # Rounding makes eigenvalues of singular covariances slightly negative.
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T  # C1^1/2, (d, d)
    product = np.linalg.eigvalsh(root @ covariance2 @ root)
    cross = np.sum(np.sqrt(np.maximum(product, 0)))
    shift = np.asarray(mean1) - np.asarray(mean2)
    distance = shift @ shift + np.trace(covariance1) + np.trace(covariance2) - 2 * cross
    return float(max(distance, 0.0))


@keras.saving.register_keras_serializable(package="kzoo")
class FrechetDistance(ClassifierMetric):
    """Frechet distance between the classifier's features of the images and of real images.

    0 where means and covariances agree, unbounded above, in squared units of the features. It
    falls with the number of images even where the distribution stays the same: compare values
    from equal numbers of images, at least 10,000.

    Args:
        classifier: name of a `kzoo.Classifier` preset, a `kzoo.Classifier`, a Keras model from
            images to features (see `kzoo.metrics.FeatureExtractor`), or the number of features: all
            methods then take features `(n, d)` in the place of images.
        reference: `(mean, covariance)` of the real images' features, of shapes `(d,)` and
            `(d, d)`; by default those of the training images stored with the classifier. See also
            `set_reference`.
        name, dtype: as in any Keras metric; the state is float64 in any case.

    Raises:
        ValueError: if the classifier is none of these, or the reference has other shapes.
    """

    score = "frechet_distance"
    of_features = True

    def __init__(self, classifier="mnist", reference=None, name=None, dtype=None):
        super().__init__(classifier, name=name, dtype=dtype)
        self.reference = None
        if reference is not None:
            d = self.classifier.num_features
            parts = [np.asarray(part, "float64") for part in reference]
            if [part.shape for part in parts] != [(d,), (d, d)]:
                shapes = ", ".join(str(part.shape) for part in parts[:3])
                raise ValueError(
                    f"`reference` must be a mean ({d},) and a covariance ({d}, {d}); got "
                    f"{len(parts)} arrays of shapes {shapes}. Images are for set_reference()."
                )
            self.reference = tuple(parts)

    def set_reference(self, images):
        """Measures against these real images from now on.

        Args:
            images: uint8 array `(n, height, width, channels)`, n greater than the number of
                features.

        Raises:
            ValueError: if the images are too few, not uint8 or of another shape.
        """
        features = activations_of(self.classifier, images)[0]
        self._check_count(len(features), "reference images")
        self.reference = gaussian_of(features)

    def reset_state(self):
        """Forgets all images, but not the reference."""
        self._statistics = GaussianStatistics(self.classifier.num_features)

    @property
    def count(self):
        """How many images there were."""
        return self._statistics.count

    def update_activations(self, features, probabilities):
        self._statistics.update(features)

    def result(self):
        """The distance, a float.

        Raises:
            ValueError: if there is no reference, or no more images than features: their
                covariance would be singular.
        """
        self._check_count(self.count, "images")
        if self.reference is not None:
            mean, covariance = self.reference
        elif self.classifier.reference is not None:
            stored = self.classifier.reference
            mean, covariance = stored.mean, stored.covariance
        else:
            raise ValueError(
                "The classifier has no stored statistics of real images; give FrechetDistance "
                "`reference` or call set_reference(images) first."
            )
        statistics = self._statistics
        return frechet_distance(statistics.mean, statistics.covariance, mean, covariance)

    def _check_count(self, count, what):
        d = self.classifier.num_features
        if count <= d:
            raise ValueError(
                f"FrechetDistance on {d} features needs more than {d} {what}; got {count}."
            )

    def get_config(self):
        reference = self.reference and [part.tolist() for part in self.reference]
        return {**super().get_config(), "reference": reference}
