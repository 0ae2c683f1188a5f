"""The residual networks against a transcription in NumPy and counts by hand."""

import keras
import numpy as np
import pytest

from kzoo.networks import resnet_discriminator, resnet_generator
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

SHAPE = (16, 24, 3)  # two blocks, from and to 4x6


def discriminator(**kwargs):
    return resnet_discriminator(SHAPE, **{"width": 2, **kwargs})


def generator(**kwargs):
    return resnet_generator(SHAPE, 5, **{"width": 2, **kwargs})


def convolutions(network, size):
    """The layers with a kernel of that size, from input to output."""
    layers = of_type(network, keras.layers.Conv2D)
    return [layer for layer in layers if layer.kernel_size == (size, size)]


def convolve(x, layer):
    """The definition of a convolution with zeros around the image."""
    kernel, *bias = map(numpy, layer.get_weights())
    size, margin = kernel.shape[0], kernel.shape[0] // 2
    padded = np.pad(x, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    height, width = x.shape[1:3]
    y = sum(
        padded[:, i : i + height, j : j + width] @ kernel[i, j]
        for i in range(size)
        for j in range(size)
    )
    return y + bias[0] if bias else y


def relu(x):
    return np.maximum(x, 0)


def pool(x):
    b, h, w, c = x.shape
    return x.reshape(b, h // 2, 2, w // 2, 2, c).mean((2, 4))


def enlarge(x):
    return x.repeat(2, axis=1).repeat(2, axis=2)


def blocks(network):
    """(first convolution, second convolution, norm or `None`, shortcut) of every block."""
    main, shortcuts = convolutions(network, 3), convolutions(network, 1)
    norm_layers = norms(network) or [None] * len(shortcuts)
    return list(zip(main[0 : 2 * len(shortcuts) : 2], main[1::2], norm_layers, shortcuts))


def discriminate(network, x):
    for level, (first, second, norm_layer, shortcut) in enumerate(blocks(network)):
        branch = convolve(relu(x) if level else x, first)
        branch = norm(convolve(relu(branch), second), norm_layer)
        x = pool(branch) + convolve(pool(x), shortcut)
    kernel, bias = map(numpy, network.layers[-1].get_weights())
    return relu(x).reshape(len(x), -1) @ kernel + bias


def generate(network, z):
    kernel, bias = map(numpy, of_type(network, keras.layers.Dense)[0].get_weights())
    x = (z @ kernel + bias).reshape(len(z), 4, 6, -1)
    for first, second, norm_layer, shortcut in blocks(network):
        branch = convolve(enlarge(relu(x)), first)
        x = norm(convolve(relu(branch), second), norm_layer) + enlarge(convolve(x, shortcut))
    last = convolutions(network, 3)[-1]
    return np.tanh(convolve(relu(x), last))


@pytest.mark.parametrize("batch_norm", [True, False])
def test_discriminator_is_its_definition(batch_norm):
    network = discriminator(batch_norm=batch_norm)
    randomize(network, 0.4)
    x = random(3, *SHAPE)
    logits = numpy(network(x, training=False))
    assert logits.shape == (3, 1) and logits.std() > 0.1
    np.testing.assert_allclose(logits, discriminate(network, x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_generator_is_its_definition(batch_norm):
    network = generator(batch_norm=batch_norm)
    randomize(network, 0.4)
    z = random(3, 5)
    images = numpy(network(z, training=False))
    assert images.shape == (3, *SHAPE) and 0.1 < images.std() < 0.9
    np.testing.assert_allclose(images, generate(network, z), rtol=1e-4, atol=1e-4)


def test_shortcuts_alone_reach_the_output():
    """Without its 3x3 convolutions a discriminator pools and mixes features, pixel by pixel."""
    network = discriminator(batch_norm=True)
    randomize(network, 0.4)
    for layer in convolutions(network, 3) + norms(network):
        layer.set_weights([np.zeros(v.shape) for v in layer.weights])
    x = random(3, *SHAPE)
    mix = np.eye(3)
    for layer in convolutions(network, 1):
        mix = mix @ numpy(layer.kernel)[0, 0]
    kernel, bias = map(numpy, network.layers[-1].get_weights())
    logits = relu(pool(pool(x)) @ mix).reshape(3, -1) @ kernel + bias
    assert logits.std() > 0.01
    np.testing.assert_allclose(numpy(network(x)), logits, rtol=1e-4, atol=1e-5)


def multiplications(network):
    """Multiply-accumulates per image of all convolutions and dense layers."""
    return sum(
        np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:-1], dtype=int)
        for layer in network.layers
        if hasattr(layer, "kernel")
    )


def test_the_papers_discriminator():
    """64x64x3, widths 64-128-256-512; weights and work as counted by hand."""
    network = resnet_discriminator((64, 64, 3))
    first, second, _, shortcut = zip(*blocks(network), strict=True)
    assert [layer.filters for layer in first] == [64, 64, 128, 256]
    assert [layer.filters for layer in second] == [64, 128, 256, 512]
    assert [layer.filters for layer in shortcut] == [64, 128, 256, 512]
    sums = of_type(network, keras.layers.Add)
    assert [layer.output.shape[1] for layer in sums] == [32, 16, 8, 4]
    assert [layer.input.shape[1] for layer in norms(network)] == [64, 32, 16, 8]  # before pooling
    assert network.count_params() == 39_104 + 119_360 + 476_288 + 1_902_848 + 8_193
    assert multiplications(network) == 158_269_440 + 3 * 115_343_360 + 8_192  # 504M
    assert network.output_shape == (None, 1)


def test_the_papers_generator():
    network = resnet_generator((64, 64, 3), 100)
    first, second, _, shortcut = zip(*blocks(network), strict=True)
    for layers in (first, second, shortcut):
        assert [layer.filters for layer in layers] == [256, 128, 64, 64]
    sums = of_type(network, keras.layers.Add)
    assert [layer.output.shape[1] for layer in sums] == [8, 16, 32, 64]
    assert len(norms(network)) == 4 and len(convolutions(network, 3)) == 9
    blocks_weights = 1_901_824 + 475_776 + 119_104 + 78_144
    assert network.count_params() == 827_392 + blocks_weights + 1_731
    work = 819_200 + 3 * 115_343_360 + 306_184_192 + 7_077_888  # 660M
    assert multiplications(network) == work
    assert network.output_shape == (None, 64, 64, 3)


@pytest.mark.parametrize("make", [discriminator, generator])
def test_normalization_can_be_left_out(make):
    network = make(batch_norm=False)
    assert not norms(network) and not depends_on_the_batch(network)
    biases = sum(layer.use_bias for layer in convolutions(network, 3))
    assert biases == len(convolutions(network, 3))  # nothing else shifts the features
    network = make()
    assert len(norms(network)) == 2 and depends_on_the_batch(network)


@pytest.mark.parametrize("make", [discriminator, generator])
def test_initial_weights(make):
    check_initial_weights(make(width=8), 0.01)
    check_initial_weights(make(width=8, init_stddev=0.1), 0.1)


@pytest.mark.parametrize("make", [discriminator, generator])
def test_round_trip(make, tmp_path):
    check_round_trip(make(name="mine"), tmp_path / "network.keras")


def test_networks_of_a_gan_and_of_a_cfggan():
    check_models(
        lambda: resnet_discriminator((8, 8, 1), width=4, init_stddev=0.1),
        lambda: resnet_generator((8, 8, 1), 4, width=4, init_stddev=0.1),
    )


@pytest.mark.parametrize("image_shape", [(30, 30, 1), (16, 18, 3), (4, 4, 1)])
def test_images_that_cannot_be_halved(image_shape):
    message = r"image_shape=\({}, {}, {}\)".format(*image_shape)
    with pytest.raises(ValueError, match=message):
        resnet_discriminator(image_shape)
    with pytest.raises(ValueError, match=message):
        resnet_generator(image_shape, 5)
