import pathlib
import sys
import types

import keras
import numpy as np
import pytest

import kzoo

APPLICATIONS = pathlib.Path(__file__).resolve().parents[2] / "applications"
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def growing():
    sys.path.insert(0, str(APPLICATIONS))
    try:
        import growing_recipe
    finally:
        sys.path.remove(str(APPLICATIONS))
    return growing_recipe


def test_halved_takes_means_of_2x2_pixels(growing):
    means = IMAGES.reshape(40, 4, 2, 4, 2, 3).mean((2, 4))
    small = growing.halved(IMAGES)
    assert small.dtype == np.uint8
    np.testing.assert_array_equal(small, np.floor(means + 0.5))


def test_a_batch_depends_on_its_number(growing):
    first = growing.batches(IMAGES, 16, 0, 0, mirror=True)
    batches = [next(first)[0] for _ in range(3)]
    np.testing.assert_array_equal(
        next(growing.batches(IMAGES, 16, 0, 2, mirror=True))[0], batches[2]
    )
    assert np.any(batches[0] != batches[1])
    known = {image.tobytes() for image in IMAGES}
    mirrored = [image.tobytes() not in known for image in batches[0]]
    assert 0 < np.mean(mirrored) < 1
    assert all(image[:, ::-1].tobytes() in known for image in batches[0][mirrored])
    plain = next(growing.batches(IMAGES, 16, 0, 0))[0]
    assert all(image.tobytes() in known for image in plain)


def model():
    gan = kzoo.GAN(
        (8, 8, 3),
        latent_dim=4,
        width=4,
        generator_loss="hinge",
        augment="translation",
        spectral_normalization=True,
        average_decay=0.9,
        generator="dcgan_4x4",
        discriminator="dcgan_4x4",
    )
    gan.compile()
    return gan


def test_an_interrupted_training_ends_as_another(growing, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(growing, "UPDATES", 3)
    args = types.SimpleNamespace(batch_size=8, seed=0)
    whole = model()
    start = whole.get_weights()
    growing.train(args, whole, IMAGES, 48, tmp_path / "whole")
    for count in (24, 48):
        part = model()
        part.set_weights(start)
        growing.train(args, part, IMAGES, count, tmp_path / "parts")
    for a, b in zip(whole.get_weights(), part.get_weights(), strict=True):
        # PyTorch's sums depend on where in memory the numbers lie.
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    lines = [line for line in capsys.readouterr().out.splitlines() if "ms per image" in line]
    assert [line.split()[0] for line in lines] == ["24", "48", "24", "48"]
    again = model()
    growing.train(args, again, IMAGES, 48, tmp_path / "parts")  # nothing is left to do
    np.testing.assert_array_equal(again.generate(4, seed=0), part.generate(4, seed=0))


def test_settle_finds_the_statistics_of_the_averaged_generator(growing):
    gan = model()
    norm = next(layer for layer in gan.averaged_generator.layers if layer.name == "projection_norm")
    variances = keras.ops.convert_to_numpy(norm.moving_variance)
    growing.settle(gan)
    # The projection's kernel is orthogonal: of normal latents, sums of squares by its columns.
    kernel = keras.ops.convert_to_numpy(gan.averaged_generator.get_layer("projection").kernel)
    expected = np.square(kernel).sum(0).reshape(16, -1).mean(0)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(norm.moving_variance), expected, rtol=0.2)
    assert np.abs(variances - expected).max() > 0.2
    assert not gan.averaged_generator.trainable_variables
