"""The classifier's recipe, for one epoch on a few made-up images."""

import json
import runpy
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from kzoo import Classifier

APPLICATIONS = Path(__file__).resolve().parents[2] / "applications"


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="XLA compiles the random rotations for 20 seconds"
)
def test_recipe_writes_a_preset_with_reference_and_card(tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    arrays = {}
    for split in ("train", "test"):
        arrays[f"y_{split}"] = np.arange(100) % 10  # more images than the 96 features
        arrays[f"x_{split}"] = rng.integers(0, 256, (100, 28, 28, 1), dtype="uint8")
    np.savez(tmp_path / "digits.npz", **arrays)
    arguments = f"--data {tmp_path}/digits.npz --epochs 1 --batch-size 100 --work {tmp_path}/work"
    monkeypatch.setattr(sys, "argv", ["recipe", *arguments.split(), "--output", f"{tmp_path}/out"])
    monkeypatch.syspath_prepend(APPLICATIONS)
    runpy.run_path(str(APPLICATIONS / "classifier_mnist.py"), run_name="__main__")

    reference = Classifier.from_preset(tmp_path / "out").reference
    assert (reference.num_train, reference.num_test) == (100, 100)
    assert 1 <= reference.scores["inception_score"] < 10
    metadata = json.loads((tmp_path / "out" / "metadata.json").read_text())
    scores = {score["name"]: score["value"] for score in metadata["scores"]}
    assert 0 <= scores.pop("accuracy") <= 100
    assert scores == reference.scores
    assert "test accuracy" in capsys.readouterr().out
    assert (tmp_path / "out" / "README.md").exists()
