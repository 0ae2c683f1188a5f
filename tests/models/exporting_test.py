"""`export` on a model that was never called, and what the file then computes."""

import importlib.util
import sys

import keras
import numpy as np
import pytest

import kzoo
from kzoo import backend
from tests.conftest import REPOSITORY

sys.path.append(str(REPOSITORY / "benchmarks"))

import export_agreement  # noqa: E402

MODELS = {
    "gan": lambda: kzoo.GAN((8, 8, 1), latent_dim=4, width=4),
    "conditional gan": lambda: kzoo.GAN((8, 8, 1), latent_dim=4, width=4, num_classes=3),
    "averaged gan": lambda: kzoo.GAN((8, 8, 1), latent_dim=4, width=4, average_decay=0.9),
    "vae": lambda: kzoo.VAE((8, 8, 1), latent_dim=3, widths=(4,), dense_width=8),
    "vqvae": lambda: kzoo.VQVAE((8, 8, 1), num_codes=4, code_dim=4, width=4, blocks=1),
    # Two levels: only then the discriminator has batch norm.
    "cfggan": lambda: kzoo.CFGGAN(
        (16, 16, 1), latent_dim=4, width=4, num_steps=2, pool_size=4, batch_size=4
    ),
    "text to image": lambda: kzoo.TextToImageGAN(
        (8, 8, 3), list("abcd"), max_words=3, latent_dim=4, text_dim=4, compressed_dim=4, width=4
    ),
    "pixelcnn": lambda: kzoo.PixelCNN((8, 8, 1), filters=4, num_blocks=1, head_filters=4),
}
# One of the two formats whose files are made in no time; every model.
CASES = [(name, "tf_saved_model", "call") for name in MODELS]
CASES += [(name, "torch", "call") for name in MODELS]
CASES += [("vae", "onnx", "decode"), ("vqvae", "onnx", "encode"), ("gan", "onnx", "call")]
CASES += [("cfggan", "onnx", "step"), ("gan", "litert", "call"), ("text to image", "onnx", "call")]


def skip_unless_possible(name, format):
    if format not in backend.EXPORTS:
        pytest.skip(f"{keras.backend.backend()} does not write {format}")
    runtime = export_agreement.RUNTIMES.get(format, "keras")
    for package in (backend.EXPORTS[format], runtime):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs {package}")
    if name == "cfggan" and keras.backend.backend() == "torch":
        pytest.skip("PyTorch does not export a gradient")


@pytest.mark.parametrize(("name", "format", "function"), CASES)
def test_the_file_computes_what_the_model_does(name, format, function):
    skip_unless_possible(name, format)
    model = export_agreement.shaken(MODELS[name]())
    count = 1 if keras.backend.backend() == "torch" else 4
    largest, _ = export_agreement.difference(model, function, format, count)
    assert largest < 0.05  # grey levels


def test_half_precision(tmp_path):
    skip_unless_possible("vae", "onnx")
    model = export_agreement.shaken(kzoo.VAE((8, 8, 1), latent_dim=3, widths=(16,), dense_width=64))
    sizes = []
    for half in (False, True):
        path = tmp_path / f"{half}.onnx"
        model.export(
            str(path), "onnx", verbose=False, function="decode", batch_size=2, half_precision=half
        )
        sizes.append(path.stat().st_size)
    assert sizes[1] < 0.8 * sizes[0]
    latents = np.ones((2, 3), "float32")
    found = export_agreement.run_file(str(path), "onnx", [latents])
    np.testing.assert_allclose(found, model.decode(latents), atol=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "pickle"}, r"format must be one of \[.*\], got 'pickle'"),
        ({"function": "decode"}, r"function must be one of \['call'\], got 'decode'"),
        ({"half_precision": True}, "half_precision is for ONNX files"),
    ],
)
def test_wrong_arguments(arguments, message, tmp_path):
    format = next(name for name in backend.EXPORTS if name != "onnx")
    with pytest.raises(ValueError, match=message):
        MODELS["gan"]().export(str(tmp_path / "model"), **{"format": format, **arguments})


def test_missing_package(tmp_path, monkeypatch):
    monkeypatch.setitem(backend.EXPORTS, "onnx", "no_such_package")
    with pytest.raises(ImportError, match=r"format='onnx' needs (onnx and )?no_such_package"):
        MODELS["gan"]().export(str(tmp_path / "model.onnx"), "onnx")


def test_a_gradient_on_pytorch_is_refused(tmp_path):
    if keras.backend.backend() != "torch":
        pytest.skip("the other backends export gradients")
    with pytest.raises(RuntimeError, match="write no gradients"):
        MODELS["cfggan"]().export(str(tmp_path / "model.pt2"), "torch", verbose=False)


def test_plain_operations_are_back_afterwards(tmp_path):
    from kzoo.backend import common, fast

    with common.exporting("litert"):
        assert common.exported_format() == "litert"
        assert not any(fast.uses(path) for path in fast.PATHS)
    assert common.exported_format() is None
    assert all(fast.uses(path) == fast.ON for path in fast.PATHS)
