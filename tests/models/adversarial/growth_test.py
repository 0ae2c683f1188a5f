"""Networks that grow out of smaller ones."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo import backend
from kzoo.layers import Fade
from tests.once import once

IMAGES = np.random.RandomState(0).randint(0, 256, (32, 16, 16, 3)).astype("uint8")
SHARED = {
    "latent_dim": 4,
    "spectral_normalization": True,
    "average_decay": 0.9,
    "generator": "dcgan_4x4",
    "discriminator": "dcgan_4x4",
}


def small(**kwargs):
    return kzoo.GAN((8, 8, 3), **{"width": 64, **SHARED, **kwargs})


def large(**kwargs):
    return kzoo.GAN((16, 16, 3), **{"width": 32, **SHARED, **kwargs})


def numpy(x):
    return ops.convert_to_numpy(x)


def randomized(model):
    rng = np.random.default_rng(0)
    networks = model.generator, model.discriminator, model.averaged_generator
    for variable in (v for network in networks for v in network.weights):
        value = rng.normal(0, 0.1, variable.shape)
        variable.assign(1 + np.abs(value) if "variance" in variable.path else value)
    return model


@pytest.fixture(scope="module")
def source():
    return randomized(small())


def test_a_grown_model_begins_as_the_smaller_one(source):
    grown = large(grow_from=source, fade_images=64)
    latents = np.random.default_rng(1).normal(size=(3, 4)).astype("float32")
    for averaged in (True, False):
        images = numpy(source.transform_noise(latents, averaged=averaged))
        doubled = images.repeat(2, axis=1).repeat(2, axis=2)
        np.testing.assert_allclose(
            numpy(grown.transform_noise(latents, averaged=averaged)), doubled, rtol=1e-4, atol=1e-5
        )
    np.testing.assert_allclose(
        numpy(grown.logits(doubled)), numpy(source.logits(images)), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("conditioning", ["projection", once("concatenation")])
def test_class_conditional_models(conditioning):
    options = {"num_classes": 2, "conditioning": conditioning}
    grown = large(grow_from=randomized(small(**options)), fade_images=8, **options)
    grown.compile()
    grown.fit(IMAGES[:8], np.arange(8) % 2, batch_size=8, verbose=0)
    plain = large(grow_from=grown, **options)
    np.testing.assert_array_equal(plain.generate(4, seed=0), grown.generate(4, seed=0))


def test_alpha_rises_with_the_images_seen(source):
    grown = large(grow_from=source, fade_images=20)
    grown.compile()
    fades = [
        layer
        for network in (grown.generator, grown.discriminator, grown.averaged_generator)
        for layer in network.layers
        if isinstance(layer, Fade)
    ]
    assert len(fades) == 3
    for expected in (0.4, 0.8, 1.0):
        grown.fit(IMAGES[:8], batch_size=8, verbose=0)
        np.testing.assert_allclose([numpy(layer.alpha) for layer in fades], expected, rtol=1e-6)
    assert grown.get_config()["grow_from"] is None
    copy = kzoo.GAN.from_config(grown.get_config())
    copy.set_weights(grown.get_weights())
    np.testing.assert_array_equal(copy.generate(3, seed=0), grown.generate(3, seed=0))


@pytest.mark.once
def test_a_model_without_the_old_layers_once_they_are_faded_out(source, tmp_path):
    grown = large(grow_from=source, fade_images=8)
    grown.compile()
    grown.fit(IMAGES[:8], batch_size=8, verbose=0)
    plain = large(grow_from=grown)
    assert not [layer for layer in plain.generator.layers if isinstance(layer, Fade)]
    for averaged in (True, False):
        arguments = {"seed": 0, "averaged": averaged}
        np.testing.assert_array_equal(
            plain.generate(4, **arguments), grown.generate(4, **arguments)
        )
    x = IMAGES[:4] / np.float32(127.5) - 1
    np.testing.assert_allclose(numpy(plain.logits(x)), numpy(grown.logits(x)), rtol=1e-5, atol=1e-6)
    plain.save(tmp_path / "gan.keras")
    copy = keras.saving.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(copy.generate(4, seed=0), plain.generate(4, seed=0))


def test_alpha_counts_the_images_of_all_devices(source, monkeypatch):
    grown = large(grow_from=source, fade_images=64)
    monkeypatch.setattr(backend, "replica", lambda: (1, 2))
    grown._fade(ops.convert_to_tensor(IMAGES[:8]))
    assert float(numpy(grown.generator.get_layer("fade").alpha)) == 2 * 8 / 64


def test_a_model_of_the_same_size_goes_on():
    """Its average too, and the classifier of one with auxiliary classes."""
    options = {"num_classes": 2, "conditioning": "auxiliary", "spectral_normalization": False}
    trained = small(**options)
    trained.compile()
    trained.fit(IMAGES[:, :8, :8], np.arange(32) % 2, batch_size=4, epochs=13, verbose=0)
    more = small(grow_from=trained, **options)
    assert float(numpy(more.average_updates.value)) == 13 * 8
    for name in ("class_head", "averaged_generator"):
        pairs = zip(getattr(more, name).weights, getattr(trained, name).weights, strict=True)
        for mine, given in pairs:
            np.testing.assert_array_equal(numpy(mine), numpy(given))

    def kernel(network):
        return numpy(next(v for v in network.weights if "projection" in v.path))

    average = kernel(more.averaged_generator)
    more.compile()
    more.fit(IMAGES[:4, :8, :8], np.arange(4) % 2, batch_size=4, verbose=0)
    weights, moved = kernel(more.generator), kernel(more.averaged_generator)
    np.testing.assert_allclose(moved, average + 0.1 * (weights - average), atol=1e-6)


def test_growth_without_fading(source):
    grown = large(grow_from=source)
    layer, name = grown.generator.get_layer("to_8"), "to_8"
    np.testing.assert_array_equal(
        numpy(layer.kernel), numpy(source.generator.get_layer(name).kernel)
    )


def test_fade_layer():
    fade = Fade()
    old, new = np.zeros((2, 3), "float32"), np.full((2, 3), 4, "float32")
    for alpha in (0.0, 0.25, 1.0):
        outputs = fade([old, new])
        fade.alpha.assign(alpha)
        np.testing.assert_allclose(numpy(fade([old, new])), 4 * alpha)
    assert outputs.shape == (2, 3)
    assert fade.compute_output_shape([(2, 3), (2, 3)]) == (2, 3)
    with pytest.raises(ValueError, match="two inputs of equal shape"):
        Fade().build([(2, 3), (2, 4)])


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"fade_images": -1}, "fade_images must be an int of at least 0, got -1"),
        ({"fade_images": 1.5}, "fade_images must be an int of at least 0, got 1.5"),
        ({"fade_images": True}, "fade_images must be an int of at least 0, got True"),
        ({"grow_from": 3}, "grow_from must be a kzoo model with two networks, got 3"),
        ({"fade_images": 8, "generator": "dcgan"}, "needs generator='dcgan_4x4', got .*'dcgan'"),
        ({"fade_images": 8, "discriminator": "resnet"}, "needs discriminator='dcgan_4x4'"),
        ({"latent_dim": 5}, r"grow_from must make images of \(8, 8, 3\).* from latents of 4"),
        ({"width": 20}, "width=64 to grow width=20"),
    ],
)
def test_wrong_arguments(source, arguments, message):
    with pytest.raises(ValueError, match=message):
        large(**{"grow_from": source, **arguments})


def test_a_smallest_size_of_fading_networks():
    with pytest.raises(ValueError, match=r"must be at least 8; got image_shape=\(8, 8, 3\)"):
        small(fade_images=8)
