import keras
import numpy as np
import pytest
from PIL import Image

from kzoo import Classifier
from kzoo.evaluation.classifier_metric import enlarge
from kzoo.evaluation.judge import Judge
from kzoo.metrics import (
    DensityCoverage,
    FeatureExtractor,
    FrechetDistance,
    InceptionScore,
    KernelDistance,
    SamplePrecision,
    SampleRecall,
    frechet_distance,
    kernel_distance,
    manifold_share,
)

NAMES = ("frechet_distance", "kernel_distance", "precision", "recall", "density", "coverage")


def noise(seed, n, size=8, high=256):
    return np.random.default_rng(seed).integers(0, high, (n, size, size, 3), dtype="uint8")


@pytest.fixture(scope="module")
def classifier():
    return Classifier((8, 8, 3), num_classes=4, widths=(3, 5))


@pytest.fixture(scope="module")
def judge(classifier):
    return Judge(classifier, "eye", (noise(0, 40), "40 of train"), (noise(1, 20), "20 of test"))


def test_scores_are_those_of_the_metrics(classifier, judge):
    images = noise(2, 30, high=200)
    scores = judge.scores([images[:10], images[10:]], "30 samples")
    assert [score.name for score in scores] == [f"eye_{name}" for name in NAMES]
    assert judge.text == "features of classifier eye"
    for kind, score in zip(
        (FrechetDistance, KernelDistance, SamplePrecision, SampleRecall), scores[:4], strict=True
    ):
        metric = kind(classifier)
        metric.set_reference(noise(0, 40))
        metric.update_state(images)
        assert score.value == pytest.approx(metric.result(), rel=1e-3, abs=1e-6)
        metric.reset_state()
        metric.update_state(noise(1, 20))
        assert score.reference == pytest.approx(metric.result(), rel=1e-3, abs=1e-6)
        text = "30 samples, against 40 of train; real value: 20 of test"
        assert score.protocol.startswith(text)
    assert "; standard deviation " in scores[1].protocol and scores[2].protocol.endswith("k = 3")
    metric = DensityCoverage(classifier)
    metric.set_reference(noise(0, 40))
    metric.update_state(images)
    assert [score.value for score in scores[4:]] == pytest.approx(list(metric.result().values()))
    assert scores[4].protocol.endswith("k = 5")


def test_class_histogram(classifier, judge):
    images = noise(2, 30, high=200)
    _, histogram = judge.measure([images[:10], images[10:]], "")
    classes = classifier.activations(images)[1].argmax(axis=1)
    assert histogram.tolist() == np.bincount(classes, minlength=4).tolist()


def test_without_images_held_out(classifier, judge):
    alone = Judge(classifier, "eye", (noise(0, 40), "40 of train"), None)
    scores = alone.scores([noise(2, 30)], "30 samples")
    assert [s.value for s in scores] == [s.value for s in judge.scores([noise(2, 30)], "")]
    assert {s.reference for s in scores} == {None}
    assert scores[2].protocol == "30 samples, against 40 of train; k = 3"


def extractor(factor=1.0):
    """The mean of each channel in each half of an image, times a factor."""
    layers = [keras.layers.Rescaling(factor), keras.layers.AveragePooling2D((8, 4))]
    return keras.Sequential([keras.Input((8, 8, 3)), *layers, keras.layers.Flatten()])


def test_features_of_any_model():
    real, images = noise(0, 30), noise(2, 30, high=200)
    pixels = [x.reshape(-1, 8, 2, 4, 3).mean(axis=(1, 3)).reshape(-1, 6) for x in (images, real)]
    gaussians = [statistic(x) for x in pixels for statistic in (mean, covariance)]
    for metric, expected in (
        (KernelDistance(extractor(), subsets=1, subset_size=30), kernel_distance(*pixels)),
        (SamplePrecision(extractor()), manifold_share(*pixels)),
        (FrechetDistance(extractor()), frechet_distance(*gaussians)),
    ):
        metric.set_reference(real)
        metric.update_state(images)
        assert metric.result() == pytest.approx(expected, rel=1e-4)
    judge = Judge(FeatureExtractor(extractor()), "own", (real, ""), (noise(1, 20), ""))
    scores, histogram = judge.measure([images], "")
    assert len(scores) == 6 and histogram is None


def mean(x):
    return x.mean(axis=0)


def covariance(x):
    return np.cov(x, rowvar=False)


def test_models_that_give_no_features():
    for layers in ([], [keras.layers.AveragePooling2D(2)]):
        model = keras.Sequential([keras.Input((8, 8, 3)), *layers])
        with pytest.raises(ValueError, match="Expected a model from images .* got one from"):
            FrechetDistance(model)
    with pytest.raises(ValueError, match="must be the name of a Classifier preset"):
        InceptionScore(extractor())


def test_what_is_scored_does_not_stay(judge):
    images = noise(3, 30)
    first = judge.scores([images], "")
    judge.scores([noise(4, 30, high=90)], "")
    assert judge.scores([images], "") == first


def test_smaller_images_are_enlarged(classifier):
    small = Judge(classifier, "eye", (noise(0, 40, 4), ""), (noise(1, 20, 4), ""))
    assert small.text.endswith(", images enlarged bilinearly from 4x4 to 8x8")
    large = [enlarge(noise(seed, n, 4), (8, 8, 3)) for seed, n in ((0, 40), (1, 20), (2, 30))]
    same = Judge(classifier, "eye", (large[0], ""), (large[1], ""))
    assert small.scores([noise(2, 30, 4)], "") == same.scores([large[2]], "")


def test_enlarge():
    images = np.zeros((1, 1, 2, 3), "uint8")
    images[0, 0, 1] = 200
    # Centres of the new pixels at .25 and .75 between those of the old; edges are continued.
    row = enlarge(images, (2, 4, 3))[0, 0, :, 0]
    assert row.tolist() == [0, 50, 150, 200]
    images = noise(5, 3)
    assert enlarge(images, (8, 8, 3)) is images
    expected = np.asarray(Image.fromarray(images[1]).resize((16, 16), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(enlarge(images, (16, 16, 3))[1], expected)
    for shape in ((12, 12, 3), (16, 8, 3), (16, 16, 1), (4, 4, 3)):
        with pytest.raises(ValueError, match=r"or smaller by a whole factor; got \(3, 8, 8, 3\)"):
            enlarge(images, shape)


@pytest.mark.parametrize("counts", [(5, 20), (40, 5)])
def test_too_few_real_images(classifier, counts):
    with pytest.raises(ValueError, match="A judge needs more .* than its 5 features; got 5"):
        Judge(classifier, "eye", *((noise(0, n), "") for n in counts))
