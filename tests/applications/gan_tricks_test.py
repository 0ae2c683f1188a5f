"""The ablation of guidelines and tricks: every row differs from the first, and trains."""

import importlib
import json
import pathlib
import sys

import keras
import numpy as np
import pytest

APPLICATIONS = pathlib.Path(__file__).resolve().parents[2] / "applications"


@pytest.fixture
def tricks(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(APPLICATIONS), *sys.path])
    return importlib.import_module("gan_tricks")


def test_every_row_changes_something_and_its_networks_fit(tricks):
    seen = []
    for row in tricks.ROWS.values():
        assert row._replace(source="") not in seen
        seen.append(row._replace(source=""))
        network = tricks.Network(
            **{**row.network, "width": 2, "hidden": min(4, row.network.get("hidden", 0))}
        )
        generator = tricks.generator((16, 16, 3), network)
        discriminator = tricks.discriminator((16, 16, 3), network)
        assert generator.output_shape == (None, 16, 16, 3)
        assert discriminator.output_shape == (None, 1)


def test_label_smoothing(tricks):
    """-E (.9 log p + .1 log(1 - p)) at real images, -E log(1 - p) at generated ones."""
    values = np.random.RandomState(0).normal(size=(2, 6, 1))
    real, fake = 1 / (1 + np.exp(-values))
    expected = -np.mean(0.9 * np.log(real) + 0.1 * np.log(1 - real)) - np.mean(np.log(1 - fake))
    gan = tricks.SmoothedGAN(image_shape=(8, 8, 1), latent_dim=2, width=2)
    given = [keras.ops.convert_to_tensor(v, "float32") for v in values]
    assert float(gan.discriminator_criterion(*given)) == pytest.approx(expected, rel=1e-5)


def test_runs_and_writes_the_table(tricks, monkeypatch, tmp_path):
    rng = np.random.RandomState(0)
    monkeypatch.setattr(tricks, "FOLDER", tmp_path / "results")
    monkeypatch.setattr(tricks, "PAGE", tmp_path / "PAGE.md")
    monkeypatch.setattr(tricks, "BATCH", 4)
    monkeypatch.setattr(
        tricks, "load", lambda data: rng.randint(0, 256, (32, 32, 32, 3)).astype("uint8")
    )
    monkeypatch.setattr(
        tricks,
        "score",
        lambda model, classifier, reference, averaged: {
            "frechet": 2.0 + averaged,
            "inception": 1.5,
        },
    )
    for row in ("DCGAN", "SGD for D"):
        changed = tricks.ROWS[row]
        monkeypatch.setitem(tricks.ROWS, row, changed._replace(network={"width": 2}))
    arguments = ["--data", "svhn_cropped", "--images", "8", "--only", "DCGAN", "SGD for D"]
    monkeypatch.setattr(sys, "argv", ["gan_tricks.py", *arguments])
    tricks.main()
    results = json.loads((tmp_path / "results" / "svhn_cropped.json").read_text())
    assert len(results) == 4 and all(r["images"] == 8 for r in results.values())
    page = (tmp_path / "PAGE.md").read_text()
    assert "| DCGAN | arXiv:1511.06434 | 2.00 ± 0.00 | 3.00 ± 0.00 | 1.50 ± 0.00 |" in page
    assert "8 images seen by every run" in page


def test_a_row_is_better_or_worse_only_if_it_is_for_every_seed(tricks):
    def runs(**distances):
        return {
            f"{row}, seed {seed}": {"average": {"frechet": d}} if d else {}
            for row, ds in distances.items()
            for seed, d in enumerate(ds)
        }

    results = runs(DCGAN=(3.0, 3.0), nearer=(1.0, 2.0), farther=(4.0, 5.0), mixed=(2.0, 4.0))
    results |= runs(equal=(3.0, 3.0), broken=(None, 9.0))
    verdicts = [tricks.verdict(row, results) for row in ("nearer", "farther", "mixed", "equal")]
    assert verdicts == ["better", "worse", "", ""]
    assert tricks.verdict("broken", results) == "worse"
    assert tricks.verdict("broken", runs(DCGAN=(None,), broken=(None,))) == ""
    assert tricks.verdict("nearer", runs(nearer=(1.0,))) == ""
