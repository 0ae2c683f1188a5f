"""The penalty R1 on the discriminator's gradient."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from tests.once import once

IMAGES = np.random.RandomState(0).randint(0, 256, (32, 8, 8, 3)).astype("uint8")


def tiny(**kwargs):
    return kzoo.GAN(image_shape=(8, 8, 3), latent_dim=4, width=4, **kwargs)


def linear():
    """A discriminator <w, x> + b."""
    return keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(1, use_bias=False)]
    )


def losses(gan):
    x = ops.convert_to_tensor(IMAGES[:8] / np.float32(127.5) - 1)
    latents = ops.zeros((8, 4))
    fake = gan(latents, training=True)
    return float(gan.discriminator_losses(x, fake, latents, {})[0])


def test_of_a_linear_discriminator():
    """Its gradient is w at every image."""
    network = linear()
    w = ops.convert_to_numpy(network.layers[-1].kernel)
    plain, penalized = tiny(discriminator=network), tiny(discriminator=network, r1=3.0, r1_every=1)
    penalized.generator.set_weights(plain.generator.get_weights())
    np.testing.assert_allclose(losses(penalized) - losses(plain), 1.5 * np.sum(w**2), rtol=1e-4)


def test_lazily():
    """The weights move by the penalty's gradient at every third update, three times as far."""
    gan = tiny(discriminator=linear(), r1=3.0, r1_every=3, generator_loss="hinge", augment="color")
    gan.discriminator_criterion = lambda real, fake: 0.0 * ops.mean(real)
    gan.compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.0))
    w = [ops.convert_to_numpy(gan.discriminator.layers[-1].kernel)]
    for _ in range(5):
        gan.fit(IMAGES[:8], batch_size=8, verbose=0)
        w.append(ops.convert_to_numpy(gan.discriminator.layers[-1].kernel))
    for step, (before, after) in enumerate(zip(w, w[1:], strict=False)):
        factor = 1 - 0.01 * 3 * 3 if step % 3 == 0 else 1
        np.testing.assert_allclose(after, factor * before, rtol=1e-5)


def test_batches_of_unknown_size():
    """TensorFlow does not know how many images the batches of a generator have."""
    gan = tiny(discriminator=linear(), r1=0.1)
    gan.compile()
    gan.fit(iter([IMAGES[:8], IMAGES[8:12], IMAGES[12:20]]), steps_per_epoch=3, verbose=0)
    assert int(gan.r1_updates.value) == 3


@pytest.mark.parametrize("network", [once("dcgan"), "dcgan_4x4", "resnet", once("fully_connected")])
def test_with_the_networks_that_are_built(network):
    gan = tiny(r1=0.1, r1_every=2, spectral_normalization=True, discriminator=network)
    gan.compile()
    gan.fit(IMAGES, batch_size=8, verbose=0)
    assert int(gan.r1_updates.value) == 4
    assert all(np.isfinite(w).all() for w in gan.get_weights())
    copy = kzoo.GAN.from_config(gan.get_config())
    assert (copy.r1, copy.r1_every) == (0.1, 2)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"r1": -1.0}, "r1 must be 0 or positive, got -1.0"),
        ({"r1_every": 0}, "r1_every must be a positive integer, got 0"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        tiny(**arguments)
