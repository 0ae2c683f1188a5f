import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from kzoo import Classifier, metrics
from kzoo.classifier import Reference
from kzoo.classifier import classifier as classifier_module
from kzoo.evaluation.protocols import accuracy_scores

SHAPE = (8, 8, 1)


@pytest.fixture(scope="module")
def classifier():
    return Classifier(SHAPE, num_classes=3, widths=(4, 5))


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (7, *SHAPE), dtype="uint8")


def numpy_of(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_uint8_and_scaled_floats_give_the_same_logits(classifier, images):
    logits = numpy_of(classifier(images))
    assert logits.shape == (7, 3)
    assert_allclose(numpy_of(classifier(images.astype("float32") / 127.5 - 1)), logits, atol=1e-6)


def test_logits_are_linear_in_the_features(classifier, images):
    features = numpy_of(classifier.features(images))
    assert features.shape == (7, classifier.num_features) == (7, 5)
    assert (features >= 0).all() and features.std(axis=0).any()
    kernel, bias = map(numpy_of, classifier.head.weights)
    assert_allclose(numpy_of(classifier(images)), features @ kernel + bias, atol=1e-6)


def test_activations_in_batches_are_those_in_one_pass(classifier, images, monkeypatch):
    monkeypatch.setattr(classifier_module, "EVALUATION_BATCH", 3)  # 3 + 3 + 1
    features, probabilities = classifier.activations(images)
    assert_allclose(features, numpy_of(classifier.features(images)), atol=1e-6)
    logits = numpy_of(classifier(images)).astype("float64")
    assert_allclose(probabilities, np.exp(logits) / np.exp(logits).sum(1, keepdims=True), atol=1e-6)
    assert probabilities.dtype == "float64"
    assert_allclose(probabilities.sum(axis=1), 1, atol=1e-15)


def test_learns_and_survives_saving(tmp_path):
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 60)
    images = (rng.integers(0, 60, (60, *SHAPE)) + 90 * labels[:, None, None, None]).astype("uint8")
    classifier = Classifier(SHAPE, num_classes=3, widths=(4, 5), dropout=0.1)
    classifier.compile(
        optimizer=keras.optimizers.Adam(0.02),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    losses = classifier.fit(images, labels, batch_size=20, epochs=15, verbose=0).history["loss"]
    assert losses[-1] < 0.7 * losses[0]

    classifier.reference = Reference(
        mean=np.arange(5.0),
        covariance=np.diag(np.arange(5.0)),
        label_distribution=np.array([0.5, 0.25, 0.25]),
        num_train=60_000,
        scores={"inception_score": 2.5, "diversity_score": 0.75, "frechet_distance": 0.125},
        num_test=10_000,
    )
    classifier.save(tmp_path / "classifier.keras")
    loaded = keras.models.load_model(tmp_path / "classifier.keras")
    assert loaded.get_config() == classifier.get_config()
    assert loaded.reference.scores == classifier.reference.scores
    assert_array_equal(loaded.reference.covariance, classifier.reference.covariance)
    assert (loaded.reference.num_train, loaded.reference.num_test) == (60_000, 10_000)
    assert_allclose(loaded.activations(images)[0], classifier.activations(images)[0], atol=1e-6)
    for saved, own in zip(loaded.optimizer.variables, classifier.optimizer.variables, strict=True):
        assert_allclose(numpy_of(saved), numpy_of(own), atol=1e-7)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"image_shape": (8, 8)}, r"image_shape.*\(8, 8\)"),
        ({"num_classes": 1}, "num_classes.*1"),
        ({"widths": ()}, "widths"),
        ({"widths": (4, 0)}, "widths.*0"),
        ({"dropout": 1}, "dropout.*1"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Classifier(**arguments)


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((2, 9, 8, 1), "uint8"), r"\(n, 8, 8, 1\).*\(2, 9, 8, 1\)"),
        (np.full((2, 8, 8, 1), 255.0), r"\[-1, 1\].*255"),
        (np.zeros((2, 8, 8, 1), "int64"), "int64"),
        (np.zeros((0, 8, 8, 1), "uint8"), "at least one image"),
    ],
)
def test_wrong_images(classifier, images, message):
    with pytest.raises(ValueError, match=message):
        classifier.activations(images)


def test_several_labels_per_image(images, tmp_path):
    """Attributes have probabilities of their own, and give no inception score."""
    names = ["bright", "dark", "round"]
    classifier = Classifier(SHAPE, 3, widths=(4, 5), multi_label=True, class_names=names)
    features, probabilities = classifier.activations(images)
    logits = numpy_of(classifier(images)).astype("float64")
    assert_allclose(probabilities, 1 / (1 + np.exp(-logits)), atol=1e-6)

    labels = np.array([[1, 0, 1], [0, 1, 1], [1, 1, 0], [0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 1]])
    reference = metrics.measure_reference(classifier, images, labels, images[:6])
    assert_allclose(reference.label_distribution, labels.mean(axis=0))
    assert list(reference.scores) == ["frechet_distance"]
    classifier.reference = reference
    classifier.save_to_preset(tmp_path / "attributes")
    loaded = Classifier.from_preset(tmp_path / "attributes")
    assert loaded.multi_label and loaded.class_names == names
    assert list(loaded.reference.scores) == ["frechet_distance"]

    scores = metrics.evaluate_images(images, loaded)
    assert list(scores["reference"]) == ["frechet_distance"] and scores["n"] == 7
    assert_array_equal(scores["class_histogram"], (probabilities > 0.5).sum(axis=0))
    (balanced, distance), histogram = accuracy_scores(loaded, images, labels)
    right = (probabilities > labels.mean(axis=0)) == labels.astype(bool)
    each = [right[labels[:, k] == given, k].mean() for k in range(3) for given in (0, 1)]
    assert balanced.value == pytest.approx(100 * np.mean(each), abs=1e-4)
    assert (balanced.name, distance.name) == ("balanced_accuracy", "frechet_distance")
    assert histogram is None
    for metric in (metrics.InceptionScore, metrics.DiversityScore, metrics.ConditionalAccuracy):
        with pytest.raises(ValueError, match=f"{metric.__name__} needs a classifier of one label"):
            metric(loaded)


def test_class_names_are_one_for_each_class():
    with pytest.raises(ValueError, match="class_names must be 3 different names, got"):
        Classifier(SHAPE, 3, class_names=["a", "b", "a"])
