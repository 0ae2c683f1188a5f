import numpy as np
import pytest

from kzoo import Classifier
from kzoo.conditions import Labels
from kzoo.evaluation.conditional_accuracy import conditional_scores
from kzoo.evaluation.measuring import Given, measure
from kzoo.metrics import ConditionalAccuracy, frechet_distance, measure_reference
from tests.cli.conftest import squares


@pytest.fixture(scope="module")
def classifier():
    classifier = Classifier((8, 8, 1), num_classes=4, widths=(3, 5))
    classifier.reference = measure_reference(classifier, *squares(0, 200), squares(1, 100)[0])
    return classifier


def values_of(scores):
    return {score.name: score.value for score in scores}


def test_is_the_fraction_of_right_predictions(classifier):
    metric = ConditionalAccuracy(classifier)
    p = np.eye(4)[[0, 1, 2, 3, 3]]
    metric.update_activations(None, p, np.array([0, 1, 2, 3, 0]))
    metric.update_activations(None, p[:1], np.array([1]))
    assert metric.result() == pytest.approx(4 / 6)
    metric.reset_state()
    images, labels = squares(2, 50)
    for part in (slice(20), slice(20, 50)):
        metric.update_state(images[part], labels[part])
    expected = classifier.activations(images)[1].argmax(axis=1) == labels
    assert metric.result() == expected.mean() and metric.count == 50
    assert metric.reference_value is None
    assert ConditionalAccuracy.from_config(metric.get_config()).classifier is classifier


def test_distances_within_the_classes(classifier):
    images, labels = squares(3, 120)
    real, real_labels = squares(4, 160)
    batches = [images[:70], images[70:]]
    scores = conditional_scores(
        batches, labels, "samples", classifier, (real, real_labels, "test images")
    )
    features, of_real = (classifier.activations(x)[0].astype("float64") for x in (images, real))
    expected = [
        frechet_distance(a.mean(0), np.cov(a.T), b.mean(0), np.cov(b.T))
        for a, b in ((features[labels == k], of_real[real_labels == k]) for k in range(4))
    ]
    accuracy, distance = scores
    assert distance.name == "intra_class_frechet_distance"
    np.testing.assert_allclose(distance.value, np.mean(expected), rtol=1e-3)
    assert f"to {max(expected):.3g} (class {np.argmax(expected)})" in distance.protocol
    assert accuracy.protocol == "samples; real value: test images"
    right = classifier.activations(real)[1].argmax(axis=1) == real_labels
    assert accuracy.reference == right.mean()
    itself = conditional_scores([real], real_labels, "", classifier, (real, real_labels, ""))
    assert values_of(itself)["intra_class_frechet_distance"] == pytest.approx(0, abs=1e-6)


def test_too_few_images_have_no_distance(classifier):
    images, labels = squares(3, 16)
    real = (*squares(4, 160), "test images")
    for given in (None, real):
        scores = conditional_scores([images], labels, "", classifier, given)
        assert list(values_of(scores)) == ["conditional_accuracy"]


class Copying:
    """Draws real images of the class that it is asked for."""

    def __init__(self, num_classes=4):
        self.conditioned_on = (Labels(num_classes),)
        images, labels = squares(5, 200)
        self.by_class = [images[labels == k] for k in range(4)]

    def generate(self, num_samples, seed=None, labels=None):
        return np.stack([self.by_class[k][i % 9] for i, k in enumerate(labels)])


def test_a_model_of_the_same_classes_gets_the_scores(classifier):
    notices = []
    given = Given(
        lambda labels, binarize: (*squares(1, 100), "test"),
        lambda: (classifier, "classifier squares", True),
        num_samples=80,
        notice=lambda *what: notices.append(what),
    )
    scores = values_of(measure(Copying(), given)[0])
    assert {"conditional_accuracy", "intra_class_frechet_distance"} < set(scores)
    images = Copying().generate(80, labels=np.arange(80) % 4)
    right = classifier.activations(images)[1].argmax(axis=1) == np.arange(80) % 4
    assert scores["conditional_accuracy"] == right.mean()

    def unreadable(labels, binarize):
        raise OSError("no such data")

    given.images = unreadable
    scores = values_of(measure(Copying(), given)[0])
    assert "intra_class_frechet_distance" not in scores and "conditional_accuracy" in scores
    assert len(notices) == 1 and "no such data" in str(notices[0][1])
    given._drawn = None
    assert "conditional_accuracy" not in values_of(measure(Copying(num_classes=3), given)[0])
    given.classifier = lambda: (classifier, "classifier of other classes", False)
    assert "conditional_accuracy" not in values_of(measure(Copying(), given)[0])


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 4], [-1, 0, 1], [0.0, 1.0, 2.0], [[0, 1, 2]]])
def test_labels_that_do_not_fit(classifier, labels):
    with pytest.raises(ValueError, match=r"Expected 3 integer labels in 0\.\.3"):
        ConditionalAccuracy(classifier).update_state(squares(0, 3)[0], labels)


def test_errors(classifier):
    with pytest.raises(ValueError, match="at least one image"):
        ConditionalAccuracy(classifier).result()
    with pytest.raises(ValueError, match="classifier"):
        ConditionalAccuracy(None)
