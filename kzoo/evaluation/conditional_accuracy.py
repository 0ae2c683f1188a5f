"""Whether a class-conditional model draws the requested classes: accuracy, and distances by class.

* Shmelkov, Schmid, Alahari 2018, "How good is my GAN?", arXiv:1807.09499, section 3.2: the accuracy
  on generated images of a classifier that was trained on real ones, there called GAN-test [1].
* Miyato, Koyama 2018, "cGANs with projection discriminator", arXiv:1802.05637, section 4: the
  Frechet distance within every class, there called intra FID [2].

Deviation: as everywhere in kzoo, the features are those of a classifier of the data, not of the
Inception network.
"""

import keras
import numpy as np

from kzoo.evaluation.classifier_metric import ClassifierMetric, activations_of, resolve_classifier
from kzoo.evaluation.frechet_distance import GaussianStatistics, frechet_distance
from kzoo.evaluation.scores import Score


@keras.saving.register_keras_serializable(package="kzoo")
class ConditionalAccuracy(ClassifierMetric):
    """The fraction of images that the classifier takes for the class they were drawn for [1].

    From 0 to 1; 1 / num_classes for a model that ignores the labels and draws all classes equally
    often. It says nothing about how many kinds of images there are of each class.

    Args:
        classifier: name of a `kzoo.Classifier` preset, or a `kzoo.Classifier`, of the same classes.
        name, dtype: as in any Keras metric; the state is float64 in any case.

    Raises:
        ValueError: if the classifier is neither a string nor a `kzoo.Classifier`.

    Example:

    >>> metric = kzoo.metrics.ConditionalAccuracy("mnist")
    >>> metric.update_state(gan.generate(10, labels=range(10)), range(10))
    >>> metric.result()
    """

    score = "conditional_accuracy"
    of_one_label = True

    def reset_state(self):
        """Forgets all images."""
        self.count = self._right = 0

    def update_state(self, images, labels):
        """Adds images and the classes that they were drawn for.

        Args:
            images: uint8 (n, height, width, channels).
            labels: ints (n,).

        Raises:
            ValueError: if the images are not as in `ClassifierMetric.update_state`, or the labels
                are not one class of the classifier for each.
        """
        activations = activations_of(self.classifier, images)
        labels = check_labels(labels, len(images), self.classifier.num_classes)
        self.update_activations(*activations, labels)

    def update_activations(self, features, probabilities, labels):
        self._right += int(np.sum(np.argmax(probabilities, axis=1) == labels))
        self.count += len(labels)

    def result(self):
        """The fraction, a float.

        Raises:
            ValueError: if there were no images.
        """
        if not self.count:
            raise ValueError("ConditionalAccuracy needs at least one image; got none.")
        return self._right / self.count


def check_labels(labels, count, num_classes):
    """Labels as an int array (count,).

    Raises:
        ValueError: unless they are one int in 0 .. num_classes - 1 for each image.
    """
    labels = np.asarray(labels)
    fits = labels.shape == (count,) and labels.dtype.kind in "iu"
    if not fits or (count and not 0 <= labels.min() <= labels.max() < num_classes):
        raise ValueError(
            f"Expected {count} integer labels in 0..{num_classes - 1}, one for each image; got an "
            f"array of shape {labels.shape} and dtype {labels.dtype}: {labels!r}."
        )
    return labels


def conditional_scores(batches, labels, protocol, classifier, real=None):
    """Accuracy of the classes asked for, and the mean Frechet distance within the classes.

    Args:
        batches, labels: samples, and the class that each was drawn for.
        protocol: as `kzoo.evaluation.protocols.describe_sample` says it.
        classifier: of these classes.
        real: `(images, labels, text)`, real images and what they are; or None.

    Returns:
        `"conditional_accuracy"`, beside that of the real images, and
        `"intra_class_frechet_distance"`, if there are more samples and more real images of every
        class than the classifier has features.
    """
    classifier = resolve_classifier(classifier)
    accuracy, drawn = _measure(classifier, batches, labels)
    if real is None:
        return [Score("conditional_accuracy", accuracy, "", protocol)]
    images, real_labels, text = real
    reference, given = _measure(classifier, [images], real_labels)
    scores = [
        Score("conditional_accuracy", accuracy, "", f"{protocol}; real value: {text}", reference)
    ]
    if all(statistics.count > classifier.num_features for statistics in (*drawn, *given)):
        distances = [
            frechet_distance(a.mean, a.covariance, b.mean, b.covariance)
            for a, b in zip(drawn, given, strict=True)
        ]
        details = (
            f"{protocol}, against {text}; mean over {len(distances)} classes, from "
            f"{min(distances):.3g} (class {int(np.argmin(distances))}) to {max(distances):.3g} "
            f"(class {int(np.argmax(distances))}); it falls with the number of images"
        )
        mean = float(np.mean(distances))
        scores.append(Score("intra_class_frechet_distance", mean, "", details))
    return scores


def _measure(classifier, batches, labels):
    """Accuracy, and a list with the `GaussianStatistics` of every class's features."""
    metric = ConditionalAccuracy(classifier)
    classes = [GaussianStatistics(classifier.num_features) for _ in range(classifier.num_classes)]
    for batch in batches:
        features, probabilities = activations_of(classifier, batch)
        part = labels[metric.count : metric.count + len(batch)]
        part = check_labels(part, len(batch), classifier.num_classes)
        metric.update_activations(features, probabilities, part)
        for label, statistics in enumerate(classes):
            statistics.update(features[part == label])
    return metric.result(), classes
