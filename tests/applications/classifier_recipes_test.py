"""The classifiers' recipes, for one epoch on a few made-up images."""

import json
import runpy
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from kzoo import Classifier

APPLICATIONS = Path(__file__).resolve().parents[2] / "applications"

pytestmark = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="XLA compiles the random rotations for 20 seconds"
)


@pytest.fixture
def run_recipe(tmp_path, monkeypatch):
    """Runs a recipe; returns the preset's reference and its metadata."""

    def run(name, *arguments):
        options = ["--epochs", "1", "--batch-size", "100", "--work", f"{tmp_path}/work"]
        options += ["--output", f"{tmp_path}/out", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", ["recipe", *options])
        monkeypatch.syspath_prepend(APPLICATIONS)
        runpy.run_path(str(APPLICATIONS / f"{name}.py"), run_name="__main__")
        assert (tmp_path / "out" / "README.md").exists()
        metadata = json.loads((tmp_path / "out" / "metadata.json").read_text())
        return Classifier.from_preset(tmp_path / "out").reference, metadata

    return run


def write_images(path, shape, nums):
    """An .npz file of noise with ten labels; `nums` is the number of images of each split."""
    rng = np.random.default_rng(0)
    arrays = {}
    for split, num in nums.items():
        arrays[f"y_{split}"] = np.arange(num) % 10
        arrays[f"x_{split}"] = rng.integers(0, 256, (num, *shape), dtype="uint8")
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    "name, shape, dataset",
    [
        ("classifier_mnist", (28, 28, 1), "mnist"),
        ("classifier_fashion_mnist", (28, 28, 1), "fashion_mnist"),
        ("classifier_svhn", (32, 32, 3), "svhn_cropped"),
    ],
)
def test_digits(run_recipe, tmp_path, capsys, name, shape, dataset):
    # More images than features: 96 and 128.
    data = write_images(tmp_path / "digits.npz", shape, {"train": 130, "test": 130})
    reference, metadata = run_recipe(name, "--data", data)
    assert (reference.num_train, reference.num_test) == (130, 130)
    np.testing.assert_allclose(reference.label_distribution, 0.1)
    assert 1 <= reference.scores["inception_score"] < 10
    scores = {score["name"]: score["value"] for score in metadata["scores"]}
    assert 0 <= scores.pop("accuracy") <= 100
    assert scores == reference.scores
    assert metadata["trained_on"]["data"] == dataset
    assert "accuracy " in capsys.readouterr().out


def test_rooms(run_recipe, tmp_path):
    bedrooms, living_rooms = (
        write_images(tmp_path / f"{name}.npz", (64, 64, 3), {"train": num, "validation": 70})
        for name, num in [("bedrooms", 140), ("living_rooms", 75)]
    )
    reference, metadata = run_recipe(
        *("classifier_rooms", "--data", bedrooms, "--living-rooms", living_rooms)
    )
    # Only of bedrooms, and not of their labels: a score against (1, 0) would always be 0.
    assert (reference.num_train, reference.num_test) == (140, 70)
    assert 0 < reference.label_distribution[0] < 1
    assert reference.scores["diversity_score"] == pytest.approx(1, abs=1e-2)
    scores = {score["name"]: score["value"] for score in metadata["scores"]}
    assert reference.scores.items() <= scores.items()
    assert 0 <= scores["balanced_accuracy"] <= 100
    assert scores["frechet_distance_of_training_images"] > 0
    assert metadata["trained_on"]["data"] == "lsun/bedroom"


def test_images64(run_recipe, tmp_path):
    splits = {"train": 40, "test": 40, "validation": 40}
    kinds = ("data", "faces", "bedrooms", "living_rooms")  # the first are the flowers
    files = {kind: write_images(tmp_path / f"{kind}.npz", (64, 64, 3), splits) for kind in kinds}
    attributes = {
        f"attributes_{split}": np.random.default_rng(0).integers(0, 2, (num, 40)).astype(bool)
        for split, num in splits.items()
    }
    np.savez(files["faces"], **np.load(files["faces"]), **attributes)
    arguments = [part for kind in kinds for part in (f"--{kind.replace('_', '-')}", files[kind])]
    reference, metadata = run_recipe("classifier_images64", *arguments)
    assert (reference.num_train, reference.num_test) == (160, 160)
    shares = reference.label_distribution
    of_kinds = [shares[:102].sum(), shares[102], shares[103], shares[104:].sum()]
    assert of_kinds == pytest.approx([0.25] * 4) and (shares[104:] > 0).all()
    scores = {score["name"]: score["value"] for score in metadata["scores"]}
    assert reference.scores.items() <= scores.items()
    for name in ("species", "attribute_balanced", "smiling_balanced", "rooms_balanced"):
        assert 0 <= scores[f"{name}_accuracy"] <= 100
