"""Fully connected generators and discriminators.

Johnson, Zhang 2018, "Composite functional gradient learning of generative adversarial models",
arXiv:1801.06309, section 4: an approximator of two hidden layers of 512 ReLU. As in the authors'
program, its output goes through tanh, nothing is normalized, and all weights start from
N(0, .01^2), all biases from 0.

Shortcuts are implemented as follows: the output layer sees the features of all hidden layers side
by side. It thus has one weight matrix for each hidden layer and adds their outputs before tanh; the
latents (or pixels) themselves reach it only through the first hidden layer. The authors' program
has no such network to compare with.

Deviations: depth, shortcuts and batch norm are arguments. The authors train their fully connected
approximator against a convolutional discriminator (`dcgan_discriminator(pointwise=True)`); the one
here is its mirror image, with DCGAN's LeakyReLU in place of ReLU.
"""

import functools
import math

import keras

from kzoo.checks import check_image_shape, check_positive_int
from kzoo.layers import channels_last as layers
from kzoo.networks.shared import LEAK, normal, normalization, spectrally_normalized


def _dense(units, init_stddev, layer=layers.Dense, **kwargs):
    return layer(units, kernel_initializer=normal(init_stddev), **kwargs)


def _features(x, width, depth, shortcuts, batch_norm, init_stddev, activation, **kwargs):
    """What the output layer sees of x (b, n): (b, width), with shortcuts (b, depth * width)."""
    hidden = []
    for _ in range(check_positive_int("depth", depth)):
        x = _dense(width, init_stddev, use_bias=not batch_norm, **kwargs)(x)
        x = normalization()(x) if batch_norm else x
        x = activation()(x)
        hidden.append(x)
    return layers.Concatenate()(hidden) if shortcuts and len(hidden) > 1 else x


def fully_connected_discriminator(
    image_shape,
    width=512,
    depth=2,
    shortcuts=False,
    batch_norm=False,
    init_stddev=0.01,
    spectral_normalization=False,
    name="discriminator",
):
    """Images (b, height, width, channels) in [-1, 1] to logits (b, 1).

    Args:
        image_shape: `(height, width, channels)`, of any size.
        width: features of every hidden layer.
        depth: number of hidden layers, at least 1.
        shortcuts: connects every hidden layer to the output.
        batch_norm: normalizes every hidden layer, before its LeakyReLU.
        init_stddev: standard deviation of the initial weights.
        spectral_normalization: divides every matrix by its largest singular value (Miyato et al.
            2018, arXiv:1802.05957), in place of `batch_norm`; the weights then start orthogonal.
        name: name of the model.

    Raises:
        ValueError: if `depth` is not a positive int or `image_shape` not three positive ints.
    """
    inputs = layers.Input(check_image_shape(image_shape))
    x = layers.Flatten()(inputs)
    batch_norm = batch_norm and not spectral_normalization
    dense = spectrally_normalized(layers.Dense, spectral_normalization)
    leaky = functools.partial(layers.LeakyReLU, LEAK)
    x = _features(x, width, depth, shortcuts, batch_norm, init_stddev, leaky, layer=dense)
    return keras.Model(inputs, _dense(1, init_stddev, layer=dense)(x), name=name)


def fully_connected_generator(
    image_shape,
    latent_dim,
    width=512,
    depth=2,
    shortcuts=False,
    batch_norm=False,
    init_stddev=0.01,
    name="generator",
):
    """Latents (b, latent_dim) to images (b, height, width, channels) in [-1, 1].

    Args:
        image_shape: `(height, width, channels)`, of any size.
        latent_dim: length of a latent vector.
        width: features of every hidden layer.
        depth: number of hidden layers, at least 1.
        shortcuts: connects every hidden layer to the output.
        batch_norm: normalizes every hidden layer, before its ReLU.
        init_stddev: standard deviation of the initial weights.
        name: name of the model.

    Raises:
        ValueError: if `depth` is not a positive int or `image_shape` not three positive ints.
    """
    image_shape = check_image_shape(image_shape)
    inputs = layers.Input((latent_dim,))
    x = _features(inputs, width, depth, shortcuts, batch_norm, init_stddev, layers.ReLU)
    x = _dense(math.prod(image_shape), init_stddev, activation="tanh")(x)
    return keras.Model(inputs, layers.Reshape(image_shape)(x), name=name)
