"""`kzoo evaluate` of colour models: their samples on the features of a second classifier."""

import argparse
import json

import keras
import numpy as np
import pytest
from PIL import Image

import kzoo
from kzoo.cli import defaults, judging
from kzoo.evaluation.judge import Judge
from kzoo.metrics import measure_reference

SHAPE = (8, 8, 3)
SCORES = ("frechet_distance", "kernel_distance", "precision", "recall", "density", "coverage")
NAMES = [f"eye_{name}" for name in SCORES]


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
        "data.npz train, not known whether trained on; real value: 30 images of data.npz test, not "
        "known whether trained on; k = 3"
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
    assert err.startswith("No scores by a classifier of the data: the preset names no cl")
    code, _, err = kzoo_main("evaluate", "other", "--data", "data.npz", "--judge", "none")
    assert code == 1 and "the preset names no classifier of data.npz" in err


def test_a_model_with_a_likelihood(evaluate):
    scores, _, _ = evaluate("vae", "--data", "data.npz")
    assert list(scores)[-6:] == NAMES and "nll" in scores and "inception_score" not in scores


def test_a_model_that_draws_pixel_by_pixel(evaluate):
    scores, _, _ = evaluate("pixels", "--data", "data.npz")
    assert not set(NAMES) & set(scores)
    scores, command, _ = evaluate("pixels", "--data", "data.npz", "--judge", "eye")
    assert set(NAMES) < set(scores) and command.endswith("--judge eye")


def test_data_that_are_not_known_or_not_there(evaluate, kzoo_main):
    scores, _, err = evaluate("gan")
    assert len(scores) == 3 and err.startswith("No scores on eye: the preset does not record what")
    code, _, err = kzoo_main("evaluate", "gan", "--data", "absent.npz", "--num-samples", 20)
    assert code == 1 and "absent.npz" in err


def test_data_without_held_out_images(evaluate, kzoo_main):
    np.save("all.npy", noise(2, 60))
    _, _, err = evaluate("vae", "--data", "all.npy")
    assert "No scores on eye: 'all.npy' has no images beside those that samples are" in err
    code, _, err = kzoo_main("evaluate", "gan", "--data", "all.npy", "--num-samples", 20)
    assert code == 1 and "train with --validation-split" in err


def test_several_seeds(evaluate):
    single = [evaluate("gan", "--data", "data.npz", "--seed", seed)[0] for seed in (3, 4, 5)]
    scores, command, _ = evaluate("gan", "--data", "data.npz", "--seed", 3, "--seeds", 3)
    assert command.endswith("--seed 3 --seeds 3") and list(scores) == list(single[0])
    for name, score in scores.items():
        values = [each[name]["value"] for each in single]
        assert score["value"] == pytest.approx(np.mean(values), rel=1e-5)
        assert score["deviation"] == pytest.approx(np.std(values, ddof=1), rel=1e-3, abs=1e-7)
        assert score["reference"] == single[0][name]["reference"]
        assert "20 samples, mean of seeds 3 to 5, clipped" in score["protocol"]
        assert single[0][name]["deviation"] is None and single[0][name]["interval"] is None
        half = 4.303 * score["deviation"] / 3**0.5  # Student's distribution, two degrees of freedom
        expected = score["value"] - half, score["value"] + half
        assert score["interval"] == pytest.approx(expected)
    assert any(score["deviation"] > 0 for score in scores.values())


def test_table_of_several_seeds(kzoo_main, presets):
    options = ["--data", "data.npz", "--num-samples", 20, "--seeds", 2]
    code, out, _ = kzoo_main("evaluate", "gan", *options)
    assert code == 0 and out.count(" ± ") == 9 and "95 % interval" in out


