"""`kzoo evaluate` of colour models: their samples on the features of a second classifier."""

import json

import numpy as np
import pytest

import kzoo
from kzoo.cli import defaults
from kzoo.metrics import measure_reference

SHAPE = (8, 8, 3)
NAMES = [f"eye_{name}" for name in ("frechet_distance", "kernel_distance", "precision", "recall")]


def noise(seed, n):
    return np.random.default_rng(seed).integers(0, 256, (n, *SHAPE), dtype="uint8")


@pytest.fixture
def presets(tmp_path, monkeypatch):
    """Presets of colour images, and their data; `eye` is the judge of this size."""
    eye = kzoo.Classifier(SHAPE, num_classes=4, widths=(3, 5))
    eye.reference = measure_reference(eye, noise(0, 60), np.arange(60) % 4, noise(1, 30))
    eye.save_to_preset(tmp_path / "weights" / "classifier" / "eye")
    kzoo.GAN(SHAPE, latent_dim=3, width=2).save_to_preset("gan", classifier="eye")
    kzoo.VAE(SHAPE, 2, "discretized_logistic", widths=(3,), dense_width=4).save_to_preset("vae")
    kzoo.GatedPixelCNN(SHAPE, filters=3, num_layers=1, head_filters=3).save_to_preset("pixels")
    np.savez("data.npz", x_train=noise(2, 60), x_test=noise(3, 30))
    monkeypatch.setattr("kzoo.presets.shipped.folders", lambda: [tmp_path / "weights"])
    monkeypatch.setitem(defaults.JUDGES, SHAPE, "eye")


@pytest.fixture
def evaluate(kzoo_main, presets):
    """Evaluates a preset; returns `{name: score}`, the command and what went to standard error."""

    def run(preset, *arguments):
        code, out, err = kzoo_main(
            *("evaluate", preset, "--num-samples", 20, "--importance-samples", 2),
            *("--num-images", 10, "--json", *arguments),
        )
        assert code == 0, err
        report = json.loads(out)
        return {score["name"]: score for score in report["scores"]}, report["command"], err

    return run


def test_gan(evaluate):
    scores, command, err = evaluate("gan", "--data", "data.npz")
    assert list(scores)[3:] == NAMES and err == ""
    score = scores["eye_precision"]
    assert score["protocol"] == (
        "features of classifier eye; 20 samples, seed 0, clipped to [-1, 1], against 60 images of "
        "data.npz train; real value: 30 images of data.npz test; k = 3"
    )
    assert 0.5 < score["reference"] <= 1
    assert scores["eye_frechet_distance"]["value"] > 2 * scores["eye_frechet_distance"]["reference"]
    assert "--judge" not in command
    same, command, _ = evaluate("gan", "--data", "data.npz", "--judge", "eye")
    assert same == scores and "--judge" not in command


def test_without_a_judge(evaluate):
    scores, command, _ = evaluate("gan", "--data", "data.npz", "--judge", "none")
    assert not set(NAMES) & set(scores) and command.endswith("--judge none")


def test_data_without_a_classifier(evaluate, kzoo_main):
    kzoo.GAN(SHAPE, latent_dim=3, width=2).save_to_preset("other", dataset="celeb_a_small")
    scores, _, err = evaluate("other", "--data", "data.npz")
    assert list(scores) == NAMES
    assert err.startswith("No scores by a classifier of the data: no classifier belongs to")
    code, _, err = kzoo_main("evaluate", "other", "--data", "data.npz", "--judge", "none")
    assert code == 1 and "no classifier belongs to the data set celeb_a_small" in err


def test_a_model_with_a_likelihood(evaluate):
    scores, _, _ = evaluate("vae", "--data", "data.npz")
    assert list(scores)[-4:] == NAMES and "nll" in scores and "inception_score" not in scores


def test_a_model_that_draws_pixel_by_pixel(evaluate):
    scores, _, _ = evaluate("pixels", "--data", "data.npz")
    assert not set(NAMES) & set(scores)
    scores, command, _ = evaluate("pixels", "--data", "data.npz", "--judge", "eye")
    assert set(NAMES) < set(scores) and command.endswith("--judge eye")


def test_data_that_are_not_there(evaluate, kzoo_main):
    scores, _, err = evaluate("gan", "--data", "absent.npz")
    assert len(scores) == 3 and err.startswith("No scores on eye: ") and "absent.npz" in err
    code, _, err = kzoo_main(
        *("evaluate", "gan", "--data", "absent.npz", "--num-samples", 20, "--judge", "eye")
    )
    assert code == 1 and "absent.npz" in err


def test_a_folder_has_no_splits(evaluate, tmp_path):
    (tmp_path / "pictures").mkdir()
    _, _, err = evaluate("gan", "--data", "pictures")
    assert "No scores on eye: " in err and "no split" in err.replace("\n", " ")
