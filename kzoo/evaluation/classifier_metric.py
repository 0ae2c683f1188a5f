"""What the metrics of generated images share: a classifier, and images resized for it."""

import keras
import numpy as np
from PIL import Image

from kzoo.checks import check_positive_int
from kzoo.classifier import Classifier

# MNIST is 28x28, and zero-padded to 32x32 for networks that halve their input several times.
_UNPADDED, _PADDED = (28, 28), (32, 32)


def check_uint8_images(images):
    """`images` as a NumPy array, if they are uint8 images `(n, height, width, channels)`.

    Raises:
        ValueError: if they are not.
    """
    images = np.asarray(keras.ops.convert_to_numpy(images))
    if images.dtype != np.uint8 or images.ndim != 4:
        raise ValueError(
            "Expected uint8 images of shape (n, height, width, channels); "
            f"got {images.dtype} of shape {images.shape}."
        )
    return images


def match_size(images, image_shape):
    """Brings images `(n, height, width, channels)` to the `image_shape` of a classifier.

    Images of another shape are taken only if both are MNIST's two sizes, 28x28 and zero-padded
    32x32, which differ by a centred border of two zeros.

    Raises:
        ValueError: if the shapes differ in any other way.
    """
    shape = images.shape[1:]
    if shape == image_shape:
        return images
    if shape[2] == image_shape[2]:
        if (shape[:2], image_shape[:2]) == (_UNPADDED, _PADDED):
            return np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)))
        if (shape[:2], image_shape[:2]) == (_PADDED, _UNPADDED):
            return images[:, 2:-2, 2:-2]
    raise ValueError(
        f"Expected images of shape (n, {', '.join(map(str, image_shape))}), as the classifier "
        f"takes them; got {images.shape}."
    )


def enlarge(images, image_shape):
    """Brings uint8 images `(n, height, width, 3)` to a classifier's larger `image_shape`.

    Both sides grow by the same whole factor. Pixels are interpolated bilinearly between the
    centres of the given ones, and rounded (Pillow's `BILINEAR`). Images of that shape stay as they
    are.

    Raises:
        ValueError: if the shapes differ in any other way.
    """
    (height, width, channels), (rows, columns, _) = images.shape[1:], image_shape
    if images.shape[1:] == tuple(image_shape):
        return images
    whole = rows % height == columns % width == 0 and rows // height == columns // width
    if not whole or (channels, image_shape[2]) != (3, 3):
        raise ValueError(
            f"Expected colour images of shape (n, {rows}, {columns}, 3), or smaller by a whole "
            f"factor; got {images.shape}."
        )
    size, bilinear = (columns, rows), Image.Resampling.BILINEAR
    return np.stack([np.asarray(Image.fromarray(x).resize(size, bilinear)) for x in images])


def resolve_classifier(classifier):
    """The `Classifier` of that preset name, or the given one.

    Raises:
        ValueError: if it is neither a string nor a `kzoo.Classifier`.
    """
    if isinstance(classifier, str):
        return Classifier.from_preset(classifier)
    if not isinstance(classifier, Classifier):
        raise ValueError(
            "`classifier` must be the name of a Classifier preset or a kzoo.Classifier; "
            f"got {classifier!r}."
        )
    return classifier


class FeatureExtractor:
    """A Keras model from images to features, in place of a classifier.

    Args:
        model: `keras.Model` from images `(n, height, width, channels)` to features `(n, d)`. It
            gets the pixels as they are, floats in [0, 255]: a `keras.layers.Rescaling` as its
            first layer brings them to another range.

    Attributes:
        image_shape: of the images that the model takes.
        num_features: d.

    Raises:
        ValueError: if the model has other shapes, or sizes that are not fixed.
    """

    multi_label, reference, num_classes = False, None, 0

    def __init__(self, model):
        takes = tuple(getattr(model, "input_shape", ()))
        gives = tuple(getattr(model, "output_shape", ()))
        if len(takes) != 4 or len(gives) != 2 or None in takes[1:] + gives[1:]:
            raise ValueError(
                "Expected a model from images (None, height, width, channels) to features "
                f"(None, d); got one from {takes} to {gives}."
            )
        self.model, self.image_shape, self.num_features = model, takes[1:], gives[1]

    def activations(self, images):
        """`(features, None)` of uint8 images `(n, height, width, channels)`: float32 `(n, d)`."""
        pixels = check_uint8_images(images).astype("float32")
        return np.asarray(self.model.predict(pixels, verbose=0), "float32"), None


