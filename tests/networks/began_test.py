"""BEGAN's networks against counts by hand, and each other."""

import keras
import numpy as np
import pytest

from kzoo.networks import began_discriminator, began_generator
from tests.networks.checks import check_round_trip, numpy, random


def convolutions(network):
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]


def parameters(*pairs):
    """Of 3x3 convolutions with these numbers of features before and behind."""
    return sum(9 * a * b + b for a, b in pairs)


def test_layers_of_32x32_images():
    """Two halvings: 32 to 8. The features of the encoder grow by n, and the decoder has n."""
    n, code, side = 6, 10, 8 * 8
    encoder = [(3, n), (n, n), (n, n), (n, 2 * n), (2 * n, 2 * n), (2 * n, 2 * n)]
    encoder += [(2 * n, 3 * n), (3 * n, 3 * n), (3 * n, 3 * n)]
    decoder = [(n, n)] * 6 + [(n, 3)]
    dense = lambda a, b: (a + 1) * b  # noqa: E731
    of_decoder = parameters(*decoder) + dense(code, side * n)
    network = began_discriminator((32, 32, 3), code, n)
    expected = parameters(*encoder) + dense(side * 3 * n, code) + of_decoder
    assert network.count_params() == expected
    assert network.output_shape == (None, 32, 32, 3)
    assert network.get_layer("code").output.shape == (None, code)
    assert began_generator((32, 32, 3), code, n).count_params() == of_decoder


def test_the_smallest_map():
    for shape, smallest in (((8, 8, 1), 8), ((64, 64, 3), 8), ((48, 32, 1), 12), ((24, 24, 1), 12)):
        network = began_discriminator(shape, 4, 2, repeats=1)
        assert min(layer.output.shape[1] for layer in convolutions(network)) == smallest
        assert network.output_shape == (None, *shape)
        assert began_generator(shape, 4, 2, repeats=1).output_shape == (None, *shape)
    with pytest.raises(ValueError, match="4..7 times a power of two"):
        began_generator((28, 30, 1), 4, 2)


def test_the_generator_is_the_decoder():
    """With the same weights, it makes of a code what the decoder makes of it."""
    autoencoder, generator = (
        began_discriminator((16, 16, 1), 4, 3),
        began_generator((16, 16, 1), 4, 3),
    )
    count = len(generator.weights)
    generator.set_weights(autoencoder.get_weights()[-count:])
    images = random(2, 16, 16, 1)
    code = keras.Model(autoencoder.inputs[0], autoencoder.get_layer("code").output)(images)
    np.testing.assert_allclose(numpy(generator(code)), numpy(autoencoder(images)), atol=1e-5)


def test_repeats_and_activations():
    for repeats in (1, 2, 3):
        network = began_generator((16, 16, 1), 4, 3, repeats)
        layers = convolutions(network)
        assert len(layers) == 2 * repeats + 1
        assert [layer.activation.__name__ for layer in layers] == ["elu"] * 2 * repeats + ["linear"]
    assert network.get_config()["layers"][-1]["class_name"] == "SymmetricConv2D"


def test_labels_are_no_part_of_the_reconstruction():
    assert began_discriminator((8, 8, 5), 4, 2, channels=3).output_shape == (None, 8, 8, 3)


@pytest.mark.parametrize(
    "network",
    [
        lambda: began_discriminator((16, 16, 3), 4, 3, name="mine"),
        lambda: began_generator((16, 16, 3), 4, 3, name="mine"),
    ],
)
def test_round_trip(network, tmp_path):
    check_round_trip(network(), tmp_path / "network.keras")
