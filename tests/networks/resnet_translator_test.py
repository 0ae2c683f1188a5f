import keras
import numpy as np
import pytest

from kzoo.networks import resnet_translator
from kzoo.networks.given import copy_of
from kzoo.networks.resnet_translator import usual_blocks
from tests.networks.checks import check_initial_weights, check_round_trip, numpy, random, randomize


def convolution(x, layer, pad, strides=1):
    """A convolution of padded images, in NumPy: `pad` is a mode of np.pad."""
    kernel = numpy(layer.kernel).astype("float64")
    side = kernel.shape[0]
    width = side // 2
    padded = np.pad(x, ((0, 0), (width, width), (width, width), (0, 0)), mode=pad)
    out = sum(
        padded[:, i : i + x.shape[1], j : j + x.shape[2]] @ kernel[i, j]
        for i in range(side)
        for j in range(side)
    )[:, ::strides, ::strides]
    return out + (numpy(layer.bias) if layer.use_bias else 0)


def transposed(x, layer):
    """3x3, stride 2, the transpose of a convolution with a zero on every side."""
    kernel = numpy(layer.kernel).astype("float64")  # (3, 3, f, c)
    count, height, width, _ = x.shape
    out = np.zeros((count, 2 * height + 2, 2 * width + 2, kernel.shape[2]))
    for i in range(3):
        for j in range(3):
            out[:, i : i + 2 * height : 2, j : j + 2 * width : 2] += x @ kernel[i, j].T
    return out[:, 1:-1, 1:-1]


def normalized(x, layer):
    gamma, beta = (numpy(v).astype("float64") for v in (layer.gamma, layer.beta))
    mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
    return gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta


def test_equals_a_transcription():
    network = resnet_translator((12, 8, 2), (12, 8, 3), width=3, blocks=2)
    randomize(network, 0.3)
    layer = network.get_layer
    sources = random(2, 12, 8, 2)

    def normed(x, name):
        return normalized(x, layer(f"{name}_norm"))

    x = convolution(sources.astype("float64"), layer("first"), "reflect")
    x = np.maximum(normed(x, "first"), 0)
    for name in ("down_1", "down_2"):
        x = np.maximum(normed(convolution(x, layer(name), "constant", 2), name), 0)
    assert x.shape == (2, 3, 2, 12)
    for i in range(2):
        y = convolution(x, layer(f"block_{i}_1"), "reflect")
        y = np.maximum(normed(y, f"block_{i}_1"), 0)
        y = convolution(y, layer(f"block_{i}_2"), "reflect")
        x = x + normed(y, f"block_{i}_2")
    for name in ("up_1", "up_0"):
        x = np.maximum(normed(transposed(x, layer(name)), name), 0)
    x = np.tanh(convolution(x, layer("image"), "reflect"))
    np.testing.assert_allclose(numpy(network(sources)), x, atol=1e-5)


def test_blocks_follow_the_size():
    assert [usual_blocks((s, 16, 3)) for s in (32, 64, 128, 256)] == [3, 6, 6, 9]
    names = [layer.name for layer in resnet_translator((8, 8, 1), (8, 8, 1), width=1).layers]
    assert "block_2" in names and "block_3" not in names


def test_initial_weights():
    check_initial_weights(resnet_translator((8, 8, 1), (8, 8, 1), width=16, blocks=1), 0.02)


def test_round_trip(tmp_path):
    network = resnet_translator((8, 8, 2), (8, 8, 1), width=2, blocks=1, name="mine")
    check_round_trip(network, tmp_path / "network.keras")
    x = random(1, 8, 8, 2)
    np.testing.assert_array_equal(numpy(copy_of(network)(x)), numpy(network(x)))
    assert keras.Model.from_config(network.get_config()).count_params() == network.count_params()


def test_sizes_that_do_not_fit():
    for shape in ((10, 8, 1), (4, 8, 1)):
        with pytest.raises(ValueError, match="multiples of 4, at least 8; got the shape"):
            resnet_translator(shape, shape)
