"""One update of kzoo is one update of Keras's own trainer: losses, weights, clipping, precision."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo

SHAPE, LATENTS = (6, 6, 1), 3
RNG = np.random.RandomState(0)
IMAGES = RNG.uniform(-1, 1, (8, *SHAPE)).astype("float32")
WEIGHTS = RNG.uniform(0, 2, 8).astype("float32")

OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(1e-3),
    "momentum": lambda: keras.optimizers.SGD(1e-3, momentum=0.9),
    "clipnorm": lambda: keras.optimizers.SGD(1e-2, clipnorm=0.1),
    "clipvalue": lambda: keras.optimizers.SGD(1e-2, clipvalue=0.01),
    "global_clipnorm": lambda: keras.optimizers.SGD(1e-2, global_clipnorm=0.1),
    "ema": lambda: keras.optimizers.SGD(1e-3, use_ema=True, ema_momentum=0.5),
    "adam": lambda: keras.optimizers.Adam(1e-3),
    "rmsprop": lambda: keras.optimizers.RMSprop(1e-3),
    "weight_decay": lambda: keras.optimizers.AdamW(1e-3, weight_decay=0.1),
    "schedule": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(1e-3, 1, 0.5)
    ),
}


def networks(regularizer=None):
    options = {"kernel_regularizer": regularizer}
    encoder = keras.Sequential(
        [
            keras.layers.Input(SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(5, activation="tanh", **options),
            keras.layers.Dense(LATENTS, activity_regularizer=regularizer, **options),
        ]
    )
    decoder = keras.Sequential(
        [
            keras.layers.Input((LATENTS,)),
            keras.layers.Dense(36, **options),
            keras.layers.Reshape(SHAPE),
        ]
    )
    return encoder, decoder


def squared_error(x, y):
    return ops.sum(ops.square(ops.cast(x, "float32") - ops.cast(y, "float32")), axis=(1, 2, 3))


def both(optimizer, policy="float32", regularizer=None, **options):
    """The weights after two updates: of `kzoo.Autoencoder`, and of Keras on the same networks."""
    results = []
    keras.config.set_dtype_policy(policy)
    try:
        ours, theirs = networks(regularizer), networks(regularizer)
        for mine, other in zip(ours, theirs, strict=True):
            other.set_weights(mine.get_weights())
        model = kzoo.Autoencoder(SHAPE, LATENTS, *ours)
        model.compile(optimizer())
        plain = keras.Sequential(theirs)
        plain.compile(optimizer(), loss=squared_error)
        for trained, given in ((model, {"x": IMAGES}), (plain, {"x": IMAGES, "y": IMAGES})):
            trained.fit(**given, batch_size=4, shuffle=False, verbose=0, **options)
            results.append([w.astype("float32") for w in trained.get_weights()])
    finally:
        keras.config.set_dtype_policy("float32")
    return results


def assert_equal(results, tolerance=1e-6):
    for got, wanted in zip(*results, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_takes_the_same_steps(name):
    assert_equal(both(OPTIMIZERS[name]))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("name", ["sgd", "adam", "global_clipnorm", "ema"])
def test_every_precision(policy, name):
    # The gradients of the lower precisions are equal only up to the order of their sums.
    assert_equal(both(OPTIMIZERS[name], policy), tolerance=3e-4)


def test_regularizers_and_losses_of_layers_count():
    results = both(OPTIMIZERS["sgd"], regularizer=keras.regularizers.L2(0.3))
    assert_equal(results)
    without = both(OPTIMIZERS["sgd"])
    assert np.abs(results[0][0] - without[0][0]).max() > 1e-4


def test_weights_of_examples():
    assert_equal(both(OPTIMIZERS["sgd"], sample_weight=WEIGHTS))


def test_gradient_accumulation():
    assert_equal(both(lambda: keras.optimizers.SGD(1e-3, gradient_accumulation_steps=2)))


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="Keras has none on PyTorch")
def test_several_steps_per_execution():
    model = kzoo.Autoencoder(SHAPE, LATENTS, *networks())
    start = model.get_weights()
    results = []
    for steps in (1, 2):
        model.set_weights(start)
        model.compile(keras.optimizers.SGD(1e-3), steps_per_execution=steps)
        model.fit(IMAGES, batch_size=4, shuffle=False, verbose=0)
        results.append(model.get_weights())
    assert_equal(results)


def adversarial(optimizer, policy="float32", regularizer=None):
    """Weights of a GAN's two networks before and after one update without noise."""
    keras.config.set_dtype_policy(policy)
    try:
        keras.utils.set_random_seed(3)
        pair = [
            keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(36, "tanh")]),
            keras.Sequential([keras.layers.Input(SHAPE), keras.layers.Flatten()]),
        ]
        pair[0].add(keras.layers.Reshape(SHAPE))
        pair[1].add(keras.layers.Dense(1, kernel_regularizer=regularizer))
        gan = kzoo.GAN(latent_dim=2, generator=pair[0], discriminator=pair[1])
        gan._latents = lambda images: ops.ones((ops.shape(images)[0], 2))
        before = [[w.astype("float32") for w in network.get_weights()] for network in pair]
        gan.compile(optimizer(), optimizer())
        gan.fit(IMAGES, batch_size=8, shuffle=False, verbose=0)
        after = [[w.astype("float32") for w in network.get_weights()] for network in pair]
    finally:
        keras.config.set_dtype_policy("float32")
    return before, after


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_a_gan_takes_the_step_of_its_losses(policy, strength):
    regularizer = keras.regularizers.L2(strength) if strength else None
    before, after = adversarial(lambda: keras.optimizers.SGD(0.1), policy, regularizer)
    (kernel, bias), (weights, offset) = before  # of the generator, of the discriminator
    x = IMAGES.reshape(8, 36).astype("float64")
    fake = np.tanh(kernel.sum(0) + bias)[None]
    real_values, fake_values = x @ weights + offset, fake @ weights + offset
    gradient = -(sigmoid(-real_values) * x).mean(0) + (sigmoid(fake_values) * fake).mean(0)
    moved = weights[:, 0] - 0.1 * (gradient + 2 * strength * weights[:, 0])
    tolerance = 1e-6 if policy == "float32" else 2e-3
    np.testing.assert_allclose(after[1][0][:, 0], moved, atol=tolerance)
    offset = offset - 0.1 * (-sigmoid(-real_values).mean() + sigmoid(fake_values).mean())
    slope = -sigmoid(-(fake @ moved + offset))[:, None] * moved * (1 - fake**2)  # (1, 36)
    np.testing.assert_allclose(after[0][1], bias - 0.1 * slope[0], atol=tolerance)
    assert np.abs(after[0][1] - bias).max() > 1e-4  # it has moved at all
