import keras
import numpy as np
import pytest

import kzoo
from kzoo.callbacks import SampleScores
from kzoo.metrics import evaluate_images, measure_reference

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (48, 8, 8, 1), dtype="uint8")


@pytest.fixture
def classifier():
    classifier = kzoo.Classifier((8, 8, 1), num_classes=4, widths=(3, 5))
    labels = RNG.integers(0, 4, len(IMAGES))
    classifier.reference = measure_reference(classifier, IMAGES, labels, IMAGES)
    return classifier


def test_scores_are_those_of_the_epochs_samples(classifier):
    gan = kzoo.GAN((8, 8, 1), 4, width=2)
    gan.compile()
    history = gan.fit(
        IMAGES, epochs=2, callbacks=[SampleScores(classifier, 30, seed=3)], verbose=0
    ).history
    scores = evaluate_images([gan.generate(30, seed=3)], classifier)
    for name in ("inception_score", "diversity_score", "frechet_distance"):
        assert len(history[name]) == 2
        assert history[name][-1] == pytest.approx(scores[name], rel=1e-5)


def test_early_stopping_sees_the_scores(classifier):
    """No improvement is enough for it: it stops after the first epoch and two more."""
    gan = kzoo.GAN((8, 8, 1), 4, width=2)
    gan.compile()
    stop = keras.callbacks.EarlyStopping(
        "frechet_distance", mode="min", min_delta=1e9, patience=2, restore_best_weights=True
    )
    callbacks = [SampleScores(classifier, 30), stop]
    history = gan.fit(IMAGES, epochs=9, callbacks=callbacks, verbose=0).history
    assert len(history["frechet_distance"]) == 3
    scores = evaluate_images([gan.generate(30, seed=0)], classifier)
    assert scores["frechet_distance"] == pytest.approx(history["frechet_distance"][0], rel=1e-4)


@pytest.mark.parametrize("num_images", [3, 5])
def test_too_few_images_are_named_at_once(classifier, num_images):
    """The Frechet distance needs more images than there are features, 5."""
    message = f"more than the classifier's number of features, 5.*got {num_images}"
    with pytest.raises(ValueError, match=message):
        SampleScores(classifier, num_images)


def test_what_does_not_fit_is_named_before_the_training(classifier):
    def fit(model, **options):
        model.compile()
        x = RNG.integers(0, 256, (8, *model.image_shape), dtype="uint8")
        model.fit(x, callbacks=[SampleScores(classifier, 30, **options)], verbose=0)

    with pytest.raises(ValueError, match="reference"):
        SampleScores(kzoo.Classifier((8, 8, 1), num_classes=4, widths=(3, 5)), 30)
    with pytest.raises(ValueError, match=r"images of shape \(n, 8, 8, 1\), as the classifier"):
        fit(kzoo.GAN((16, 16, 1), 4, width=2))
    with pytest.raises(ValueError, match=r"needs a model with generate\(\); got Autoencoder"):
        fit(kzoo.Autoencoder((8, 8, 1), 2, widths=(3,), dense_width=4))
    with pytest.raises(ValueError, match="SampleScores: labels must be in 0..3"):
        model = kzoo.GAN((8, 8, 1), 4, width=2, num_classes=4)
        model.compile()
        images, labels = IMAGES, np.zeros(len(IMAGES), "int32")
        callbacks = [SampleScores(classifier, 30, labels=7)]
        model.fit(images, labels, callbacks=callbacks, verbose=0)


def test_every_second_epoch(classifier):
    logs = {}
    scores = SampleScores(classifier, 30, every=2)
    scores.set_model(kzoo.GAN((8, 8, 1), 4, width=2))
    scores.on_epoch_end(0, logs)
    assert not logs
    scores.on_epoch_end(1, logs)
    assert set(logs) == {"inception_score", "diversity_score", "frechet_distance"}
