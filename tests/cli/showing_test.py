"""`kzoo show` and `kzoo doctor`."""

import json

import keras
import numpy as np
import pytest
from rich.console import Console

import kzoo
from kzoo import cli
from kzoo.cli import common, pictures
from kzoo.visualization import image_grid


def run(capsys, *arguments):
    assert cli.main([*arguments]) == 0
    return capsys.readouterr().out


def test_show_tells_what_the_metadata_know(capsys):
    text = run(capsys, "show", "gan/mnist_conditional")
    known = json.loads(run(capsys, "show", "gan/mnist_conditional", "--json"))
    assert known["class"] == "GAN" and known["parameter_count"] > 0
    for part in (known["title"], known["command"], "kzoo.GAN.from_preset('gan/mnist_conditional')"):
        assert part in text
    for score in known["scores"]:
        assert f"{score['value']:.5g}" in text and score["name"] in text


@pytest.mark.parametrize(
    "preset, line",
    [
        ("gan/mnist", "model.generate(64, seed=0)"),
        ("classifier/mnist", "model.activations(images)"),
        ("autoencoder/mnist", "model.reconstruct(images)"),
        ("pix2pix/facades", "model.generate(sources=images, seed=0)"),
        ("texttoimagegan/emoji", "model.generate(captions=captions, seed=0)"),
    ],
)
def test_show_gives_a_line_that_the_model_takes(capsys, preset, line):
    assert run(capsys, "show", preset).rstrip().endswith(line)


def test_show_refuses_what_is_no_preset(capsys):
    assert cli.main(["show", "gan/nothing"]) == 1
    assert "neither a folder nor a preset" in capsys.readouterr().err


def test_a_picture_is_drawn_with_two_pixels_a_letter(tmp_path, capsys, monkeypatch):
    images = np.zeros((4, 2, 2, 3), "uint8")
    images[0] = [[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 9, 9]]]
    path = tmp_path / "samples.png"
    image_grid(images, columns=2, padding=0, path=path)
    monkeypatch.setattr(pictures, "PART", (0, 0, 0.5, 0.5))
    text = pictures.drawn(path, 80)
    assert text.plain == "▀▀\n"
    assert [str(span.style) for span in text.spans] == [
        "rgb(255,0,0) on rgb(0,0,255)",
        "rgb(0,255,0) on rgb(9,9,9)",
    ]
    assert pictures.drawn(path, 1).plain == "▀\n"


def test_show_draws_on_a_terminal_only(capsys, monkeypatch):
    text = run(capsys, "show", "gan/celeba")
    assert "weights/gan/celeba/samples.png" in text and "▀" not in text
    paths = json.loads(run(capsys, "show", "gan/celeba", "--json"))["pictures"]
    assert paths[0].endswith("celeba/samples.png")
    colours = {"force_terminal": True, "color_system": "truecolor", "width": 60}
    monkeypatch.setattr(common, "console", lambda: Console(highlight=False, **colours))
    lines = run(capsys, "show", "gan/celeba").splitlines()
    assert {line.count("▀") for line in lines} == {0, 60}
    assert 10 < sum("▀" in line for line in lines) < 20
    assert "▀" not in run(capsys, "show", "classifier/mnist")


def test_doctor_names_the_backend_and_what_is_missing(capsys, tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    report = json.loads(run(capsys, "doctor", "--json"))
    assert report["backend"] == keras.backend.backend() and report["devices"]
    assert report["data"] == {"folder": str(tmp_path), "found": ["mnist"]}
    assert report["packages"]["keras"] == keras.__version__
    text = run(capsys, "doctor")
    assert keras.__version__ in text and "mnist" in text

    from kzoo.cli import showing

    exporter = kzoo.backend.EXPORTS["onnx"]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert showing._optional(keras.backend.backend())[f"onnx {exporter}"].startswith("kzoo export")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    assert showing._optional("torch") == {}

    versions = {"tensorflow-datasets": None}
    missing, named = showing._advice("jax", ["torch"], versions)
    assert "'jax', which is not installed" in missing and "pip install jax" in missing
    assert "pip install tensorflow tensorflow-datasets" in named
