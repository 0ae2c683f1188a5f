import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

import kzoo
from kzoo import Autoencoder, latents

SHAPE = (4, 6, 1)


class Affine:
    """Codes are two weighted sums of the pixels; with `posterior`, means beside log-variances."""

    latent_dim = 2
    image_shape = SHAPE
    weights = np.random.default_rng(0).standard_normal((24, 2))

    def __init__(self, posterior=False):
        self.posterior = posterior

    def encode(self, images):
        mean = (images.reshape(len(images), -1) / 127.5 - 1) @ self.weights
        return (mean, np.full_like(mean, -2.0)) if self.posterior else mean

    def decode(self, codes):
        return np.clip(codes @ self.weights.T, -1, 1).reshape(-1, *SHAPE).astype("float32")


@pytest.fixture
def groups():
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, (n, *SHAPE), dtype="uint8") for n in (5, 3, 4)]


@pytest.mark.parametrize("posterior", [False, True])
def test_directions_and_sums_are_those_of_averages(posterior, groups):
    model = Affine(posterior)
    a, b, c = (Affine().encode(group).mean(axis=0) for group in groups)
    assert_allclose(latents.average_latents(model, groups[0]), a)
    assert_allclose(latents.attribute_direction(model, groups[0], groups[1]), a - b)
    got = latents.combine(model, plus=[groups[0], groups[2]], minus=[groups[1]])
    assert_allclose(got, a + c - b)
    assert_allclose(latents.combine(model, [groups[0]]), a)


def test_decoded_gives_uint8_images_of_codes_of_any_rank():
    model = Affine()
    codes = 0.1 * np.random.default_rng(2).standard_normal((3, 2, 2))
    images = latents.decoded(model, codes)
    assert images.shape == (6, *SHAPE) and images.dtype == np.uint8
    assert_allclose(images[3] / 127.5 - 1, model.decode(codes[1, 1:])[0], atol=1 / 255)


def test_scores_are_kl_per_dimension_or_variances(groups):
    mean, log_variance = Affine(True).encode(groups[0])
    kl = 0.5 * (np.exp(log_variance) + mean**2 - 1 - log_variance).mean(axis=0)
    assert_allclose(latents.latent_scores(Affine(True), groups[0]), kl)
    variance = ((mean - mean.mean(axis=0)) ** 2).mean(axis=0)
    assert_allclose(latents.latent_scores(Affine(), groups[0]), variance)


def test_scores_add_up_to_the_kl_of_a_vae():
    vae = kzoo.VAE((8, 8, 1), 3, widths=(4,), dense_width=6)
    images = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), dtype="uint8")
    vae.compile()
    kl = vae.evaluate(images, verbose=0, return_dict=True)["kl"]
    assert latents.latent_scores(vae, images).sum() == pytest.approx(kl, rel=1e-4)


def test_code_network_is_the_encoder_of_codes():
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), dtype="uint8")
    for model in (
        kzoo.VAE((8, 8, 1), 3, widths=(4,), dense_width=6),
        Autoencoder((8, 8, 1), 3, widths=(4,), dense_width=6),
    ):
        network = latents.latent_network(model)
        got = keras.ops.convert_to_numpy(network(images / np.float32(127.5) - 1))
        assert_allclose(got, latents.encoded(model, images), atol=1e-6)


def test_code_network_of_two_outputs():
    x = keras.Input((2, 2, 1))
    flat = keras.layers.Flatten()(x)
    encoder = keras.Model(x, [keras.layers.Dense(2)(flat), keras.layers.Dense(2)(flat)])
    z = keras.Input((2,))
    decoder = keras.Model(z, keras.layers.Reshape((2, 2, 1))(keras.layers.Dense(4)(z)))
    vae = kzoo.VAE((2, 2, 1), 2, encoder=encoder, decoder=decoder)
    images = np.random.default_rng(0).integers(0, 256, (5, 2, 2, 1), dtype="uint8")
    got = keras.ops.convert_to_numpy(latents.latent_network(vae)(images / np.float32(127.5) - 1))
    assert_allclose(got, vae.encode(images)[0], atol=1e-6)


