import numpy as np
import pytest

from kzoo import Classifier
from kzoo.metrics import (
    DiversityScore,
    FrechetDistance,
    InceptionScore,
    evaluate_images,
    measure_reference,
)


def images_of(seed, n):
    """Images with one bright quadrant each, and which."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, n)
    images = rng.integers(0, 128, (n, 8, 8, 1), dtype="uint8")
    for image, label in zip(images, labels):
        top, left = 4 * (label // 2), 4 * (label % 2)
        image[top : top + 4, left : left + 4] += 127
    return images, labels


@pytest.fixture(scope="module")
def classifier():
    classifier = Classifier((8, 8, 1), num_classes=4, widths=(3, 5))
    classifier.reference = measure_reference(classifier, *images_of(0, 200), images_of(1, 100)[0])
    return classifier


def test_test_images_score_the_reference_values(classifier):
    scores = evaluate_images(images_of(1, 100)[0], classifier)
    assert scores["n"] == 100
    for name, value in scores["reference"].items():
        assert scores[name] == pytest.approx(value, rel=1e-4)  # stored as float32


def test_one_pass_gives_what_the_metrics_give(classifier):
    images = images_of(2, 60)[0]
    scores = evaluate_images(images, classifier, splits=2)
    batches = evaluate_images((images[i : i + 25] for i in (0, 25, 50)), classifier, splits=2)
    for metric in (
        InceptionScore(classifier, splits=2),
        DiversityScore(classifier),
        FrechetDistance(classifier),
    ):
        metric.update_state(images)
        assert scores[metric.name] == pytest.approx(metric.result(), rel=1e-9)
        assert batches[metric.name] == pytest.approx(metric.result(), rel=1e-4, abs=1e-6)
        assert scores["reference"][metric.name] == metric.reference_value


def test_histogram_counts_the_most_likely_classes(classifier):
    images = images_of(3, 40)[0]
    expected = np.bincount(classifier.activations(images)[1].argmax(axis=1), minlength=4)
    assert evaluate_images(images, classifier)["class_histogram"].tolist() == expected.tolist()


def test_reference_describes_the_training_images(classifier):
    images, labels = images_of(0, 200)
    features, _ = classifier.activations(images)
    reference = classifier.reference
    assert (reference.num_train, reference.num_test) == (200, 100)
    np.testing.assert_allclose(reference.mean, features.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(reference.covariance, np.cov(features.T), rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(reference.label_distribution, np.bincount(labels) / 200, rtol=1e-6)


def test_reference_of_fewer_classes_than_the_classifier_knows(classifier):
    images = images_of(0, 200)[0]
    reference = measure_reference(classifier, images, None, images)
    expected = classifier.activations(images)[1].mean(axis=0)
    np.testing.assert_allclose(reference.label_distribution, expected, rtol=1e-6)
    # The same images are taken for each class as often, and have the same features.
    assert reference.scores["diversity_score"] == pytest.approx(1, abs=1e-9)
    assert reference.scores["frechet_distance"] == pytest.approx(0, abs=1e-6)


def test_reference_is_saved_with_the_weights(classifier, tmp_path):
    classifier.save_to_preset(tmp_path / "preset")
    loaded = Classifier.from_preset(tmp_path / "preset").reference
    np.testing.assert_array_equal(loaded.covariance, classifier.reference.covariance)
    assert loaded.scores == classifier.reference.scores
    assert Classifier.from_preset(tmp_path / "preset", load_weights=False).reference is None


def test_errors(classifier):
    images = images_of(4, 5)[0]
    with pytest.raises(ValueError, match="more than 5 images; got 5"):
        evaluate_images(images, classifier)
    with pytest.raises(ValueError, match="no stored label distribution"):
        evaluate_images(images, Classifier((8, 8, 1), num_classes=4, widths=(3, 5)))
    with pytest.raises(ValueError, match="classifier"):
        evaluate_images(images, None)
