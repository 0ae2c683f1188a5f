"""DCGAN's generator and discriminator, and their extension by 1x1 convolutions.

* Radford, Metz, Chintala 2016, "Unsupervised representation learning with deep convolutional
  generative adversarial networks", arXiv:1511.06434, section 3 [1].
* Johnson, Zhang 2018, "Composite functional gradient learning of generative adversarial models",
  arXiv:1801.06309, section 4.1: the extension, `pointwise=True` [2].

Deviations: images may have any size that can be halved down to a side of 4 to 7, where the
projection starts; kernels are 5x5 and padded alike on both sides, as in the authors' program of
[2].
"""

import keras

from kzoo.layers import LatentCodes, SymmetricConv2D, SymmetricConv2DTranspose
from kzoo.layers import channels_last as layers
from kzoo.networks.shared import LEAK, depth_of, normal, normalization, spectrally_normalized

_KERNEL = 5


def _convolutions(init_stddev, norm):
    """Layer constructors with one initialization. Before batch norm, a layer has no bias."""

    def constructor(layer):
        def construct(*args, **kwargs):
            settings = {"kernel_initializer": normal(init_stddev), "use_bias": not norm}
            return layer(*args, **{**settings, **kwargs})

        return construct

    return constructor(SymmetricConv2D), constructor(SymmetricConv2DTranspose)


def dcgan_discriminator(
    image_shape,
    width=64,
    pointwise=False,
    batch_norm=True,
    init_stddev=0.02,
    spectral_normalization=False,
    name="discriminator",
):
    """Images (b, height, width, channels) in [-1, 1] to logits (b, 1).

    Args:
        width: features after the first convolution; doubled at every halving of the image.
        pointwise: adds a 1x1 convolution behind every strided one but the first [2].
        batch_norm: normalizes every convolution but the first [1].
        init_stddev: .02 in [1] and .01 in [2].
    """
    depth, _ = depth_of(image_shape)
    batch_norm = batch_norm and not spectral_normalization
    convolution, _ = _convolutions(init_stddev, batch_norm)
    convolution = spectrally_normalized(convolution, spectral_normalization)
    dense = spectrally_normalized(layers.Dense, spectral_normalization)
    inputs = x = layers.Input(image_shape)
    x = convolution(width, _KERNEL, strides=2, use_bias=True)(x)
    x = layers.LeakyReLU(LEAK)(x)
    for level in range(1, depth):
        for kernel, strides in ((_KERNEL, 2), (1, 1))[: 2 if pointwise else 1]:
            x = convolution(width * 2**level, kernel, strides=strides)(x)
            x = normalization()(x) if batch_norm else x
            x = layers.LeakyReLU(LEAK)(x)
    x = layers.Flatten()(x)
    x = dense(1, kernel_initializer=normal(init_stddev))(x)
    return keras.Model(inputs, x, name=name)


def dcgan_generator(
    image_shape,
    latent_dim,
    width=64,
    pointwise=False,
    batch_norm=True,
    init_stddev=0.02,
    codes=0,
    name="generator",
):
    """Latents (b, latent_dim) to images (b, height, width, channels) in [-1, 1].

    Args:
        width: features before the last convolution; doubled at every halving of the image.
        pointwise: adds a 1x1 convolution behind every transposed one but the last [2]; the
            projection is then not normalized, as in [2].
        batch_norm: normalizes all but the last layer [1].
        init_stddev: .02 in [1] and .01 in [2].
        codes: categories of the categorical latent that `kzoo.layers.LatentCodes` makes of the
            first latents; 0 for none.
    """
    depth, (height, width_) = depth_of(image_shape)
    convolution, transposed = _convolutions(init_stddev, batch_norm)
    features = width * 2 ** (depth - 1)
    inputs = x = layers.Input((latent_dim,))
    x = LatentCodes(codes)(x) if codes else x
    x = layers.Dense(height * width_ * features, kernel_initializer=normal(init_stddev))(x)
    x = layers.Reshape((height, width_, features))(x)
    x = normalization()(x) if batch_norm and not pointwise else x
    x = layers.ReLU()(x)
    for level in reversed(range(depth - 1)):
        x = transposed(width * 2**level, _KERNEL, strides=2)(x)
        x = normalization()(x) if batch_norm else x
        x = layers.ReLU()(x)
        if pointwise:
            x = convolution(width * 2**level, 1)(x)
            x = normalization()(x) if batch_norm else x
            x = layers.ReLU()(x)
    x = transposed(image_shape[-1], _KERNEL, strides=2, activation="tanh", use_bias=True)(x)
    return keras.Model(inputs, x, name=name)
