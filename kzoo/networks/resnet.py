"""The residual networks of composite functional gradient learning.

Johnson, Zhang 2018, "Composite functional gradient learning of generative adversarial models",
arXiv:1801.06309, section 4: for images of 64x64, 4 blocks of two 3x3 convolutions with ReLU (no
leak) and one batch norm, beside a shortcut by a 1x1 convolution. What the text leaves open is
settled as in the authors' first program (2018):

* A block starts with ReLU; its shortcut starts before it. The first block of the discriminator has
  no such ReLU, because its input is an image.
* The batch norm follows the second convolution, before pooling and sum. Nothing else is normalized.
* On the shortcut, the discriminator pools before the 1x1 convolution, and the generator repeats
  pixels after it. The result is the same as the other way round, and costs less.
* The number of features changes in the second convolution of a discriminator's block and in the
  first of a generator's; the block next to the image, in both, computes with `width` features.

In the authors' later PyTorch program the first ReLU of a block overwrites the block's input, so the
shortcut starts after the ReLU, and negative features never reach the next block's shortcut.

Deviations: the number of blocks follows from the size of the images, which need not be square; no
bias where a batch norm or another bias is added to the same features.
"""

import keras

from kzoo.layers import channels_last as layers
from kzoo.networks.shared import depth_of, normal, normalization, spectrally_normalized


def _convolution(filters, kernel_size, init_stddev, use_bias=True, layer=layers.Conv2D, **kwargs):
    return layer(
        filters,
        kernel_size,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=normal(init_stddev),
        **kwargs,
    )


def _branch(x, middle, features, init_stddev, batch_norm, **kwargs):
    """The main branch between its first ReLU and pooling: (b, h, w, c) to (b, h, w, features)."""
    x = _convolution(middle, 3, init_stddev, **kwargs)(x)
    x = layers.ReLU()(x)
    x = _convolution(features, 3, init_stddev, use_bias=not batch_norm, **kwargs)(x)
    return normalization()(x) if batch_norm else x


def resnet_discriminator(
    image_shape,
    width=64,
    batch_norm=True,
    init_stddev=0.01,
    spectral_normalization=False,
    name="discriminator",
):
    """Images (b, height, width, channels) in [-1, 1] to logits (b, 1).

    Args:
        width: features after the first block; doubled by every further one.
        batch_norm: normalizes the main branch of every block.
    """
    depth, _ = depth_of(image_shape)
    batch_norm = batch_norm and not spectral_normalization
    convolution = spectrally_normalized(layers.Conv2D, spectral_normalization)
    dense = spectrally_normalized(layers.Dense, spectral_normalization)
    inputs = x = layers.Input(image_shape)
    for level in range(depth):
        features = width * 2**level
        branch = layers.ReLU()(x) if level else x
        middle = x.shape[-1] if level else width
        branch = _branch(branch, middle, features, init_stddev, batch_norm, layer=convolution)
        branch = layers.AveragePooling2D(2)(branch)  # (b, h / 2, w / 2, features)
        x = layers.AveragePooling2D(2)(x)
        x = _convolution(features, 1, init_stddev, use_bias=False, layer=convolution)(x)
        x = layers.Add()([branch, x])
    x = layers.ReLU()(x)
    x = layers.Flatten()(x)
    x = dense(1, kernel_initializer=normal(init_stddev))(x)
    return keras.Model(inputs, x, name=name)


def resnet_generator(
    image_shape, latent_dim, width=64, batch_norm=True, init_stddev=0.01, name="generator"
):
    """Latents (b, latent_dim) to images (b, height, width, channels) in [-1, 1].

    Args:
        width: features of the last block and of the one before it; doubled by every block further
            from the image.
        batch_norm: normalizes the main branch of every block.
    """
    depth, (height, width_) = depth_of(image_shape)
    features = width * 2 ** (depth - 1)
    inputs = x = layers.Input((latent_dim,))
    x = layers.Dense(height * width_ * features, kernel_initializer=normal(init_stddev))(x)
    x = layers.Reshape((height, width_, features))(x)
    for level in reversed(range(depth)):
        features = width * 2 ** max(level - 1, 0)
        branch = layers.UpSampling2D(2)(layers.ReLU()(x))  # nearest neighbour
        branch = _branch(branch, features, features, init_stddev, batch_norm)
        x = _convolution(features, 1, init_stddev, use_bias=False)(x)
        x = layers.UpSampling2D(2)(x)
        x = layers.Add()([branch, x])  # (b, 2 h, 2 w, features)
    x = layers.ReLU()(x)
    x = _convolution(image_shape[-1], 3, init_stddev, activation="tanh")(x)
    return keras.Model(inputs, x, name=name)