def test_errors(groups):
    for function in (latents.encoded, latents.average_latents, latents.latent_scores):
        with pytest.raises(ValueError, match="latent_dim.*got object"):
            function(object(), groups[0])

    class Layered(Affine):
        def encode(self, images):
            return [super().encode(images)] * 2

    with pytest.raises(ValueError, match=r"latents \(5, 2\).*Layered gave list"):
        latents.encoded(Layered(), groups[0])
    with pytest.raises(ValueError, match="no encoder"):
        latents.latent_network(Affine())
    with pytest.raises(ValueError, match="at least one group"):
        latents.combine(Affine(), plus=[])


def test_old_names():
    assert latents.codes is latents.encoded and latents.code_scores is latents.latent_scores
    assert latents.average_code is latents.average_latents
    assert latents.code_network is latents.latent_network


class Shade:
    """A GAN's shape: the first latent is the grey level of an image; it encodes nothing."""

    latent_dim = 3
    image_shape = SHAPE

    def transform_noise(self, noise):
        levels = np.clip(noise[:, :1], -1, 1)
        return np.tile(levels[:, None, None], (1, *SHAPE)).astype("float32")


class Bright:
    """A classifier of two attributes: bright, and dark."""

    def activations(self, images):
        bright = images.mean(axis=(1, 2, 3)) / 255
        return None, np.stack([bright, 1 - bright], axis=1)


def test_groups_of_latents_serve_a_model_that_encodes_nothing(monkeypatch):
    monkeypatch.setattr(latents.encoding, "DRAWN_AT_ONCE", 64)
    z, seen = latents.labelled(Shade(), Bright(), 300, seed=0)
    assert z.shape == (300, 3) and seen.shape == (300, 2)
    assert_allclose(seen[:, 0], (np.clip(z[:, 0], -1, 1) + 1) / 2, atol=1 / 255)
    bright, dark = z[seen[:, 0] > 0.5], z[seen[:, 1] > 0.5]
    direction = latents.attribute_direction(Shade(), bright, dark)
    assert_allclose(direction, bright.mean(axis=0) - dark.mean(axis=0))
    assert direction[0] > 1 and np.abs(direction[1:]).max() < 0.5
    start = dark.mean(axis=0)
    images = latents.decoded(Shade(), np.stack([start, start + direction]))
    assert images.shape == (2, *SHAPE) and images[0].mean() < 127 < images[1].mean()


def test_groups_of_latents_are_checked():
    with pytest.raises(ValueError, match="at least one image or latent, got none"):
        latents.average_latents(Shade(), np.zeros((0, 3)))
    with pytest.raises(ValueError, match=r"latents of shape \(n, 3\), got \(2, 4\)"):
        latents.average_latents(Shade(), np.zeros((2, 4)))
    with pytest.raises(ValueError, match="`encode` and `decode`"):
        latents.average_latents(Shade(), np.zeros((2, *SHAPE), "uint8"))
    with pytest.raises(ValueError, match="Expected a model with latents"):
        latents.decoded(Bright(), np.zeros((2, 3)))


def test_balanced_directions():
    """Where two attributes go together, each direction is still its own."""
    model = kzoo.VAE((8, 8, 1), latent_dim=2, widths=(4,), dense_width=4)
    rng = np.random.default_rng(0)
    first, second = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [40, 10, 10, 40], axis=0).T
    latents = np.stack([first, second], axis=1) + 0.001 * rng.normal(size=(100, 2))
    seen = {"a": first * 0.9, "b": second * 0.8}
    found = kzoo.latents.balanced_directions(model, latents, seen)
    np.testing.assert_allclose(found["a"], [1, 0], atol=0.01)
    np.testing.assert_allclose(found["b"], [0, 1], atol=0.01)
    alone = kzoo.latents.balanced_directions(model, latents, {"a": seen["a"]})["a"]
    np.testing.assert_allclose(alone, [1, 0.6], atol=0.01)  # 40 of 50 with a, 10 of 50 without
    with pytest.raises(ValueError, match="a: expected 60 latents with it and without it"):
        kzoo.latents.balanced_directions(model, latents, seen, fewest=60)
