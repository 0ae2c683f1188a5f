"""`--json`: every command prints one JSON object, or a list of them, and nothing else."""

import json
import pathlib

import keras
import pytest

from kzoo import cli, demo


def commands():
    (found,) = (a for a in cli.parser()._actions if a.dest == "command")
    return found.choices


@pytest.mark.parametrize("name", [name for name in commands() if name != "completion"])
def test_every_command_has_it(name):
    assert any("--json" in action.option_strings for action in commands()[name]._actions)


def test_generate(kzoo_main, saved):
    code, out, _ = kzoo_main("generate", saved / "gan", "-n", 3, "-o", "a.png", "--json")
    report = json.loads(out)
    assert code == 0 and report["written"] == ["a.png"] and report["class"] == "GAN"
    assert report["images"] == 3 and report["image_shape"] == [8, 8, 1] and report["seed"] == 0


def test_train(kzoo_main, data):
    few = ["--data", data, "--epochs", 1, "--set", "width=2", "--output", "new"]
    code, out, err = kzoo_main("train", "gan", *few, "--json")
    report = json.loads(out)
    assert code == 0 and report["preset"] == "new" and report["class"] == "GAN"
    assert {"d_loss", "g_loss"} <= set(report["losses"])
    assert "Training a GAN" in err  # and Keras's progress
    command = json.loads(pathlib.Path("new/metadata.json").read_text())["command"]
    assert "--json" not in command and command.endswith("--output new")


def test_export(kzoo_main, saved):
    torch = keras.backend.backend() == "torch"
    if not torch:
        pytest.importorskip("tensorflow")
    format, path = ("torch", "gan.pt2") if torch else ("tf_saved_model", "gan")
    code, out, _ = kzoo_main("export", saved / "gan", "--format", format, "-o", path, "--json")
    report = json.loads(out)
    assert code == 0 and report["written"] == path and report["format"] == format
    assert report["bytes"] > 1000


def test_demo(kzoo_main, monkeypatch):
    monkeypatch.setattr(demo, "write_page", lambda folder, runtime, say: say("Exporting"))
    code, out, err = kzoo_main("demo", "--output", "page", "--write-only", "--json")
    assert code == 0 and json.loads(out) == {"folder": "page", "address": None}
    assert err == "Exporting\n"
