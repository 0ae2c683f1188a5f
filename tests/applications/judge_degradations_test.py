"""The degradations, and the page of the study on made-up photographs and untrained judges."""

import sys

import numpy as np
import pytest

import kzoo
from tests.applications.conftest import APPLICATIONS


@pytest.fixture
def study(monkeypatch):
    monkeypatch.syspath_prepend(APPLICATIONS)
    import judge_degradations

    return judge_degradations


@pytest.fixture
def photographs():
    """Smooth images: uint8 (20, 64, 64, 3)."""
    x = np.random.default_rng(0).uniform(0, 255, (20, 4, 4, 3))
    return np.kron(x, np.ones((1, 16, 16, 1))).astype("uint8")


@pytest.mark.parametrize("name", ["blur", "noise", "JPEG", "resolution"])
def test_stronger_is_farther_from_the_photographs(study, photographs, name):
    degrade, strengths, _ = study.DEGRADATIONS[name]
    errors = []
    for strength in strengths:
        images = degrade(photographs, strength, None, np.random.default_rng(0))
        assert images.shape == photographs.shape and images.dtype == np.uint8
        errors.append(np.mean((images / 255.0 - photographs / 255.0) ** 2))
    assert np.all(np.diff([0, *errors]) > 0)


def test_sets(study, photographs):
    few = study.repeat(photographs, 8, None, None)
    assert few.shape == photographs.shape and len(np.unique(few, axis=0)) == 8
    other = np.zeros_like(photographs)
    mixed = study.mix(photographs, 30, other, None)
    assert not mixed[:6].any() and (mixed[6:] == photographs[6:]).all()


def test_breaks(study):
    values = {("none", 0): 1.0, ("blur", 0.5): 2.0, ("blur", 1): 2.0, ("blur", 2): 1.5}
    values[("blur", 4)] = 3.0
    found = {key: {"images64": {"kernel_distance": v, "recall": v}} for key, v in values.items()}
    assert study.breaks(found, "blur", "images64", "kernel_distance") == [(0.5, 1), (1, 2)]
    assert study.breaks(found, "blur", "images64", "recall") == [(0, 0.5), (0.5, 1), (2, 4)]


def test_page(study, photographs, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(
        study, "load", lambda kind, split, side: np.roll(photographs, len(kind), axis=3)
    )
    monkeypatch.setattr(
        kzoo.Classifier, "from_preset", lambda name: kzoo.Classifier((64, 64, 3), 2, (3, 4))
    )
    monkeypatch.setattr(sys, "argv", ["study", "--output", str(tmp_path / "JUDGE.md")])
    study.main()
    text = (tmp_path / "JUDGE.md").read_text()
    assert text in capsys.readouterr().out
    assert text.count("| blur | 0.5 |") == 4  # kinds
    assert "| flowers | another kind | " in text and "living rooms among bedrooms" in text
    assert study.COMMAND in text
