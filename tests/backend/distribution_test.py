"""Several devices under `tf.distribute` train as one does."""

import subprocess
import sys

import keras
import pytest

SCRIPT = """
import tensorflow as tf

device = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(device, [tf.config.LogicalDeviceConfiguration()] * 2)

import keras
import numpy as np
from keras import layers, ops

import kzoo

keras.random.normal = lambda shape, *args, **kwargs: ops.zeros(shape)  # each device has its own
images = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 1), dtype=np.uint8)


class GAN(kzoo.GAN):
    def _latents(self, images):
        return ops.mean(images, axis=(1, 2)) * ops.ones((1, self.latent_dim))


def gan():
    generator = [keras.Input((4,)), layers.Dense(64, activation="tanh"), layers.Reshape((8, 8, 1))]
    hidden = layers.Dense(8, activation="tanh")
    discriminator = [keras.Input((8, 8, 1)), layers.Flatten(), hidden, layers.Dense(1)]
    model = GAN(
        image_shape=(8, 8, 1),
        latent_dim=4,
        generator=keras.Sequential(generator),
        discriminator=keras.Sequential(discriminator),
    )
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.Adam(0.01))
    return model


def vae():
    options = {"networks": "fully_connected", "widths": (8,), "likelihood": "gaussian"}
    model = kzoo.VAE(image_shape=(8, 8, 1), latent_dim=2, seed=0, **options)
    model.compile(keras.optimizers.Adam(1e-3))
    return model


def trained(build):
    keras.utils.set_random_seed(0)
    model = build()
    history = model.fit(images, batch_size=8, epochs=3, shuffle=False, verbose=0).history
    losses = np.array([history[name] for name in model.loss_names])
    return losses, [ops.convert_to_numpy(v) for v in model.trainable_variables]


strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for build in (gan, vae):
    losses, weights = trained(build)
    with strategy.scope():
        losses_of_two, weights_of_two = trained(build)
    np.testing.assert_allclose(losses_of_two, losses, rtol=1e-5)
    for a, b in zip(weights_of_two, weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
"""


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="is about tf.distribute")
def test_two_devices_train_as_one():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
