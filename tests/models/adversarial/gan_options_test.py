"""What modern GAN training takes: options of every model with two players."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.layers import SpectralNormalization
from kzoo.losses import adversarial
from tests.once import once

IMAGES = np.random.RandomState(0).randint(0, 256, (32, 8, 8, 3)).astype("uint8")
ALL = {
    "generator_loss": "hinge",
    "augment": "color,translation,cutout",
    "spectral_normalization": True,
    "average_decay": 0.9,
    "generator": "dcgan_4x4",
    "discriminator": "dcgan_4x4",
}


def tiny(model=kzoo.GAN, **kwargs):
    return model(image_shape=(8, 8, 3), latent_dim=4, width=4, **kwargs)


def numpy(x):
    return ops.convert_to_numpy(x)


def trained(model, epochs=1):
    if not model.compiled:
        model.compile()
    model.fit(IMAGES, batch_size=8, epochs=epochs, verbose=0, shuffle=False)
    return model


def test_hinge_is_the_loss_of_both():
    gan = tiny(generator_loss="hinge")
    real, fake = ops.array([[0.5], [2.0]]), ops.array([[-0.5], [1.0]])
    assert float(gan.discriminator_criterion(real, fake)) == 0.25 + 1.25
    assert float(gan.generator_criterion(fake)) == -0.25
    assert set(adversarial.GENERATOR_LOSSES) == {"minimax", "non_saturating", "hinge"}


@pytest.mark.parametrize("model", [kzoo.GAN, once(kzoo.LSGAN), once(kzoo.WGAN), kzoo.WGANGP])
def test_every_model_trains_with_all_options(model):
    options = {name: value for name, value in ALL.items() if name != "generator_loss"}
    gan = tiny(model, **options, discriminator_steps=1)
    before = [v.copy() for v in gan.get_weights()]
    history = trained(gan).history.history
    assert all(np.isfinite(values).all() for values in history.values())
    changed = [np.any(a != b) for a, b in zip(before, gan.get_weights(), strict=True)]
    assert np.mean(changed) > 0.9
    assert gan.generate(3, seed=0).shape == (3, 8, 8, 3)


@pytest.mark.parametrize("conditioning", ["projection", once("concatenation")])
def test_class_conditional_models(conditioning):
    gan = tiny(**ALL, r1=0.1, num_classes=3, conditioning=conditioning)
    gan.compile()
    gan.fit(IMAGES, np.arange(32) % 3, batch_size=8, verbose=0)
    for averaged in (True, False):
        images = gan.generate(3, labels=[2, 0, 1], averaged=averaged)
        assert images.shape == (3, 8, 8, 3)


@pytest.mark.once
def test_round_trips(tmp_path):
    gan = trained(tiny(**ALL))
    copy = kzoo.GAN.from_config(gan.get_config())
    assert copy.get_config() == gan.get_config()
    assert copy.augment == ["color", "translation", "cutout"]
    gan.save(tmp_path / "gan.keras")
    copy = keras.saving.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(copy.generate(4, seed=0), gan.generate(4, seed=0))
    for averaged in (False, True):
        options = {"seed": 1, "averaged": averaged}
        np.testing.assert_array_equal(copy.generate(4, **options), gan.generate(4, **options))
    assert float(copy.average_updates.value) == 4
    trained(copy)  # with the optimizers' state


@pytest.mark.once
def test_spectral_normalization_of_the_named_networks():
    for name in ("dcgan", "dcgan_4x4", "resnet", "fully_connected"):
        gan = tiny(spectral_normalization=True, discriminator=name)
        with_weights = [layer for layer in gan.discriminator.layers if layer.weights]
        assert all(isinstance(layer, SpectralNormalization) for layer in with_weights)
    plain = tiny().discriminator
    assert not any(isinstance(layer, SpectralNormalization) for layer in plain.layers)


def test_spectral_normalization_moves_on_in_training():
    """Once per call of the discriminator: for real, for generated, and for the generator."""
    gan = tiny(spectral_normalization=True, discriminator="fully_connected")
    layer = gan.discriminator.layers[-1]
    layer.layer.kernel.assign(np.random.RandomState(1).normal(size=layer.layer.kernel.shape))
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    hidden = next(x for x in gan.discriminator.layers if isinstance(x, SpectralNormalization))
    kernel = np.random.RandomState(2).normal(size=hidden.layer.kernel.shape).astype("float32")
    hidden.layer.kernel.assign(kernel)
    u = numpy(hidden.u)
    gan.fit(IMAGES[:8], batch_size=8, verbose=0)
    for _ in range(3):
        v = kernel @ u / np.linalg.norm(kernel @ u)
        u = v @ kernel / np.linalg.norm(v @ kernel)
    np.testing.assert_allclose(numpy(hidden.u), u, rtol=1e-3, atol=1e-4)


def mean_network():
    """A discriminator that gives an image's mean, times a weight of 1."""
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Reshape((1, 192))(inputs)
    x = keras.layers.GlobalAveragePooling1D(data_format="channels_first")(x)
    return keras.Model(inputs, keras.layers.Dense(1, "linear", False, "ones")(x))


