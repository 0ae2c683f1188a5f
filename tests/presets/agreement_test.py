"""The shipped presets draw the same images on every backend: within 2 grey levels of stored ones.

Two CFGGANs take 15 long steps along gradients of leaky ReLU networks, which jump where an
activation changes its sign: there rounding may move one value in a thousand by more.

The stored images come from one backend. After new weights, write them again with

    python -m tests.presets.agreement_test
"""

import pathlib

import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.models.base import to_uint8

FOLDER = pathlib.Path(__file__).parent / "agreement"
PRESETS = [r["preset"] for r in kzoo.list_presets() if not r["preset"].startswith("classifier/")]
LONG_STEPS = ("cfggan/mnist_xicfg", "cfggan/lsun_bedroom")
COUNT = {"cfggan": 64, "pixelcnn": 4}  # a CFGGAN takes whole mini-batches


def noise(model, count):
    """The same noise on every backend, of the kind that the model transforms."""
    generator = np.random.RandomState(0)
    if hasattr(model, "latent_dim"):
        return generator.randn(count, model.latent_dim).astype("float32")
    return generator.uniform(size=(count, *model.image_shape)).astype("float32")


def draw(preset):
    model = kzoo.GenerativeModel.from_preset(preset)
    count = COUNT.get(preset.split("/")[0], 16)
    return ops.convert_to_numpy(to_uint8(model.transform_noise(noise(model, count))))


def stored(preset):
    return FOLDER / f"{preset.replace('/', '_')}.npz"


@pytest.mark.parametrize("preset", PRESETS)
def test_equal_latents_give_equal_images(preset):
    expected = np.load(stored(preset))["images"]
    difference = np.abs(draw(preset).astype(int) - expected)
    if preset in LONG_STEPS:
        assert np.mean(difference > 2) < 1e-3
        assert difference.max() <= 16
    else:
        assert difference.max() <= 2
    assert expected.std() > 20  # pictures, not a blank sheet


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in PRESETS:
        np.savez_compressed(stored(name), images=draw(name))
