"""Mistakes in Python: each raises an error of kzoo, of one line, that says what to do.

No mistake changes a weight or leaves a file. `python.txt` beside this file has them.
"""

import os
import pathlib
import traceback

import keras
import numpy as np
import pytest

import kzoo
from tests.small_models import small

KZOO = str(pathlib.Path(kzoo.__file__).parent)
ERRORS = (ValueError, TypeError, RuntimeError, FileNotFoundError, NotADirectoryError)


def cases():
    """`(line, parts of the message)` of `python.txt`."""
    text = pathlib.Path(__file__).with_name("python.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line, words.strip()) for line, words in zip(lines[::2], lines[1::2], strict=True)]


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """What the lines name; they run in a folder with a preset, a file and an empty folder."""
    rng = np.random.default_rng(0)
    models = {
        "autoencoder": small("Autoencoder"),
        "captioned": small("TextToImageGAN"),
        "cfggan": small("CFGGAN"),
        "conditional": small("GAN", num_classes=3),
        "cyclegan": small("CycleGAN"),
        "gan": small("GAN"),
        "ladder": small("LadderVAE"),
        "pix2pix": small("Pix2Pix"),
        "pixelcnn": kzoo.PixelCNN((8, 8, 1), filters=4, num_blocks=1, head_filters=4),
        "vae": small("VAE"),
        "vqvae": small("VQVAE"),
    }
    for model in models.values():
        model.compile()
    folder = tmp_path_factory.mktemp("here")
    (folder / "file.txt").write_text("some notes")
    (folder / "empty").mkdir()
    models["gan"].save_to_preset(folder / "preset")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield models | {
            "adam": keras.optimizers.Adam(),
            "captions": ["a red flower"] * 8,
            "classifier": kzoo.Classifier((8, 8, 1), 3, widths=(3, 5)),
            "images": rng.integers(0, 256, (8, 8, 8, 1), dtype="uint8"),
            "labels": np.arange(8) % 3,
            "keras": keras,
            "kzoo": kzoo,
            "np": np,
        }


def weights(model):
    """What training would change: the weights, and how many updates there were."""
    arrays = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    optimizer = getattr(model, "optimizer", None)  # a classifier that is not compiled has none
    return [array.copy() for array in arrays], optimizer and int(optimizer.iterations)


def raises(line, names):
    """The error that a line raises."""
    try:
        exec(line, dict(names))
    except ERRORS as error:
        return error
    pytest.fail(f"no error: {line}")


@pytest.mark.parametrize(("line", "words"), cases())
def test_a_mistake_is_told_clearly_before_any_work(names, line, words):
    if '"torch"' in line and keras.backend.backend() != "torch":
        pytest.skip("only PyTorch writes this format")
    model = names.get(line.partition(".")[0])
    trains = isinstance(model, keras.Model) and ".compile(" not in line
    before = weights(model) if trains else None
    error = raises(line, names)
    message = str(error)
    assert all(part in message for part in words.split("; ")), message
    assert "\n" not in message and len(message) < 400, message
    assert traceback.extract_tb(error.__traceback__)[-1].filename.startswith(KZOO)
    if trains:
        for array, expected in zip(weights(model)[0], before[0], strict=True):
            np.testing.assert_array_equal(array, expected)
        assert weights(model)[1] == before[1]
    # A callback makes its folder, so that a training does not fail at the end of an epoch.
    assert set(os.listdir()) - {"sheets"} == {"file.txt", "empty", "preset"}


def test_the_cases_are_many_and_distinct():
    lines = [line for line, _ in cases()]
    assert len(set(lines)) == len(lines) >= 60


def test_what_keras_says_of_a_network_is_one_line(names):
    """Keras tells the same on several lines, in bold, with all inputs."""
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="discriminator does not take inputs of shape") as caught:
        kzoo.GAN((8, 8, 1), 4, discriminator=network)
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)
