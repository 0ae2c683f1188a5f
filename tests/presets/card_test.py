import json

import pytest

from kzoo.presets import card, write_model_card
from tests.presets.tiny import Tiny

SCORES = [
    ("NLL", 86.7312345, "nats", "test split, 500 importance samples", "kzoo evaluate vae/mnist"),
    ("Accuracy", 0.9935, "", "a|b", "kzoo evaluate classifier/mnist"),
]
ARGUMENTS = {
    "title": "Tiny on MNIST",
    "description": "A test.",
    "command": "python applications/tiny.py",
    "data": "MNIST, 60,000 training images.",
    "scores": SCORES,
}


@pytest.fixture
def folder(tmp_path):
    Tiny().save_to_preset(tmp_path / "tiny")
    (tmp_path / "tiny" / "samples.png").write_bytes(b"")
    return tmp_path / "tiny"


def test_card_and_metadata(folder):
    before = json.loads((folder / "metadata.json").read_text())
    write_model_card(folder, **ARGUMENTS, notes="Two minutes on two cores.")
    card = (folder / "README.md").read_text()
    assert card.startswith("# Tiny on MNIST\n\nA test.\n\n![Samples](samples.png)\n")
    row = "| NLL | 86.731 nats | test split, 500 importance samples | `kzoo evaluate vae/mnist` |"
    assert row in card
    assert "a\\|b" in card
    assert before["sha256"] in card
    assert "Two minutes on two cores." in card
    metadata = json.loads((folder / "metadata.json").read_text())
    assert {name: metadata[name] for name in before} == before
    assert metadata["data"] == ARGUMENTS["data"]
    assert metadata["scores"][0] == {
        "name": "NLL",
        "value": 86.7312345,
        "unit": "nats",
        "protocol": "test split, 500 importance samples",
        "command": "kzoo evaluate vae/mnist",
    }


def test_text_is_deterministic_and_the_preset_still_loads(folder):
    write_model_card(folder, **ARGUMENTS)
    first = [(folder / name).read_bytes() for name in ("README.md", "metadata.json")]
    write_model_card(folder, **ARGUMENTS)
    assert [(folder / name).read_bytes() for name in ("README.md", "metadata.json")] == first
    Tiny.from_preset(folder)


def test_the_card_of_a_preset_whose_files_are_pending_lies_beside_them(folder):
    (folder / ".new").mkdir()
    for name in ("config.json", "metadata.json"):  # a writer was stopped after its renaming
        (folder / name).rename(folder / ".new" / name)
    write_model_card(folder, **ARGUMENTS)
    assert (folder / "README.md").is_file()


def test_a_home_directory_is_found(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    write_model_card("~/tiny", **ARGUMENTS)
    assert (folder / "README.md").is_file()


def test_missing_sheet(folder):
    (folder / "samples.png").unlink()
    with pytest.raises(FileNotFoundError, match="samples.png is missing"):
        write_model_card(folder, **ARGUMENTS)
    write_model_card(folder, **ARGUMENTS, sheet=None)
    assert "samples.png" not in (folder / "README.md").read_text()


def test_not_a_preset(tmp_path):
    with pytest.raises(FileNotFoundError, match="metadata.json is missing"):
        write_model_card(tmp_path, **ARGUMENTS)


@pytest.mark.parametrize(
    "score", [("NLL", 1.0), ("NLL", "low", "nats", "", ""), ("NLL", None, "nats", "", "")]
)
def test_malformed_score(folder, score):
    with pytest.raises(ValueError, match="expected .name, value, unit, protocol, command."):
        write_model_card(folder, **{**ARGUMENTS, "scores": [score]})


def test_half_precision_is_named(tmp_path):
    Tiny().save_to_preset(tmp_path / "tiny", half_precision=True)
    write_model_card(tmp_path / "tiny", **ARGUMENTS, sheet=None)
    assert "- Weights stored as: float16" in (tmp_path / "tiny" / "README.md").read_text()


def test_counts_of_many_classes():
    assert card.per_class([0, 1200, 3]) == "0: 0, 1: 1,200, 2: 3"
    assert card.per_class([0] * 29 + [5]) == "29: 5; 29 other classes: 0"
