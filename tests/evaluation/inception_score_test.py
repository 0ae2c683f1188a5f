import keras
import numpy as np
import pytest

from kzoo import Classifier
from kzoo.evaluation.classifier_metric import match_size
from kzoo.metrics import InceptionScore


@pytest.fixture(scope="module")
def classifier():
    return Classifier((8, 8, 1), num_classes=4, widths=(3, 5))


def score_of(metric, probabilities):
    metric.update_activations(np.zeros((len(probabilities), 5)), np.asarray(probabilities))
    return metric.result()


def test_sure_and_even_predictions_reach_the_number_of_classes(classifier):
    assert score_of(InceptionScore(classifier), np.tile(np.eye(4), (25, 1))) == pytest.approx(4)


def test_equal_predictions_score_one(classifier):
    p = np.tile([0.1, 0.2, 0.3, 0.4], (50, 1))
    assert score_of(InceptionScore(classifier), p) == pytest.approx(1, abs=1e-12)


def test_sure_predictions_score_the_exponential_entropy_of_the_labels(classifier):
    shares = np.array([0.5, 0.25, 0.25, 0.0])
    p = np.eye(4)[[0, 0, 1, 2] * 10]
    entropy = -np.sum(shares[:3] * np.log(shares[:3]))
    assert score_of(InceptionScore(classifier), p) == pytest.approx(np.exp(entropy))


def test_is_the_exponential_mean_divergence_however_the_images_come(classifier):
    p = np.random.default_rng(0).dirichlet(np.full(4, 0.3), size=90)
    expected = np.exp(np.mean(np.sum(p * np.log(p / p.mean(axis=0)), axis=1)))
    metric = InceptionScore(classifier)
    for part in np.split(p, [7, 50]):
        score_of(metric, part)
    assert metric.result() == pytest.approx(expected, rel=1e-12)
    metric.reset_state()
    assert score_of(metric, p) == pytest.approx(expected, rel=1e-12)


def test_splits_average_the_scores_of_interleaved_parts(classifier):
    p = np.random.default_rng(1).dirichlet(np.ones(4), size=31)
    parts = [score_of(InceptionScore(classifier), p[i::3]) for i in range(3)]
    metric = InceptionScore(classifier, splits=3)
    for part in np.split(p, [5, 6, 20]):  # a batch need not end where a split does
        score_of(metric, part) if metric.count >= 3 else metric.update_activations(None, part)
    assert metric.result() == pytest.approx(np.mean(parts), rel=1e-12)


def test_images_go_through_the_classifier(classifier):
    images = np.random.default_rng(2).integers(0, 256, (30, 8, 8, 1), dtype="uint8")
    metric = InceptionScore(classifier)
    metric.update_state(images[:11])
    metric.update_state(keras.ops.convert_to_tensor(images[11:]))
    logits = keras.ops.convert_to_numpy(classifier(images.astype("float32") / 127.5 - 1))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = np.exp(np.mean(np.sum(p * np.log(p / p.mean(axis=0)), axis=1)))
    assert metric.result() == pytest.approx(expected, rel=1e-5)


def test_config_keeps_the_classifier_object(classifier):
    metric = InceptionScore(classifier, splits=2, name="score")
    copy = InceptionScore.from_config(metric.get_config())
    assert copy.classifier is classifier
    assert (copy.splits, copy.name) == (2, "score")


def test_a_classifier_without_its_weights_is_refused(classifier):
    config = keras.saving.serialize_keras_object(InceptionScore(classifier))
    with pytest.raises(ValueError, match="Classifier"):
        keras.saving.deserialize_keras_object(config)


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((2, 8, 8, 1), "float32"), "uint8.*float32"),
        (np.zeros((8, 8, 1), "uint8"), r"\(8, 8, 1\)"),
        (np.zeros((2, 9, 8, 1), "uint8"), r"\(n, 8, 8, 1\).*\(2, 9, 8, 1\)"),
        (np.zeros((2, 8, 8, 3), "uint8"), r"\(n, 8, 8, 1\).*\(2, 8, 8, 3\)"),
        (np.zeros((0, 8, 8, 1), "uint8"), "at least one image"),
    ],
)
def test_wrong_images(classifier, images, message):
    with pytest.raises(ValueError, match=message):
        InceptionScore(classifier).update_state(images)


def test_errors(classifier):
    with pytest.raises(ValueError, match="classifier.*3"):
        InceptionScore(3)
    with pytest.raises(ValueError, match="splits.*0"):
        InceptionScore(classifier, splits=0)
    with pytest.raises(ValueError, match="splits=2.*got 0"):
        InceptionScore(classifier, splits=2).result()


def test_mnist_sizes_are_padded_and_cropped_to_each_other():
    small = np.random.default_rng(3).integers(0, 256, (5, 28, 28, 1), dtype="uint8")
    padded = match_size(small, (32, 32, 1))
    assert padded.shape == (5, 32, 32, 1) and padded.sum() == small.sum()
    np.testing.assert_array_equal(padded[:, 2:30, 2:30], small)
    np.testing.assert_array_equal(match_size(padded, (28, 28, 1)), small)
    with pytest.raises(ValueError, match=r"\(n, 32, 32, 3\).*\(5, 28, 28, 1\)"):
        match_size(small, (32, 32, 3))