def test_both_kinds_of_images_are_augmented_in_training_only():
    gan = tiny(augment="cutout", generator_loss="hinge", discriminator=mean_network())
    ones, latents = ops.ones((400, 8, 8, 3)), ops.zeros((400, 4))
    hinge = lambda real, fake: max(0, 1 - real) + max(0, 1 + fake)  # noqa: E731
    loss, _ = gan.discriminator_losses(ones, ones, latents, {}, training=False)
    np.testing.assert_allclose(float(loss), hinge(1, 1), rtol=1e-5)
    loss, _ = gan.discriminator_losses(ones, -ones, latents, {})
    # 4x4 of 8x8 pixels are cut around a centre in 0..8: (2+3+4+4+4+4+4+3+2)/9 of 8 on average.
    kept = 1 - (30 / 9 / 8) ** 2
    np.testing.assert_allclose(float(loss), 2 * (1 - kept), rtol=0.05)


def test_the_generator_learns_through_the_augmentation():
    gan = tiny(augment="translation,cutout", generator_loss="hinge")
    before = gan.generator.get_weights()
    trained(gan)
    changed = [np.any(a != b) for a, b in zip(before, gan.generator.get_weights(), strict=True)]
    assert all(changed)


def test_the_average_in_closed_form():
    gan = tiny(average_decay=0.3, generator="dcgan_4x4")
    start = gan.generator.get_weights()
    for a, b in zip(start, gan.averaged_generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    gan.compile(keras.optimizers.SGD(1e-3), keras.optimizers.SGD(0.1))
    expected = gan.generator.trainable_variables[0].value + 0
    for t in range(1, 5):
        gan.fit(IMAGES[:8], batch_size=8, verbose=0)
        k = min(0.3, (1 + t) / (10 + t))
        expected = k * expected + (1 - k) * gan.generator.trainable_variables[0].value
        average = gan.averaged_generator.weights[0]
        np.testing.assert_allclose(numpy(average), numpy(expected), rtol=1e-5, atol=1e-7)
    moving = [v for v in gan.generator.weights if "moving" in v.path]
    averages = [v for v in gan.averaged_generator.weights if "moving" in v.path]
    for a, b in zip(moving, averages, strict=True):
        np.testing.assert_array_equal(numpy(a), numpy(b))


def test_samples_come_from_the_average():
    gan = tiny(average_decay=0.99)
    for variable in gan.averaged_generator.weights:
        variable.assign(ops.zeros(variable.shape))
    assert (gan.generate(2, seed=0) == 128).all()
    assert (gan.generate(2, seed=0, averaged=False) != 128).any()
    plain = tiny()
    np.testing.assert_array_equal(
        plain.generate(2, seed=0), plain.generate(2, seed=0, averaged=False)
    )


@pytest.mark.once
def test_the_average_of_a_users_generator():
    generator = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(192), keras.layers.Reshape((8, 8, 3))]
    )
    gan = trained(tiny(generator=generator, average_decay=0.9))
    copy = kzoo.GAN.from_config(gan.get_config())
    assert copy.generate(2).shape == (2, 8, 8, 3)


def test_the_average_is_not_trained():
    gan = tiny(average_decay=0.9)
    assert not gan.averaged_generator.trainable_variables
    assert len(gan.trainable_variables) == len(tiny().trainable_variables)
    assert tiny().average_decay == tiny(average_decay=None).average_decay == 0


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"average_decay": 1.0}, "average_decay must be at least 0 and below 1, got 1.0"),
        ({"augment": "flip"}, "augment must name policies of 'color'"),
        ({"generator_loss": "hing"}, "generator_loss must be one of"),
        (
            {"spectral_normalization": True, "discriminator": mean_network()},
            "spectral_normalization=True is for a discriminator given by its name",
        ),
        ({"codes": 2, "generator": "resnet"}, "needs generator='dcgan' or 'dcgan_4x4'"),
        ({"codes": 5, "num_classes": 3}, "codes=5 needs as many latents, got latent_dim=4"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        tiny(**arguments)


def test_codes_beside_a_generator_of_the_users_own():
    layers = [keras.layers.Dense(192), keras.layers.Reshape((8, 8, 3))]
    with pytest.raises(ValueError, match="codes must be an integer, 0 or positive, got 'two'"):
        tiny(codes="two", generator=keras.Sequential(layers))
