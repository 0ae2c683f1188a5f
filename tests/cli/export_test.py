import keras
import pytest

import kzoo
from kzoo import backend
from kzoo.cli import export, main


@pytest.fixture
def gan(tmp_path):
    kzoo.GAN((8, 8, 1), latent_dim=4, width=4).save_to_preset(tmp_path / "gan")
    return str(tmp_path / "gan")


def test_a_file_is_written(gan, tmp_path, capsys):
    torch = keras.backend.backend() == "torch"
    if not torch:
        pytest.importorskip("tensorflow")
    format = "torch" if torch else "tf_saved_model"
    path = tmp_path / f"out{export.SUFFIXES[format]}"
    assert main(["export", gan, "--format", format, "-o", str(path)]) == 0
    assert path.exists()
    assert f"Wrote {path}: call of GAN {gan} as {format}" in capsys.readouterr().out


def test_every_format_has_a_suffix():
    assert set(backend.EXPORTS) <= set(export.SUFFIXES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "onnx", "-o", "gan.tflite"], "expected the name of a .onnx file"),
        (["--format", "onnx", "--function", "decode"], "function must be one of ['call']"),
    ],
)
def test_mistakes_are_one_line(gan, arguments, message, capsys):
    if "--function" in arguments:
        pytest.importorskip(backend.EXPORTS["onnx"])  # what is missing is said first
    assert main(["export", gan, *arguments]) == 1
    assert message in capsys.readouterr().err
