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


def test_batches_are_mirrored_at_random(growing):
    first = growing.batches(IMAGES, 16, 0, mirror=True)
    batches = [next(first)[0] for _ in range(3)]
    assert np.any(batches[0] != batches[1])
    known = {image.tobytes() for image in IMAGES}
    mirrored = [image.tobytes() not in known for image in batches[0]]
    assert 0 < np.mean(mirrored) < 1
    assert all(image[:, ::-1].tobytes() in known for image in batches[0][mirrored])
    plain = next(growing.batches(IMAGES, 16, 0))[0]
    assert all(image.tobytes() in known for image in plain)


def test_pairs_stay_pairs(growing):
    sources = 255 - IMAGES
    given = growing.batches(IMAGES, 16, 0, mirror=True, sources=sources, crop=6)
    for _ in range(3):
        images, beside = next(given)
        assert images.shape == beside.shape == (16, 6, 6, 3)
        np.testing.assert_array_equal(beside, 255 - images)
    squares = {
        image[i : i + 6, j : j + 6, ::1].tobytes()
        for image in (*IMAGES, *IMAGES[:, :, ::-1])
        for i in range(3)
        for j in range(3)
    }
    assert all(image.tobytes() in squares for image in images)


def test_sources_drawn_apart(growing):
    sources = 255 - IMAGES[:20]
    given = growing.batches(IMAGES, 16, 0, sources=sources, apart=True)
    images, beside = next(given)
    assert np.any(beside != 255 - images)
    for part, whole in ((images, IMAGES), (beside, sources)):
        known = {image.tobytes() for image in whole}
        assert all(image.tobytes() in known for image in part)


def model():
    keras.utils.set_random_seed(0)
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
    growing.train(args, whole, IMAGES, 48, tmp_path / "whole")
    for count in (24, 48):
        part = model()
        growing.train(args, part, IMAGES, count, tmp_path / "parts")
    for a, b in zip(whole.get_weights(), part.get_weights(), strict=True):
        # PyTorch's sums depend on where in memory the numbers lie.
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    lines = [line for line in capsys.readouterr().out.splitlines() if "ms per image" in line]
    assert [line.split()[0] for line in lines] == ["24", "48", "24", "48"]
    again = model()
    growing.train(args, again, IMAGES, 48, tmp_path / "parts")  # nothing is left to do
    np.testing.assert_array_equal(again.generate(4, seed=0), part.generate(4, seed=0))


def test_a_training_on_pairs(growing, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(growing, "UPDATES", 2)
    monkeypatch.setattr(growing, "SHEETS", 1)
    args = types.SimpleNamespace(batch_size=4, seed=0)
    weights = []
    for counts in ((16,), (8, 16)):
        folder = tmp_path / str(len(counts))
        for count in counts:
            keras.utils.set_random_seed(0)
            pix2pix = kzoo.Pix2Pix((8, 8, 3), width=2, receptive_field=16)
            pix2pix.compile()
            pairs = {"sources": 255 - IMAGES, "crop": 8, "shown": (IMAGES[:5], 255 - IMAGES[:5])}
            growing.train(args, pix2pix, IMAGES, count, folder, mirror=True, **pairs)
        weights.append(pix2pix.get_weights())
        assert len(list((folder / "samples").iterdir())) == 2
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    assert "g_loss" in capsys.readouterr().out


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
