import keras
import numpy as np
import pytest

from kzoo import backend
from kzoo.layers import SpectralNormalization
from kzoo.networks import patchgan_discriminator
from tests.networks.checks import numpy, of_type, random, randomize


@pytest.mark.parametrize("receptive_field", [16, 34, 70])
def test_receptive_field(receptive_field):
    """One logit, without normalization over the image, depends on that many rows and columns."""
    network = patchgan_discriminator(
        (96, 96, 1), (96, 96, 1), 2, receptive_field, spectral_normalization=True
    )
    randomize(network, 0.5)
    images, sources = random(1, 96, 96, 1), random(1, 96, 96, 1, seed=1)
    at = network.output_shape[1] // 2
    for which in (0, 1):

        def logit(x, which=which):
            inputs = [x, sources] if which == 0 else [images, x]
            return network([keras.ops.convert_to_tensor(a) for a in inputs])[:, at, at, 0]

        given = keras.ops.convert_to_tensor((images, sources)[which])
        gradient = numpy(backend.input_gradient(logit, given)[1])[0, :, :, 0]
        for axis in (0, 1):
            seen = np.flatnonzero(np.abs(gradient).max(axis))
            assert seen[-1] - seen[0] + 1 == receptive_field
            assert 0 < seen[0] and seen[-1] < 95  # not cut off by the border


@pytest.mark.parametrize("side", [32, 64, 100, 256])
def test_maps(side):
    network = patchgan_discriminator((side, side, 3), width=1)
    assert network.output_shape == (None, -(-side // 8), -(-side // 8), 1)


def test_layers():
    network = patchgan_discriminator((64, 64, 3), (64, 64, 1), width=4)
    kernels = [layer.kernel.shape for layer in of_type(network, keras.layers.Conv2D)]
    features = [4, 4, 8, 16, 32, 1]
    assert kernels == [(4, 4, a, b) for a, b in zip(features, features[1:])]
    assert len(of_type(network, keras.layers.GroupNormalization)) == 3
    network = patchgan_discriminator((64, 64, 3), width=4, spectral_normalization=True)
    assert len(of_type(network, SpectralNormalization)) == 5
    assert not of_type(network, keras.layers.GroupNormalization)


def test_an_image_does_not_depend_on_its_batch():
    network = patchgan_discriminator((32, 32, 1), width=2)
    randomize(network, 0.3)
    x = random(3, 32, 32, 1)
    together, alone = numpy(network(x, training=True)), numpy(network(x[:1], training=True))
    np.testing.assert_allclose(together[:1], alone, atol=1e-5)


def test_errors():
    with pytest.raises(ValueError, match=r"receptive_field must be one of \[16, 34, 70\], got 50"):
        patchgan_discriminator((64, 64, 3), receptive_field=50)
    with pytest.raises(ValueError, match=r"receptive_field=70 needs.*above 8.*\(8, 64, 3\)"):
        patchgan_discriminator((8, 64, 3))
