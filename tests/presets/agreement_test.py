"""The shipped presets draw the same images on every backend: within 2 grey levels of stored ones.

Three CFGGANs take 15 long steps along gradients of leaky ReLU networks, which jump where an
activation changes its sign: there rounding may move one value in a thousand by more.

The stored images come from one backend. After new weights, write them again with

    python -m tests.presets.agreement_test

Pixel models also give the stored images the same likelihood. Where rounding moves one of their
values to the other side of a random number, all later pixels differ: in one of four images at most,
and in two of sixteen of a VQVAE, whose codes are drawn in this way. With the 256 values of
PixelCNN++ this happens too often, so only likelihoods are compared there.
"""

import pathlib

import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.images import to_uint8
from kzoo.models.latent.vqvae import codes as code_images

FOLDER = pathlib.Path(__file__).parent / "agreement"
PRESETS = [r["preset"] for r in kzoo.list_presets() if not r["preset"].startswith("classifier/")]
# Presets with long steps: the fraction of values that may differ by more than 2 grey levels.
LONG_STEPS = {
    "cfggan/mnist": 1e-3,
    "cfggan/svhn": 5e-3,
    "cfggan/celeba": 1e-3,
    "cfggan/lsun_bedroom": 1e-3,
}
# A CFGGAN takes whole mini-batches; pixel models are drawn pixel by pixel.
PIXEL_MODELS = ("pixelcnn", "pixelrnn", "gatedpixelcnn", "pixelcnnplusplus")
COUNT = {"cfggan": 64, **{family: 4 for family in PIXEL_MODELS}}
NATS_PER_PIXEL = 1e-4  # by which likelihoods may differ


def noise(model, count):
    """The same noise on every backend, of the kind that the model transforms."""
    generator = np.random.RandomState(0)
    if hasattr(model, "latent_dim"):
        return generator.randn(count, model.latent_dim).astype("float32")
    if hasattr(model, "noise_size"):  # of Pix2Pix: what dropout keeps
        kept = generator.rand(count, model.noise_size) >= model.dropout
        return kept.astype("float32") / (1 - model.dropout)
    if not hasattr(model, "noise_per_pixel"):  # of CycleGAN: none
        return np.zeros((count, 0), "float32")
    shape = (count, *model.image_shape[:2], model.noise_per_pixel)
    return generator.uniform(size=shape).astype("float32")


def values(condition, count):
    """The classes in turn; words in turn; for a source, an image of 8x8 squares at random."""
    found = condition.default(count)
    if condition.name == "captions":
        found = condition.check(list(condition.vocabulary[:count]), count)
    elif found is None:
        height, width, channels = condition.image_shape
        squares = (count, height // 8, width // 8, channels)
        found = np.random.RandomState(1).randint(0, 256, squares).astype("uint8")
        found = found.repeat(8, axis=1).repeat(8, axis=2)
    return found


def draw(preset):
    model = kzoo.GenerativeModel.from_preset(preset)
    count = COUNT.get(preset.split("/")[0], 16)
    source = model.prior if preset.startswith("vqvae/") else model
    given = {c.name: values(c, count) for c in source.conditioned_on}
    images = ops.convert_to_numpy(to_uint8(source.transform_noise(noise(source, count), **given)))
    if source is not model:  # maps of codes, as images of the pixel model
        images = model.decode_codes(code_images.from_images(source, images))
    return images


def likelihood(preset, images):
    model = kzoo.GenerativeModel.from_preset(preset)
    classes = getattr(model, "num_classes", None)
    given = {} if classes is None else {"labels": np.arange(len(images)) % classes}
    return model.log_likelihood(images, **given)


def stored(preset):
    return FOLDER / f"{preset.replace('/', '_')}.npz"


@pytest.mark.parametrize("preset", [p for p in PRESETS if not p.startswith("pixelcnnplusplus/")])
def test_equal_latents_give_equal_images(preset):
    expected = np.load(stored(preset))["images"]
    difference = np.abs(draw(preset).astype(int) - expected)
    if preset.split("/")[0] in PIXEL_MODELS:
        assert np.sum(difference.max(axis=(1, 2, 3)) > 0) <= 1
    elif preset.startswith("vqvae/"):
        assert np.sum(difference.max(axis=(1, 2, 3)) > 2) <= 2
    elif preset in LONG_STEPS:
        assert np.mean(difference > 2) < LONG_STEPS[preset]
        assert difference.max() <= 16
    else:
        assert difference.max() <= 2
    assert expected.std() > 20  # pictures, not a blank sheet


@pytest.mark.parametrize("preset", [p for p in PRESETS if p.split("/")[0] in PIXEL_MODELS])
def test_equal_likelihoods(preset):
    file = np.load(stored(preset))
    difference = likelihood(preset, file["images"]) - file["log_likelihood"]
    height, width = file["images"].shape[1:3]
    assert abs(difference).max() < NATS_PER_PIXEL * height * width


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in PRESETS:
        arrays = {"images": draw(name)}
        if name.split("/")[0] in PIXEL_MODELS:
            arrays["log_likelihood"] = likelihood(name, arrays["images"])
        np.savez_compressed(stored(name), **arrays)
