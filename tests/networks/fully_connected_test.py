"""The fully connected networks against a transcription in NumPy and counts by hand."""

import keras
import numpy as np
import pytest

from kzoo.networks import fully_connected_discriminator, fully_connected_generator
from tests.networks.checks import (
    check_initial_weights,
    check_models,
    check_round_trip,
    norms,
    numpy,
    of_type,
    random,
    randomize,
)

SHAPE = (3, 5, 2)


def discriminator(**kwargs):
    return fully_connected_discriminator(SHAPE, **{"width": 6, **kwargs})


def generator(**kwargs):
    return fully_connected_generator(SHAPE, 4, **{"width": 6, **kwargs})


def transcription(network, x, slope, shortcuts):
    """The output layer's values: the sum of what one matrix per hidden layer makes of it."""
    *dense, output = of_type(network, keras.layers.Dense)
    hidden = []
    for layer in dense:
        kernel, bias = map(numpy, layer.get_weights())
        x = x @ kernel + bias
        x = np.where(x > 0, x, slope * x)
        hidden.append(x)
    hidden = hidden if shortcuts else hidden[-1:]
    kernel, bias = map(numpy, output.get_weights())
    matrices = np.split(kernel, len(hidden))
    return sum(h @ matrix for h, matrix in zip(hidden, matrices, strict=True)) + bias


@pytest.mark.parametrize("shortcuts", [False, True])
def test_networks_are_their_definition(shortcuts):
    network = discriminator(shortcuts=shortcuts)
    randomize(network, 0.4)
    x = random(7, *SHAPE)
    logits = numpy(network(x, training=False))
    assert logits.shape == (7, 1) and logits.std() > 0.01
    expected = transcription(network, x.reshape(7, -1), 0.2, shortcuts)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)

    network = generator(shortcuts=shortcuts)
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
def test_initial_weights(make):
    check_initial_weights(make(width=64), 0.01)


@pytest.mark.parametrize("make", [discriminator, generator])
def test_round_trip(make, tmp_path):
    network = make(shortcuts=True, name="mine")
    check_round_trip(network, tmp_path / "network.keras")


def test_networks_of_a_gan_and_of_a_cfggan():
    check_models(
        lambda: fully_connected_discriminator((8, 8, 1), 16, shortcuts=True),
        lambda: fully_connected_generator((8, 8, 1), 4, 16, shortcuts=True),
    )
