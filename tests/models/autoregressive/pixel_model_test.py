"""What the pixel models share: completion, temperature, conditions, units, progress."""

import math
import time

import numpy as np
import pytest

from kzoo import GatedPixelCNN
from kzoo.models.autoregressive.pixel_model import naive as progress
from tests.models.autoregressive import pixel_checks
from tests.models.autoregressive.pixel_checks import numpy

TINY = {"filters": 4, "num_layers": 1, "head_filters": 4}


@pytest.fixture(scope="module")
def model():
    return pixel_checks.randomize(GatedPixelCNN((4, 5, 2), levels=4, **TINY))


@pytest.fixture(scope="module")
def conditional():
    return pixel_checks.randomize(GatedPixelCNN((3, 3, 1), **TINY, num_classes=3))


def test_completion_keeps_what_is_given(model):
    images = pixel_checks.random_images(6, model)
    mask = np.zeros((4, 5), bool)
    mask[2:] = True
    completed = model.complete(images, mask, seed=0)
    assert completed.dtype == np.uint8
    np.testing.assert_array_equal(completed[:, :2], images[:, :2])
    assert (completed[:, 2:] != images[:, 2:]).any()
    # What stands at the missing pixels does not matter, and floats are the same images.
    changed = images.copy()
    changed[:, 2:] = 0
    np.testing.assert_array_equal(model.complete(changed, mask, seed=0), completed)
    floats = images.astype("float32") / 127.5 - 1.0
    np.testing.assert_array_equal(model.complete(floats, mask, seed=0), completed)
    np.testing.assert_array_equal(model.complete(images, mask & False, seed=0), images)


def test_a_mask_may_differ_from_image_to_image(model):
    images = pixel_checks.random_images(3, model)
    mask = np.random.default_rng(0).random((3, 4, 5)) < 0.5
    completed = model.complete(images, mask, seed=0, batch_size=2)
    np.testing.assert_array_equal(completed[~mask], images[~mask])
    np.testing.assert_array_equal(model.complete(images, ~mask & mask, seed=0), images)


def test_completing_nothing_given_is_generating(model):
    images = np.zeros((4, 4, 5, 2), "uint8")
    everything = np.ones((4, 5), bool)
    completed = model.complete(images, everything, seed=3)
    np.testing.assert_array_equal(completed, model.generate(4, seed=3))


def test_completions_follow_the_conditional_distribution():
    model = pixel_checks.randomize(GatedPixelCNN((2, 2, 1), **TINY))
    count = 4000
    images = np.zeros((count, 2, 2, 1), "uint8")
    images[:, 0] = 255
    mask = np.array([[False, False], [True, True]])
    lower = model.complete(images, mask, seed=0)[:, 1, :, 0] // 255
    frequencies = np.bincount(lower @ [2, 1], minlength=4) / count
    options = images[:4].copy()
    options[:, 1, :, 0] = 255 * np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    p = np.exp(model.log_likelihood(options))
    p = p / p.sum()
    assert (abs(frequencies - p) < 5 * np.sqrt(p * (1 - p) / count)).all()


def test_temperature_sharpens(model):
    """At a low temperature the most likely value is drawn."""
    drawn = model.generate(3, seed=0, temperature=1e-3)
    logits = numpy(model(drawn))
    likeliest = model.grey_values()[logits.argmax(-1)]
    assert (drawn == likeliest).mean() > 0.98
    assert (model.generate(3, seed=0) == likeliest).mean() < 0.9


def test_labels(conditional):
    one = conditional.generate(16, seed=0, labels=2)
    np.testing.assert_array_equal(one, conditional.generate(16, seed=0, labels=[2] * 16))
    in_turn = conditional.generate(16, seed=0, batch_size=5)
    np.testing.assert_array_equal(
        in_turn, conditional.generate(16, seed=0, labels=[0, 1, 2] * 5 + [0])
    )
    images = pixel_checks.random_images(3, conditional)
    by_label = [conditional.log_likelihood(images, labels=label) for label in range(3)]
    assert np.ptp(by_label, axis=0).min() > 1e-3


def test_units(model):
    images = pixel_checks.random_images(3, model)
    nats = model.log_likelihood(images)
    bits = model.log_likelihood(images, unit="bits/dim")
    np.testing.assert_allclose(bits, nats / (40 * math.log(2)), rtol=1e-6)


@pytest.mark.parametrize("levels", [2, 256])
def test_extreme_logits_give_finite_likelihoods(levels):
    model = pixel_checks.randomize(GatedPixelCNN((2, 2, 1), levels=levels, **TINY), scale=300.0)
    images = np.array([0, 255] * 4, "uint8").reshape(2, 2, 2, 1)
    assert np.isfinite(model.log_likelihood(images)).all()


@pytest.mark.once
@pytest.mark.parametrize(
    "call, message",
    [
        (lambda m: m.generate(0), "num_samples must be a positive integer, got 0"),
        (lambda m: m.generate(2, temperature=0), "temperature must be a positive number, got 0"),
        (lambda m: m.generate(2, labels=[0, 1]), "takes no labels"),
        (lambda m: m.generate(2, verbose=3), 'verbose must be True, False or "auto", got 3'),
        (lambda m: m.log_likelihood(np.zeros((1, 4, 4, 2), "uint8")), "got \\(1, 4, 4, 2\\)"),
        (
            lambda m: m.log_likelihood(np.zeros((1, 4, 5, 2), "uint8"), unit="bits"),
            "unit must be .* got 'bits'",
        ),
        (
            lambda m: m.complete(np.zeros((1, 4, 5, 2), "uint8"), np.ones((4, 4), bool)),
            "mask must be a bool array of shape \\(4, 5\\) or \\(1, 4, 5\\), got \\(4, 4\\)",
        ),
        (
            lambda m: m.complete(np.zeros((0, 4, 5, 2), "uint8"), np.ones((4, 5), bool)),
            "at least one image",
        ),
        (lambda m: m.generate(1, context=np.zeros((1, 4, 5, 1))), "takes no context"),
    ],
)
def test_wrong_arguments(model, call, message):
    with pytest.raises(ValueError, match=message):
        call(model)


@pytest.mark.once
@pytest.mark.parametrize(
    "call, message",
    [
        (lambda m: m.generate(2, labels=[0, 3]), "labels must be in 0..2, got values from 0 to 3"),
        (lambda m: m.generate(2, labels=[0.5, 1]), "integer label for each of 2 images"),
        (lambda m: m.log_likelihood(np.zeros((2, 3, 3, 1), "uint8")), "needs labels"),
    ],
)
def test_wrong_labels(conditional, call, message):
    with pytest.raises(ValueError, match=message):
        call(conditional)


@pytest.mark.once
def test_fitting_a_conditional_model_needs_labels(conditional):
    conditional.compile()
    with pytest.raises(ValueError, match="fitted and evaluated on \\(images, labels\\)"):
        conditional.fit(np.zeros((4, 3, 3, 1), "uint8"), verbose=0)


@pytest.mark.once
def test_progress_is_shown_for_long_work(capfd, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as if on a terminal
    for verbose, patience, shown in ((True, 3, True), ("auto", 0, True), ("auto", 3, False)):
        monkeypatch.setattr(progress, "PATIENCE", patience)
        with progress.track(2, verbose) as advance:
            advance()
            time.sleep(0.001)  # the clock has a resolution
            advance()
        streams = capfd.readouterr()
        assert ("Drawing rows" in streams.err) == shown
        assert not streams.out
