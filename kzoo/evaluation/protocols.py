"""Samples of a model and their scores by a classifier; the accuracy of a classifier.

Every score says by which protocol it was measured. All run on any backend, from a seed. The scores
of other kinds are in `likelihood_scores.py`, `reconstruction_scores.py`, `translation_scores.py`,
`conditional_accuracy.py` and `judge.py`.
"""

import numpy as np

from kzoo.checks import check_positive_int, seed_generator
from kzoo.conditions import check_given
from kzoo.evaluation.capabilities import can, conditions_of, takes
from kzoo.evaluation.evaluate import evaluate_images
from kzoo.evaluation.scores import Score, untracked

SAMPLE_GROUP = 640  # images drawn from one seed, ten mini-batches of 64


def sample(model, num_samples, seed=0, track=untracked, **options):
    """Draws many images in groups, to show progress.

    Up to 640 images are those of `model.generate(num_samples, seed)`; more are drawn in groups of
    640 from a `SeedGenerator` of that seed.

    Args:
        model: a `kzoo.GenerativeModel`.
        num_samples: how many images.
        seed: an int.
        track: function `(sequence, description)` that iterates over the sequence and shows
            how far it is.
        **options: further arguments of the model's `generate`: options such as the `steps` of a
            `kzoo.CFGGAN`, or a condition such as `labels`, for all images or for each; `None`
            stands for one that is left out.

    Returns:
        A generator of uint8 arrays `(n, height, width, channels)`.

    Raises:
        ValueError: if the number is not positive, or the model's `generate` does not take an
            option or its value.
    """
    check_positive_int("num_samples", num_samples)
    if not can(model, "generate"):
        raise ValueError(f"Expected a model that draws images, got {type(model).__name__}.")
    options = {name: value for name, value in options.items() if value is not None}
    for name, value in options.items():
        if not takes(model, name):
            raise ValueError(
                f"{type(model).__name__}.generate() takes no {name}; got {name}={value!r}."
            )
    each = conditions_of_sample(model, num_samples, **options)
    options = {name: value for name, value in options.items() if name not in each}
    return _groups(model, num_samples, seed, track, options, each)


def conditions_of_sample(model, num_samples, **options):
    """The conditions that the images of `sample` are drawn for, `{name: array (num_samples, ...)}`.

    Args:
        model, num_samples, **options: as in `sample`.
    """
    given = {c.name: options.get(c.name) for c in conditions_of(model)}
    return check_given(model, num_samples, given)[1]


def _groups(model, num_samples, seed, track, options, each):
    if num_samples > SAMPLE_GROUP:
        seed = seed_generator(seed)
    for start in track(range(0, num_samples, SAMPLE_GROUP), "Drawing images"):
        count = min(SAMPLE_GROUP, num_samples - start)
        conditions = {name: values[start : start + count] for name, values in each.items()}
        yield model.generate(count, seed=seed, **options, **conditions)


def describe_sample(model, num_samples, seed=0, seeds=1, **options):
    """What the images of `sample` are, for the protocol of a score; of how many seeds."""
    origin = f" of {model.sample_name(**options)}" if can(model, "sample_name") else ""
    numbers = f"seed {seed}"
    if seeds > 1:
        numbers = f"mean of seeds {seed} to {seed + seeds - 1}"
    return f"{num_samples:,} samples{origin}, {numbers}, clipped to [-1, 1]"


def sample_scores(batches, protocol, classifier="mnist"):
    """Inception score, diversity score and Frechet distance of samples (clipped to [-1, 1]).

    Args:
        batches: as `sample` gives them.
        protocol: as `describe_sample` says it.
        classifier: one with `reference`.

    Returns:
        `(scores, class_histogram)`.
    """
    measured = evaluate_images(batches, classifier)
    scores = [
        Score(name, measured[name], "", protocol, real)
        for name, real in measured["reference"].items()
    ]
    return scores, measured["class_histogram"]


def accuracy_scores(classifier, images, labels):
    """Accuracy on test images, and the scores that these real images get.

    Returns:
        `(scores, class_histogram)`: the accuracy in percent and, if the classifier has a
        `reference`, the images' inception score, diversity score and Frechet distance. Of a
        multi-label classifier, the accuracy is the balanced one, and there is no histogram.
    """
    if len(labels) != len(images):
        raise ValueError(f"Expected one label per image, got {len(labels)} for {len(images)}.")
    _, probabilities = classifier.activations(images)
    if classifier.multi_label:
        scores, histogram = [_balanced_accuracy(classifier, probabilities, labels)], None
    else:
        predictions = probabilities.argmax(axis=1)
        accuracy = 100.0 * float(np.mean(predictions == labels))
        scores = [Score("accuracy", accuracy, "%", "labels against the most likely class")]
        histogram = np.bincount(predictions, minlength=classifier.num_classes)
    if classifier.reference is not None:
        measured = evaluate_images(images, classifier)
        train = f"{classifier.reference.num_train:,} training images"
        scores += [Score(n, measured[n], "", f"against {train}") for n in measured["reference"]]
    return scores, histogram


def _balanced_accuracy(classifier, probabilities, labels):
    """Of several labels (n, k): the mean over labels, and over images with and without each."""
    reference = classifier.reference
    thresholds = 0.5 if reference is None else reference.label_distribution
    labels = np.asarray(labels, "bool")
    right = (probabilities > thresholds) == labels
    known = [k for k, share in enumerate(labels.mean(axis=0)) if 0 < share < 1]
    each = [np.mean(right[labels[:, k] == given, k]) for k in known for given in (False, True)]
    details = (
        f"mean over {len(known)} labels, and over the images with and without each; a label is "
        f"given where its probability is above {'.5' if reference is None else 'its share'}"
    )
    return Score("balanced_accuracy", 100.0 * float(np.mean(each)), "%", details)
