import keras
import numpy as np
import pytest

from kzoo.layers import SpectralNormalization
from kzoo.networks import (
    dcgan_4x4_discriminator,
    dcgan_4x4_generator,
    dcgan_discriminator,
    fully_connected_discriminator,
    resnet_discriminator,
)
from tests.networks.checks import norms, numpy, of_type, random


def sizes(network):
    return [
        layer.output.shape[1:]
        for layer in network.layers
        if hasattr(layer, "kernel") or isinstance(layer, SpectralNormalization)
    ]


def test_discriminator():
    network = dcgan_4x4_discriminator((32, 32, 3), width=6, spectral_normalization=True)
    assert sizes(network) == [(16, 16, 6), (8, 8, 12), (4, 4, 24), (4, 4, 24), (1,)]
    assert not norms(network)
    kernels = [layer.layer.kernel.shape for layer in of_type(network, SpectralNormalization)]
    assert kernels == [(4, 4, 3, 6), (4, 4, 6, 12), (4, 4, 12, 24), (3, 3, 24, 24), (384, 1)]


def test_discriminator_with_batch_norm():
    network = dcgan_4x4_discriminator((16, 16, 3), width=4)
    assert len(norms(network)) == 2
    assert not of_type(network, SpectralNormalization)


def test_generator():
    network = dcgan_4x4_generator((32, 32, 3), 5, width=96)
    assert sizes(network) == [(6144,), (8, 8, 192), (16, 16, 96), (32, 32, 48), (32, 32, 3)]
    assert len(norms(network)) == 4
    assert not norms(dcgan_4x4_generator((8, 8, 3), 5, width=4, batch_norm=False))


def test_twice_the_size_and_half_the_width_have_the_same_inner_layers():
    for build, extra in ((dcgan_4x4_discriminator, ()), (dcgan_4x4_generator, (5,))):
        small, large = build((16, 16, 3), *extra, width=96), build((32, 32, 3), *extra, width=48)
        shapes = [
            {layer.name: [w.shape for w in layer.weights] for layer in network.layers}
            for network in (small, large)
        ]
        same = {name for name in shapes[0] if shapes[0][name] == shapes[1].get(name, ())}
        with_weights = {name for name in same if shapes[0][name]}
        assert {"to_4", "at_4", "logit"} <= with_weights or {"projection", "to_8"} <= with_weights


def test_orthogonal_weights():
    network = dcgan_4x4_discriminator((8, 8, 3), width=4, spectral_normalization=True)
    for layer in of_type(network, SpectralNormalization):
        kernel = numpy(layer.layer.kernel)
        values = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)
        np.testing.assert_allclose(values, 1, rtol=1e-4)


@pytest.mark.parametrize("training", [False, True])
def test_outputs(training):
    images = dcgan_4x4_generator((16, 24, 3), 5, width=4)(random(3, 5), training=training)
    assert images.shape == (3, 16, 24, 3) and np.abs(numpy(images)).max() <= 1
    network = dcgan_4x4_discriminator((16, 24, 3), width=4, spectral_normalization=True)
    assert network(images, training=training).shape == (3, 1)


@pytest.mark.parametrize(
    "build",
    [
        dcgan_4x4_discriminator,
        dcgan_discriminator,
        resnet_discriminator,
        fully_connected_discriminator,
    ],
)
def test_spectrally_normalized_networks_change_slowly(build, tmp_path):
    """Every layer with weights is normalized, and none by a batch."""
    network = build((8, 8, 2), width=4, spectral_normalization=True)
    for layer in network.layers:
        assert isinstance(layer, SpectralNormalization) or not layer.weights
    network.save(tmp_path / "network.keras")
    copy = keras.saving.load_model(tmp_path / "network.keras")
    x = random(2, 8, 8, 2)
    np.testing.assert_allclose(numpy(copy(x)), numpy(network(x)), rtol=1e-5, atol=1e-6)


def test_wrong_size():
    with pytest.raises(ValueError, match="power of two"):
        dcgan_4x4_discriminator((36, 36, 3))