class GivenFeatures:
    """Features that were computed elsewhere, in the place of a classifier.

    Args:
        num_features: d.
    """

    multi_label, reference, num_classes = False, None, 0

    def __init__(self, num_features):
        self.num_features = check_positive_int("classifier", num_features)

    def activations(self, features):
        """`(features, None)`, of an array or tensor `(n, d)`.

        Raises:
            ValueError: for another shape, or what are not finite numbers.
        """
        features = np.asarray(keras.ops.convert_to_numpy(features))
        if features.ndim != 2 or features.shape[1] != self.num_features:
            raise ValueError(
                f"Expected features of shape (n, {self.num_features}), got {features.shape}."
            )
        if features.dtype.kind not in "fiu" or not np.all(np.isfinite(features)):
            raise ValueError("Expected features that are finite numbers.")
        return features.astype("float32"), None


def activations_of(classifier, images):
    """`(features, probabilities)` of images, matched to the classifier's size, or of features."""
    if isinstance(classifier, GivenFeatures):
        return classifier.activations(images)
    return classifier.activations(match_size(check_uint8_images(images), classifier.image_shape))


def resolve_features(classifier):
    """What gives the features: see `ClassifierMetric`."""
    if isinstance(classifier, int) and not isinstance(classifier, bool):
        return GivenFeatures(classifier)
    if isinstance(classifier, FeatureExtractor):
        return classifier
    is_extractor = isinstance(classifier, keras.Model) and not isinstance(classifier, Classifier)
    return FeatureExtractor(classifier) if is_extractor else resolve_classifier(classifier)


class ClassifierMetric(keras.metrics.Metric):
    """A metric of a set of images through the predictions and features of a classifier.

    The state is float64 NumPy arrays and not Keras variables, since JAX keeps variables in
    float32 at most: `update_state` runs outside of compiled programs, on concrete images.

    Args:
        classifier: name of a `kzoo.Classifier` preset, or a `kzoo.Classifier`. Metrics that read
            features alone also take a `FeatureExtractor`, or a Keras model from images to features;
            or an int, the number of features: `update_state` then takes features `(n, d)`, which
            were computed elsewhere, in the place of images.
        name, dtype: as in any Keras metric; the state is float64 in any case.

    Raises:
        ValueError: if the classifier is neither a string nor a `kzoo.Classifier`, or its labels do
            not exclude each other (`multi_label`), which some metrics need.
    """

    score = None  # key of this metric among the scores of `Reference`
    of_features = False  # whether it reads features alone, and takes any `FeatureExtractor`
    of_one_label = False  # whether it reads the probabilities of classes that exclude each other

    def __init__(self, classifier="mnist", name=None, dtype=None):
        super().__init__(name=name or self.score, dtype=dtype)
        self._classifier_argument = classifier
        resolve = resolve_features if self.of_features else resolve_classifier
        self.classifier = resolve(classifier)
        if self.of_one_label and self.classifier.multi_label:
            raise ValueError(
                f"{type(self).__name__} needs a classifier of one label per image, got one with "
                "multi_label=True."
            )
        self.reset_state()

    @property
    def reference_value(self):
        """The score of the real test images, stored with the classifier.

        `None` if it has none, or if the metric has a reference of its own.
        """
        reference = self.classifier.reference
        if getattr(self, "reference", None) is not None:
            return None
        return None if reference is None else reference.scores.get(self.score)

    def update_state(self, images):
        """Adds images, uint8 `(n, height, width, channels)`, arrays or tensors.

        Raises:
            ValueError: if they are not uint8 of rank 4, or not of the classifier's shape (28x28
                and 32x32 images are padded and cropped to each other).
        """
        self.update_activations(*activations_of(self.classifier, images))

    def update_activations(self, features, probabilities):
        """Adds images by their features and probabilities: metrics can share one pass.

        Args:
            features: `(n, d)`, penultimate activations.
            probabilities: `(n, num_classes)`, class probabilities p(y|x); `None` for a metric that
                reads features alone.
        """
        raise NotImplementedError

    def get_config(self):
        """The arguments. A classifier given as an object stays one: weights are not config."""
        return {**super().get_config(), "classifier": self._classifier_argument}
