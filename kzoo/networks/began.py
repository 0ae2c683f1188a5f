"""BEGAN's networks: an autoencoder as the discriminator, and its decoder as the generator.

Berthelot, Schumm, Metz 2017, "BEGAN: boundary equilibrium generative adversarial networks",
arXiv:1703.10717, section 3.4 (model architecture) and figure 1. All convolutions are 3x3 and
followed by ELU. The encoder halves the map by strides of 2, down to 8x8, and its features grow by
`width` at every halving; those of the decoder stay `width`, and it doubles the map by repeating
pixels. A dense layer on either side of the code is linear. The generator has the layers of the
decoder, with weights of its own.

Deviations: without the optional improvements of section 3.4.1, skip connections and residuals that
vanish. The smallest map has a side of 8 to 14, as the size of the images decides. Weights start as
Keras draws them, which the paper leaves open.
"""

import keras

from kzoo.layers import SymmetricConv2D
from kzoo.layers import channels_last as layers
from kzoo.networks.shared import depth_of


def _halvings(image_shape):
    """How often the image is halved to reach a side of 8 to 14, and the shape reached."""
    depth, (height, width) = depth_of(image_shape)
    return depth - 1, (2 * height, 2 * width)


def _convolutions(x, features, repeats):
    for _ in range(repeats):
        x = SymmetricConv2D(features, 3, activation="elu")(x)
    return x


def _decoder(x, image_shape, width, repeats, channels):
    """The layers from a code (b, d) to an image (b, height, width, channels)."""
    halvings, (rows, columns) = _halvings(image_shape)
    x = layers.Dense(rows * columns * width)(x)
    x = layers.Reshape((rows, columns, width))(x)
    x = _convolutions(x, width, repeats)
    for _ in range(halvings):
        x = layers.UpSampling2D(2)(x)  # nearest neighbour
        x = _convolutions(x, width, repeats)
    return SymmetricConv2D(channels, 3)(x)


def began_discriminator(
    image_shape, code_dim=64, width=64, repeats=2, channels=None, name="discriminator"
):
    """Images (b, height, width, features) to their reconstructions (b, height, width, channels).

    Args:
        image_shape: `(height, width, features)` of what it sees.
        code_dim: N_h, numbers in the code between encoder and decoder.
        width: n, features of the first convolution and of all of the decoder.
        repeats: convolutions at every size of map, 2 in the paper.
        channels: of the reconstruction; `None` for as many as there are features. A network that
            sees labels in further channels reconstructs the image alone.

    Raises:
        ValueError: if the image cannot be halved down to a side of 4 to 7 (the network stops one
            halving earlier).
    """
    halvings, _ = _halvings(image_shape)
    inputs = layers.Input(image_shape)
    x = SymmetricConv2D(width, 3, activation="elu")(inputs)
    for level in range(halvings + 1):
        if level:  # sub-sampling
            x = SymmetricConv2D(width * (level + 1), 3, strides=2, activation="elu")(x)
        x = _convolutions(x, width * (level + 1), repeats)
    x = layers.Flatten()(x)
    x = layers.Dense(code_dim, name="code")(x)
    x = _decoder(x, image_shape, width, repeats, channels or image_shape[-1])
    return keras.Model(inputs, x, name=name)


def began_generator(image_shape, latent_dim, width=64, repeats=2, name="generator"):
    """Latents (b, latent_dim) to images (b, height, width, channels), by a decoder.

    The last layer is linear: a value outside of [-1, 1] is clipped when an image is drawn.

    Args:
        width: n, features of all convolutions but the last.
        repeats: convolutions at every size of map, 2 in the paper.
    """
    inputs = layers.Input((latent_dim,))
    x = _decoder(inputs, image_shape, width, repeats, image_shape[-1])
    return keras.Model(inputs, x, name=name)