def test_seeds_of_a_likelihood_are_not_drawn(evaluate, kzoo_main):
    scores, _, _ = evaluate("vae", "--data", "data.npz", "--seeds", 2)
    assert scores["nll"]["deviation"] is None
    assert scores["eye_precision"]["deviation"] is not None
    code, _, err = kzoo_main("evaluate", "eye", "--data", "data.npz", "--seeds", 2)
    assert code == 1 and "seeds=2 is for scores of samples, and a Classifier has none" in err


def write_images(folder, images):
    folder.mkdir()
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i:02}.png")  # the order of names


def test_images_of_any_origin(kzoo_main, presets, tmp_path):
    write_images(tmp_path / "drawn", noise(5, 30))
    write_images(tmp_path / "photos", noise(2, 60))
    options = ["--samples", "drawn", "--judge", "eye"]
    code, out, err = kzoo_main("evaluate", *options, "--data", "photos", "--json")
    assert code == 0, err
    report = json.loads(out)
    assert report["command"] == "kzoo evaluate --samples drawn --data photos --judge eye"
    judge = Judge(kzoo.Classifier.from_preset("eye"), "eye", (noise(2, 60), ""), None)
    expected, histogram = judge.measure([noise(5, 30)], "")
    for score, other in zip(report["scores"], expected, strict=True):
        assert score["name"] == other.name and score["reference"] is None
        assert score["value"] == pytest.approx(other.value, rel=1e-3, abs=1e-5)
    assert report["class_histogram"] == histogram.tolist()
    assert report["scores"][2]["protocol"] == (
        "features of classifier eye; 30 images of drawn, against 60 images of photos; k = 3"
    )
    code, out, _ = kzoo_main("evaluate", *options, "--data", "data.npz")
    assert code == 0 and "images drawn" in out and "60 images of data.npz train" in out
    assert "real value: 30 images of data.npz test" in out and "images per class: 0: " in out


def test_features_of_a_file(kzoo_main, evaluate, tmp_path):
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.AveragePooling2D(8)]
    model = keras.Sequential([keras.Input(SHAPE), *layers, keras.layers.Flatten()])
    model.save("own.keras")
    scores, command, _ = evaluate("vae", "--data", "data.npz", "--judge", "own.keras")
    assert "own.keras_coverage" in scores and command.endswith("--judge own.keras")
    code, _, err = kzoo_main("evaluate", "vae", "--data", "data.npz", "--judge", "no.keras")
    assert code == 1 and "there is no file 'no.keras'" in err


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "expected either a PRESET or --samples FOLDER"),
        (["gan", "--samples", "a"], "expected either a PRESET or --samples FOLDER"),
        (["--samples", "a"], "name the real images with --data"),
        (["--samples", "a", "--data", "b", "--seeds", 2], "--seeds draws samples of a preset"),
        (["--samples", "a", "--data", "b", "--write"], "--write is for a preset"),
        (["--samples", "a", "--data", "b", "--judge", "none"], "expected a Classifier preset"),
        (["--samples", "./a", "--data", "b", "--judge", "eye"], "no file or folder './a'"),
    ],
)
def test_wrong_uses(kzoo_main, presets, arguments, message):
    code, _, err = kzoo_main("evaluate", *arguments)
    assert code == 1 and message in err and err.count("\n") == 1


def test_held_out_images_of_a_data_set_without_a_test_split(monkeypatch):
    loaded = []

    class NoJudge:
        text = ""

        def __init__(self, *_):
            pass

        def measure(self, *_):
            return [], None

    def load_images(_, images, most):
        loaded.append((images.source, images.split))
        return None, None, ""

    monkeypatch.setattr("kzoo.evaluation.judge.Judge", NoJudge)
    monkeypatch.setattr(judging, "load_features", lambda name: None)
    monkeypatch.setattr(judging.data, "load_images", load_images)
    options = {"samples": "drawn", "judge": None, "num_samples": 5, "split": None}
    judging.measure_images(argparse.Namespace(data="lsun/bedroom", **options))
    assert loaded[1:] == [("lsun/bedroom", "train"), ("lsun/bedroom", "validation")]
