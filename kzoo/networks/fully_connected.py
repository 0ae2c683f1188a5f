"""Fully connected generators and discriminators.

Johnson, Zhang 2018, "Composite functional gradient learning of generative adversarial models",
arXiv:1801.06309, section 4: an approximator of two hidden layers of 512 ReLU. As in the authors'
program, its output goes through tanh, nothing is normalized, and all weights start from
N(0, .01^2), all biases from 0.

Shortcuts are implemented as follows: the output layer sees the features of both hidden layers side
by side. It thus has one weight matrix for each hidden layer and adds their outputs before tanh; the
latents (or pixels) themselves reach it only through the first hidden layer. The authors' program
has no such network to compare with.

Deviations: the authors train their fully connected approximator against a convolutional
discriminator (`dcgan_discriminator(pointwise=True)`); the one here is its mirror image, with
DCGAN's LeakyReLU in place of ReLU.
"""

import functools
import math

import keras

from kzoo.layers import channels_last as layers
from kzoo.networks.shared import LEAK, normal, spectrally_normalized

_HIDDEN = 2  # layers


def _dense(units, layer=layers.Dense, **kwargs):
    return layer(units, kernel_initializer=normal(0.01), **kwargs)


def _features(x, width, shortcuts, activation, **kwargs):
    """What the output layer sees of x (b, n): (b, width), with shortcuts (b, 2 width)."""
    hidden = []
    for _ in range(_HIDDEN):
        x = activation()(_dense(width, **kwargs)(x))
        hidden.append(x)
    return layers.Concatenate()(hidden) if shortcuts else x


def fully_connected_discriminator(
    image_shape, width=512, shortcuts=False, spectral_normalization=False, name="discriminator"
):
    """Images (b, height, width, channels) in [-1, 1] to logits (b, 1).

    Args:
        image_shape: `(height, width, channels)`, of any size.
        width: features of each hidden layer.
        shortcuts: connects both hidden layers to the output.
    """
    inputs = layers.Input(image_shape)
    dense = spectrally_normalized(layers.Dense, spectral_normalization)
    leaky = functools.partial(layers.LeakyReLU, LEAK)
    x = _features(layers.Flatten()(inputs), width, shortcuts, leaky, layer=dense)
    return keras.Model(inputs, _dense(1, layer=dense)(x), name=name)


def fully_connected_generator(
    image_shape, latent_dim, width=512, shortcuts=False, name="generator"
):
    """Latents (b, latent_dim) to images (b, height, width, channels) in [-1, 1].

    Args:
        image_shape: `(height, width, channels)`, of any size.
        width, shortcuts: as in `fully_connected_discriminator`.
    """
    inputs = layers.Input((latent_dim,))
    x = _features(inputs, width, shortcuts, layers.ReLU)
    x = _dense(math.prod(image_shape), activation="tanh")(x)
    return keras.Model(inputs, layers.Reshape(image_shape)(x), name=name)
