"""The residual networks of `kzoo.VAE`.

[1] Kingma, Salimans, Jozefowicz, Chen, Sutskever and Welling, Improved Variational Inference with
    Inverse Autoregressive Flow, 2016 (arXiv:1606.04934), appendix: the network for MNIST, ResNet
    blocks of 3x3 convolutions with ELU at three resolutions, and a dense layer.
[2] He, Zhang, Ren and Sun, Identity Mappings in Deep Residual Networks, 2016 (arXiv:1603.05027):
    blocks that start with their activation.

Deviations from [1]: no weight normalization; the second convolution of a block starts from 0, so
that all blocks start as the identity. The resolution changes in single convolutions between the
blocks. The first and the last of these convolutions are next to the image, so no block works at the
image's full size.
"""

import math

import keras

from kzoo.layers import channels_last as layers
from kzoo.models.latent.vae.networks import cropped, halvings


def _block(x, kernel_size, activation, dtype):
    """x + convolution(activation(convolution(activation(x)))), of the shape of x."""
    width, branch = x.shape[-1], x
    for initializer in ("he_normal", "zeros"):
        branch = layers.Activation(activation, dtype=dtype)(branch)
        branch = layers.Conv2D(
            width, kernel_size, padding="same", kernel_initializer=initializer, dtype=dtype
        )(branch)
    return layers.Add(dtype=dtype)([x, branch])


def residual_encoder(
    input_shape, outputs, widths, kernel_size, dense_width, num_blocks, activation, dtype
):
    """Images to the parameters of q(z|x).

    Args:
        widths: channels at each resolution; each has half the height and width of the one before,
            rounded up, the first half of the image's.
        num_blocks: residual blocks per resolution.
        dtype: policy of all layers but the last.
        input_shape, outputs, kernel_size, dense_width, activation: as in `networks.py`.
    """
    x = images = keras.Input(input_shape)
    for level, width in enumerate(widths):
        x = layers.Activation(activation, dtype=dtype)(x) if level else x
        x = layers.Conv2D(width, kernel_size, strides=2, padding="same", dtype=dtype)(x)
        for _ in range(num_blocks):
            x = _block(x, kernel_size, activation, dtype)
    x = layers.Flatten()(layers.Activation(activation, dtype=dtype)(x))
    x = layers.Dense(dense_width, activation=activation, dtype=dtype)(x)
    return keras.Model(images, layers.Dense(outputs)(x), name="encoder")


def residual_decoder(
    output_shape, inputs, widths, kernel_size, dense_width, num_blocks, activation, dtype
):
    """Latents to the parameters of p(x|z): the mirror image of `residual_encoder`."""
    sizes = halvings(output_shape[:2], len(widths))
    x = latents = keras.Input((inputs,))
    x = layers.Dense(dense_width, activation=activation, dtype=dtype)(x)
    x = layers.Dense(math.prod(sizes[-1]) * widths[-1], dtype=dtype)(x)
    x = layers.Reshape((*sizes[-1], widths[-1]))(x)
    channels = [output_shape[-1], *widths[:-1]]
    for level in reversed(range(len(widths))):
        for _ in range(num_blocks):
            x = _block(x, kernel_size, activation, dtype)
        x = layers.Activation(activation, dtype=dtype)(x)
        x = layers.Conv2DTranspose(
            channels[level], kernel_size, strides=2, padding="same", dtype=dtype if level else None
        )(x)
        x = cropped(x, sizes[level])
    return keras.Model(latents, x, name="decoder")
