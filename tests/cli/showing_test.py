"""`kzoo show` and `kzoo doctor`."""

import json

import keras

from kzoo import cli


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


def test_show_refuses_what_is_no_preset(capsys):
    assert cli.main(["show", "gan/nothing"]) == 1
    assert "neither a folder nor a preset" in capsys.readouterr().err


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

    versions = {"tensorflow-datasets": None}
    missing, named = showing._advice("jax", ["torch"], versions)
    assert "'jax', which is not installed" in missing and "pip install jax" in missing
    assert "pip install tensorflow tensorflow-datasets" in named
