"""The fully connected networks against a transcription in NumPy and counts by hand."""

import keras
import numpy as np
import pytest

from kzoo.networks import fully_connected_discriminator, fully_connected_generator
from tests.networks.checks import (
    check_initial_weights,
    check_models,
    check_round_trip,
    depends_on_the_batch,
    norms,
    numpy,
    of_type,
    random,
    randomize,
)
from tests.networks.checks import normalized as norm

SHAPE = (3, 5, 2)


def discriminator(**kwargs):
    return fully_connected_discriminator(SHAPE, **{"width": 6, **kwargs})


def generator(**kwargs):
    return fully_connected_generator(SHAPE, 4, **{"width": 6, **kwargs})


def transcription(network, x, slope, shortcuts):
    """The output layer's values: the sum of what one matrix per hidden layer makes of it."""
    *dense, output = of_type(network, keras.layers.Dense)
    hidden = []
    for layer, norm_layer in zip(dense, norms(network) or [None] * len(dense), strict=True):
        kernel, *bias = map(numpy, layer.get_weights())
        x = norm(x @ kernel + (bias[0] if bias else 0), norm_layer)
        x = np.where(x > 0, x, slope * x)
        hidden.append(x)
    hidden = hidden if shortcuts else hidden[-1:]
    kernel, bias = map(numpy, output.get_weights())
    matrices = np.split(kernel, len(hidden))
    return sum(h @ matrix for h, matrix in zip(hidden, matrices, strict=True)) + bias


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("depth, shortcuts", [(1, False), (2, False), (1, True), (3, True)])
def test_networks_are_their_definition(depth, shortcuts, batch_norm):
    settings = {"depth": depth, "shortcuts": shortcuts, "batch_norm": batch_norm}
    network = discriminator(**settings)
    randomize(network, 0.4)
    x = random(7, *SHAPE)
    logits = numpy(network(x, training=False))
    assert logits.shape == (7, 1) and logits.std() > 0.01
    expected = transcription(network, x.reshape(7, -1), 0.2, shortcuts)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)

    network = generator(**settings)
    randomize(network, 0.4)
    z = random(7, 4)
    images = numpy(network(z, training=False))
    assert images.shape == (7, *SHAPE) and 0.1 < images.std() < 0.9
    expected = np.tanh(transcription(network, z, 0.0, shortcuts)).reshape(7, *SHAPE)
    np.testing.assert_allclose(images, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("make", [discriminator, generator])
def test_shortcuts_go_around_the_last_hidden_layer(make):
    for shortcuts in (False, True):
        network = make(shortcuts=shortcuts)
        randomize(network, 0.4)
        hidden = of_type(network, keras.layers.Dense)[1]
        hidden.set_weights([np.zeros(v.shape) for v in hidden.weights])
        outputs = numpy(network(random(5, *network.input_shape[1:])))
        assert (np.abs(outputs - outputs[:1]).max() > 0.1) == shortcuts


def test_the_papers_approximator():
    """Two hidden layers of 512 without norm; weights as counted by hand, for MNIST's 32x32."""
    for shortcuts, extra in ((False, 0), (True, 512 * 1024)):
        network = fully_connected_generator((32, 32, 1), 100, shortcuts=shortcuts)
        assert network.count_params() == 51_712 + 262_656 + 525_312 + extra
        assert network.output_shape == (None, 32, 32, 1) and not norms(network)
    for shortcuts, extra in ((False, 0), (True, 512)):
        network = fully_connected_discriminator((32, 32, 1), shortcuts=shortcuts)
        assert network.count_params() == 524_800 + 262_656 + 513 + extra
        assert network.output_shape == (None, 1) and not norms(network)


@pytest.mark.parametrize("make", [discriminator, generator])
def test_normalization_is_an_option(make):
    network = make(depth=3)
    assert not norms(network) and not depends_on_the_batch(network)
    network = make(depth=3, batch_norm=True)
    assert len(norms(network)) == 3 and depends_on_the_batch(network)


@pytest.mark.parametrize("make", [discriminator, generator])
def test_initial_weights(make):
    check_initial_weights(make(width=64), 0.01)
    check_initial_weights(make(width=64, init_stddev=0.1), 0.1)


@pytest.mark.parametrize("make", [discriminator, generator])
def test_round_trip(make, tmp_path):
    network = make(shortcuts=True, batch_norm=True, name="mine")
    check_round_trip(network, tmp_path / "network.keras")


def test_networks_of_a_gan_and_of_a_cfggan():
    check_models(
        lambda: fully_connected_discriminator((8, 8, 1), 16, init_stddev=0.1, shortcuts=True),
        lambda: fully_connected_generator((8, 8, 1), 4, 16, init_stddev=0.1, shortcuts=True),
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"depth": 0}, "depth must be a positive integer, got 0"),
        ({"depth": 1.5}, "depth must be a positive integer, got 1.5"),
        ({"image_shape": (8, 8)}, r"image_shape must be \(height, width, channels\), got \(8, 8\)"),
        ({"image_shape": (8, 0, 1)}, "image_shape must be a positive integer, got 0"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        fully_connected_discriminator(**{"image_shape": (8, 8, 1), **arguments})
    with pytest.raises(ValueError, match=message):
        fully_connected_generator(**{"image_shape": (8, 8, 1), "latent_dim": 4, **arguments})
