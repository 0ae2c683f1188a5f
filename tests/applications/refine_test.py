"""The page of refined generators."""

import importlib.util
import json
import pathlib

import numpy as np
import pytest

import kzoo

PATH = pathlib.Path(__file__).resolve().parents[2] / "applications" / "refine.py"


@pytest.fixture(scope="module")
def refine():
    spec = importlib.util.spec_from_file_location("refine", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(refine, tmp_path, monkeypatch):
    monkeypatch.setattr(refine, "FOLDER", tmp_path)
    return tmp_path


def result(preset):
    rows = [{"t": t, "mean": 2.0 - t / 2, "std": 0.125} for t in (0, 1, 3)]
    return {
        "preset": preset,
        "arguments": {"steps": 3, "step_size": 0.5},
        "seconds": 61,
        "backend": "torch",
        "losses": {},
        "scores": {"svhn_frechet_distance": rows, "images64_precision": rows},
        "real": {"svhn_frechet_distance": 0.25, "images64_precision": 0.75},
    }


def test_the_page_has_a_section_for_every_result(refine, folder):
    (folder / "gan_svhn.json").write_text(json.dumps(result("gan/svhn")))
    page = refine.page()
    assert "* gan/svhn: -75 % on svhn\n" in page
    assert "## gan/svhn" in page and "## vae/mnist" not in page
    assert "| Score | t = 0 | t = 1 | t = 3 | held-out images |" in page
    assert "| Frechet distance, svhn | 2 ± 0.1 | 1.5 ± 0.1 | 0.5 ± 0.1 | 0.25 |" in page
    assert "| precision, images64 | 2 ± 0.1" in page
    assert "`steps=3, step_size=0.5`, the generator's own discriminator; 61 s" in page
    assert "![gan/svhn](refine/gan_svhn.png)" in page


def test_a_change_has_the_deviation_of_the_differences(refine):
    given = result("gan/svhn")
    values = {0: [1.9, 2.1], 1: [1.4, 1.6], 3: [0.39, 0.61]}  # the differences: -1.51 and -1.49
    for row in given["scores"]["svhn_frechet_distance"]:
        row["values"] = values[row["t"]]
    assert refine.changes(given) == ["-75 ± 1 % on svhn"]


def test_every_score_of_the_judge_has_a_title(refine):
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype="uint8")
    classifier = kzoo.Classifier((8, 8, 3), 3, widths=(3, 5))
    judge = refine.Judge(classifier, "svhn", (images[:20], "a"), (images[20:], "b"))
    names = [score.name.split("_", 1)[1] for score in judge.scores([images], "")]
    assert set(names) == set(refine.TITLES)


def test_images_of_mnist_get_the_size_of_their_classifier(refine):
    assert refine.padded(np.zeros((2, 28, 28, 1), "uint8")).shape == (2, 32, 32, 1)
    assert refine.padded(np.zeros((2, 32, 32, 3), "uint8")).shape == (2, 32, 32, 3)
