"""The shipped classifier on real test images."""

import numpy as np
import pytest

from kzoo import Classifier, datasets
from kzoo.metrics import evaluate_images


@pytest.fixture(scope="module")
def classifier():
    return Classifier.from_preset("mnist")


def test_reference_of_the_preset(classifier):
    reference = classifier.reference
    assert (reference.num_train, reference.num_test) == (60_000, 10_000)
    # Real digits are nearly evenly spread, and nearly surely recognized.
    assert 9.7 < reference.scores["inception_score"] < 10
    assert 0.999 < reference.scores["diversity_score"] <= 1
    np.testing.assert_allclose(reference.label_distribution.sum(), 1, rtol=1e-6)
    assert np.linalg.eigvalsh(reference.covariance).min() > -1e-6


def test_accuracy_and_scores_on_test_images(classifier, tfds_dir):
    pytest.importorskip("tensorflow_datasets")
    test = datasets.load(
        "mnist", "test[:2000]", 500, pad_to=32, labels=True, data_dir=tfds_dir, download=False
    )
    images, labels = datasets.to_arrays(test)
    probabilities = classifier.activations(images)[1]
    assert np.mean(probabilities.argmax(axis=1) == labels) >= 0.99
    scores = evaluate_images(images, classifier)
    assert scores["n"] == scores["class_histogram"].sum() == 2000
    assert scores["inception_score"] > 9.6
    assert scores["diversity_score"] > 0.99
    # Noise is no digit.
    noise = np.random.default_rng(0).integers(0, 256, (200, 32, 32, 1), dtype="uint8")
    assert evaluate_images(noise, classifier)["frechet_distance"] > 20 * scores["frechet_distance"]
