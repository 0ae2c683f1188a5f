"""Refining generators of all kinds by functional gradient steps."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.networks.given import copy_of

RNG = np.random.RandomState(0)
IMAGES = RNG.randint(0, 256, (64, 8, 8, 1)).astype("uint8")
QUICK = {"steps": 2, "stages": 2, "width": 4, "pool_size": 8, "batch_size": 4, "verbose": 0}


def numpy(x):
    return ops.convert_to_numpy(x)


def network(activation="tanh", shape=(8, 8, 1)):
    """A user's own generator, latents (b, 3) to images."""
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(int(np.prod(shape)), activation=activation),
            keras.layers.Reshape(shape),
        ]
    )


def dense_discriminator():
    return keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])


GENERATORS = {
    "keras": network,
    "gan": lambda: kzoo.GAN((8, 8, 1), 3, width=4),
    "averaged gan": lambda: kzoo.GAN((8, 8, 1), 3, width=4, average_decay=0.9),
    "vae": lambda: kzoo.VAE((8, 8, 1), latent_dim=3),
    "cfggan": lambda: kzoo.CFGGAN((8, 8, 1), 3, width=4, num_steps=2, pool_size=64),
}


@pytest.mark.parametrize("kind", list(GENERATORS))
def test_starts_from_the_generator_and_leaves_it_as_it_was(kind):
    generator = GENERATORS[kind]()
    before = [w.copy() for w in generator.get_weights()]
    trainable = len(generator.trainable_variables)
    refined = kzoo.CFGGAN.refine(generator, IMAGES, **QUICK)
    assert refined.stages_done == 2
    assert len(generator.trainable_variables) == trainable
    for a, b in zip(before, generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    noise = numpy(refined.draw_noise(4, keras.random.SeedGenerator(1)))
    start, grown = (numpy(refined.transform_noise(noise, steps=t)) for t in (0, 2))
    if isinstance(generator, kzoo.GenerativeModel):
        expected = generator.transform_noise(noise)
    else:
        expected = generator(noise)
    np.testing.assert_allclose(start, numpy(expected), atol=1e-5)
    assert np.abs(grown - start).max() > 1e-3


@pytest.mark.once
def test_a_refined_vae_survives_as_a_preset(tmp_path):
    refined = kzoo.CFGGAN.refine(GENERATORS["vae"](), IMAGES, **QUICK)
    images = refined.generate(3, seed=0)
    refined.save_to_preset(tmp_path / "refined")
    np.testing.assert_array_equal(
        kzoo.CFGGAN.from_preset(tmp_path / "refined").generate(3, seed=0), images
    )
    refined.save(tmp_path / "refined.keras")
    loaded = keras.models.load_model(tmp_path / "refined.keras")
    np.testing.assert_array_equal(loaded.generate(3, seed=0), images)


@pytest.mark.once
def test_class_conditional():
    labels = np.arange(len(IMAGES)) % 3
    generator = kzoo.GAN((8, 8, 1), 3, width=4, num_classes=3)
    data = kzoo.datasets.from_arrays(IMAGES, labels, batch_size=16)
    refined = kzoo.CFGGAN.refine(generator, data, **QUICK)
    assert refined.generate(labels=[2, 0, 1], seed=0).shape == (3, 8, 8, 1)


def test_steps_follow_the_discriminator():
    """D after training separates the images, and every step raises it on what is generated."""
    dark = np.full((64, 8, 8, 1), 20, "uint8")
    refined = kzoo.CFGGAN.refine(
        network(),
        dark,
        discriminator=dense_discriminator(),
        learning_rate=0.01,
        **{**QUICK, "stages": 8, "step_size": 0.3},
    )
    means = [refined.generate(32, seed=0, steps=t).mean() for t in range(3)]
    assert means[0] > means[1] > means[2]
    losses = refined.last_losses()
    assert losses["d_real"] > losses["d_fake"]


@pytest.mark.once
def test_a_given_discriminator_is_copied():
    gan = kzoo.GAN((8, 8, 1), 3, width=4, spectral_normalization=True)
    before = [w.copy() for w in gan.discriminator.get_weights()]
    refined = kzoo.CFGGAN.refine(gan, IMAGES, discriminator=gan.discriminator, **QUICK)
    for a, b in zip(before, gan.discriminator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(
        np.any(a != b) for a, b in zip(before, refined.discriminator.get_weights(), strict=True)
    )


@pytest.mark.once
@pytest.mark.parametrize(
    ("generator", "message"),
    [
        (lambda: network("sigmoid"), r"Rescale them, from \[0, 1\]"),
        (lambda: network(shape=(4, 4, 1)), r"expected \(\*, 4, 4, 1\)|of shape|shape"),
        (lambda: "mnist", "must be a kzoo model or a keras.Model"),
        (lambda: kzoo.PixelCNN((8, 8, 1), filters=4, num_blocks=1), "takes noise of shape"),
        (dense_discriminator, r"must take latents \(b, latent_dim\)"),
    ],
    ids=["range", "shape", "no model", "noise", "input"],
)
def test_refuses(generator, message):
    with pytest.raises(ValueError, match=message) as error:
        kzoo.CFGGAN.refine(generator(), IMAGES, **QUICK)
    assert "\n" not in str(error.value)


@pytest.mark.once
def test_refuses_integers():
    class Rounded(keras.layers.Layer):
        def call(self, x):
            return ops.cast(x * 127.0, "int32")

    inputs = keras.Input((3,))
    generator = keras.Model(inputs, Rounded()(network()(inputs)))
    with pytest.raises(ValueError, match="must return floats"):
        kzoo.CFGGAN.refine(generator, IMAGES, **QUICK)


OPTIONS = {
    "augment": "color,translation",
    "spectral_normalization": True,
    "average_decay": 0.5,
    "r1": 1.0,
    "r1_every": 2,
    "discriminator_loss": "hinge",
    "discriminator": "dcgan_4x4",
    "approximator": "dcgan_4x4",
}


def test_all_options_of_the_discriminator(tmp_path):
    model = kzoo.CFGGAN((8, 8, 1), 3, width=4, num_steps=2, batch_size=8, pool_size=16, **OPTIONS)
    model.compile()
    start = copy_of(model.approximator).get_weights()
    history = model.fit(IMAGES, epochs=1, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    stages = float(numpy(model.average_updates.value))
    assert stages == 4.0
    assert int(numpy(model.r1_updates.value)) == 8
    # The average lies between the start and the weights as they are.
    averaged, now = (
        model.generate(4, seed=0, steps=0),
        model.generate(4, seed=0, steps=0, averaged=False),
    )
    assert np.any(averaged != now)
    assert len(start) == len(model.averaged_approximator.get_weights())
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(loaded.generate(3, seed=0), model.generate(3, seed=0))


def test_the_average_moves_once_a_stage():
    model = kzoo.CFGGAN(
        (8, 8, 1), 3, width=4, num_steps=1, batch_size=8, pool_size=8, average_decay=0.5
    )
    model.compile()
    before = model.averaged_approximator.weights[0].numpy().copy()
    model.fit(IMAGES[:8], epochs=1, verbose=0)
    k = 2.0 / 11.0  # min(.5, (1 + t) / (10 + t)), t = 1
    expected = k * before + (1 - k) * numpy(model.approximator.weights[0].value)
    np.testing.assert_allclose(
        numpy(model.averaged_approximator.weights[0].value), expected, rtol=1e-4, atol=1e-6
    )


def test_hinge_is_the_discriminators_loss():
    model = kzoo.CFGGAN(
        (8, 8, 1),
        3,
        num_steps=1,
        batch_size=8,
        pool_size=8,
        discriminator=dense_discriminator(),
        approximator=network(),
        discriminator_loss="hinge",
    )
    model.compile()
    real, fake = ops.ones((8, 8, 8, 1)), -ops.ones((8, 8, 8, 1))
    d_real, d_fake = (float(numpy(ops.mean(model.logits(x)))) for x in (real, fake))
    loss, *_ = model.discriminator_step(real, fake)
    expected = max(0.0, 1.0 - d_real) + max(0.0, 1.0 + d_fake)
    np.testing.assert_allclose(float(numpy(loss)), expected, rtol=1e-5)
    with pytest.raises(ValueError, match="discriminator_loss must be one of"):
        kzoo.CFGGAN(discriminator_loss="wasserstein")
