import keras
import numpy as np
import pytest

from kzoo.networks import unet_generator
from kzoo.networks.given import copy_of
from tests.networks.checks import numpy, random, randomize


def convolution(x, layer):
    """4x4, stride 2, one zero on every side: (b, h, w, c) to (b, h / 2, w / 2, f), in NumPy."""
    kernel = numpy(layer.kernel).astype("float64")
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows, columns = x.shape[1] // 2, x.shape[2] // 2
    out = sum(
        padded[:, i : i + 2 * rows : 2, j : j + 2 * columns : 2] @ kernel[i, j]
        for i in range(4)
        for j in range(4)
    )
    return out + (numpy(layer.bias) if layer.use_bias else 0)


def transposed(x, layer):
    """The transpose of such a convolution: (b, h, w, c) to (b, 2 h, 2 w, f)."""
    kernel = numpy(layer.kernel).astype("float64")  # (4, 4, f, c)
    count, height, width, _ = x.shape
    out = np.zeros((count, 2 * height + 2, 2 * width + 2, kernel.shape[2]))
    for i in range(4):
        for j in range(4):
            out[:, i : i + 2 * height : 2, j : j + 2 * width : 2] += x @ kernel[i, j].T
    return out[:, 1:-1, 1:-1] + (numpy(layer.bias) if layer.use_bias else 0)


def normalized(x, layer):
    gamma, beta = (numpy(v).astype("float64") for v in (layer.gamma, layer.beta))
    mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
    return gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def test_equals_a_transcription():
    network = unet_generator((8, 8, 2), (8, 8, 3), width=3, dropout=0.5)
    randomize(network, 0.3)
    size = network.inputs[1].shape[1]
    assert size == 2 * 2 * 6 + 4 * 4 * 3  # all features of the two layers of the decoder
    sources, noise = random(2, 8, 8, 2), 2.0 * (random(2, size, seed=1) > 0)
    layer = network.get_layer
    x = sources.astype("float64")
    first = leaky(convolution(x, layer("down_0")))  # (2, 4, 4, 3)
    second = leaky(normalized(convolution(first, layer("down_1")), layer("down_1_norm")))
    x = leaky(convolution(second, layer("down_2")))  # (2, 1, 1, 12), which is not normalized
    x = normalized(transposed(x, layer("up_1")), layer("up_1_norm"))
    x = np.maximum(x * noise[:, :24].reshape(2, 2, 2, 6), 0)
    x = np.concatenate([x, second], axis=-1)
    x = normalized(transposed(x, layer("up_0")), layer("up_0_norm"))
    x = np.maximum(x * noise[:, 24:].reshape(2, 4, 4, 3), 0)
    x = np.tanh(transposed(np.concatenate([x, first], axis=-1), layer("image")))
    got = numpy(network([sources, noise.astype("float32")]))
    np.testing.assert_allclose(got, x, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("sides", "smallest"),
    [((32, 32), (1, 1)), ((64, 128), (1, 2)), ((96, 96), (3, 3)), ((256, 256), (1, 1))],
)
def test_sizes(sides, smallest):
    network = unet_generator((*sides, 1), (*sides, 3), width=1)
    assert network.output_shape == (None, *sides, 3)
    downs = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert downs[-1].output.shape[1:] == (*smallest, 8 if len(downs) > 3 else 2)
    maps = [layer.output.shape[1:] for layer in network.layers if "dropout" in layer.name]
    assert len(maps) == 3 and sum(map(np.prod, maps)) == network.inputs[1].shape[1]


def test_without_dropout_there_is_no_noise():
    network = unet_generator((8, 8, 1), (8, 8, 1), width=2, dropout=0)
    assert network.input_shape == (None, 8, 8, 1)


def test_round_trip(tmp_path):
    network = unet_generator((8, 8, 1), (8, 8, 3), width=2, name="mine")
    inputs = [random(3, 8, 8, 1), random(3, network.inputs[1].shape[1])]
    network.save(tmp_path / "unet.keras")
    for other in (keras.models.load_model(tmp_path / "unet.keras"), copy_of(network)):
        assert other.name == "mine"
        np.testing.assert_array_equal(numpy(network(inputs)), numpy(other(inputs)))


@pytest.mark.parametrize("sides", [(30, 30), (72, 72), (64, 36), (7, 8)])
def test_sizes_that_do_not_fit(sides):
    with pytest.raises(ValueError, match=rf"halves the image.*\({sides[0]}, {sides[1]}, 3\)"):
        unet_generator((*sides, 3), (*sides, 3))
