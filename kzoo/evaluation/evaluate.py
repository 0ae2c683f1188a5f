"""All scores of a set of images in one pass of the classifier."""

import numpy as np

from kzoo.classifier import Reference
from kzoo.evaluation.classifier_metric import activations_of, resolve_classifier
from kzoo.evaluation.diversity_score import DiversityScore
from kzoo.evaluation.frechet_distance import FrechetDistance
from kzoo.evaluation.inception_score import InceptionScore


def evaluate_images(images, classifier="mnist", splits=1):
    """Inception score, diversity score and Frechet distance of images in one pass.

    Args:
        images: uint8 array `(n, height, width, channels)`, or an iterable of such batches; n
            greater than the classifier's number of features.
        classifier: name of a `kzoo.Classifier` preset, or a `kzoo.Classifier` with `reference`.
        splits: see `InceptionScore`.

    Returns:
        A dict: `n`; `inception_score`, `diversity_score` and `frechet_distance`, floats, of a
        multi-label classifier the last alone; `class_histogram`, an int array `(num_classes,)` of
        how many images were classified as each class, or had each label; `reference`, a dict of
        the same scores of the real test images.

    Raises:
        ValueError: if the images are too few, not uint8 or of another shape than the classifier
            takes, or if the classifier has no reference.
    """
    classifier = resolve_classifier(classifier)
    metrics = [FrechetDistance(classifier)]
    if not classifier.multi_label:
        metrics = [InceptionScore(classifier, splits=splits), DiversityScore(classifier), *metrics]
    count, histogram = 0, np.zeros(classifier.num_classes, "int64")
    for batch in [images] if hasattr(images, "shape") else images:
        features, probabilities = activations_of(classifier, batch)
        count += len(features)
        histogram += class_counts(classifier, probabilities)
        for metric in metrics:
            metric.update_activations(features, probabilities)
    return {
        "n": count,
        **{metric.score: metric.result() for metric in metrics},
        "class_histogram": histogram,
        "reference": {metric.score: metric.reference_value for metric in metrics},
    }


def class_counts(classifier, probabilities):
    """How many images (n, num_classes) were given each class, or each label: (num_classes,)."""
    if classifier.multi_label:
        return np.sum(probabilities > 0.5, axis=0)
    return np.bincount(probabilities.argmax(axis=1), minlength=classifier.num_classes)


def measure_reference(classifier, train_images, train_labels, test_images):
    """The `Reference` of a classifier: statistics of real training images, scores of test images.

    Args:
        classifier: a `kzoo.Classifier`.
        train_images: uint8 array `(n, height, width, channels)`, the real training images of the
            models to be scored.
        train_labels: int array `(n,)`, their labels, of a multi-label classifier 0 and 1 for each,
            `(n, num_classes)`; or None if these models learn fewer classes than the classifier has.
            Pr*(y) of the diversity score is then the classifier's average prediction on the
            training images, because a class of probability 0 would make every score 0.
        test_images: uint8 array, real images that the classifier was not trained on.

    Returns:
        A `kzoo.classifier.Reference`; assign it to `classifier.reference`.

    Raises:
        ValueError: if the images are too few, not uint8 or of another shape than the classifier
            takes.
    """
    distance = FrechetDistance(classifier)
    distance.set_reference(train_images)
    mean, covariance = distance.reference
    if train_labels is None:
        shares = activations_of(classifier, train_images)[1].mean(axis=0)
    elif classifier.multi_label:
        shares = np.mean(train_labels, axis=0)
    else:
        labels = np.bincount(train_labels, minlength=classifier.num_classes)
        shares = labels / labels.sum()

    activations = activations_of(classifier, test_images)
    metrics = [distance]
    if not classifier.multi_label:
        metrics += [InceptionScore(classifier), DiversityScore(classifier, reference=shares)]
    for metric in metrics:
        metric.update_activations(*activations)
    return Reference(
        mean=mean,
        covariance=covariance,
        num_train=len(train_images),
        label_distribution=shares,
        scores={metric.score: metric.result() for metric in metrics},
        num_test=len(test_images),
    )
