"""The U-Net of pix2pix: a network from an image to an image of the same size.

* Isola, Zhu, Zhou, Efros 2017, "Image-to-image translation with conditional adversarial networks",
  arXiv:1611.07004, sections 3.2.1 (skips) and 6.1.1 (layers) [1].
* Ulyanov, Vedaldi, Lempitsky 2016, "Instance normalization: the missing ingredient for fast
  stylization", arXiv:1607.08022 [2].

The encoder halves the image until its shorter side is odd, which for a power of two is 1. The
decoder doubles it again. Each layer of the decoder also sees the encoder's map of the same size.

Deviations from [1]: instance normalization [2] stands in place of batch norm. The two are one at
the paper's batch size of 1, and here an image never depends on the others of its batch. A map of
1x1 is not normalized, since every number would become 0. The skips carry maps after their
activation. The decoder's layers have as many features as the encoder's map of the same size. Scales
of the normalization start at 1.
"""

import math

import keras

from kzoo.layers import channels_last as layers
from kzoo.networks.shared import LEAK, instance_norm, normal

_KERNEL = 4
_MOST = 8  # features grow up to this multiple of `width` [1]
_DROPPED = 3  # layers of the decoder with dropout, next to the smallest map [1]


def _halvings(image_shape):
    """How often both sides can be halved, at least twice and down to a side below 8."""
    height, width, _ = image_shape
    depth = 0
    while height % 2 == 0 and width % 2 == 0:
        height, width, depth = height // 2, width // 2, depth + 1
    if depth < 2 or min(height, width) >= 8:
        raise ValueError(
            "A U-Net halves the image at least twice, down to a side of 1 to 7, which the shape "
            f"{tuple(image_shape)} does not allow: height and width must be 1..7 times a power of "
            "two. Pad or resize the images."
        )
    return depth


def unet_generator(source_shape, image_shape, width=64, dropout=0.5, name="generator"):
    """`[sources (b, h, w, c), noise (b, k)]` to images (b, h, w, channels) in [-1, 1].

    The noise is that of dropout, given from outside: the features of three layers of the decoder
    are multiplied by it. So it is 0 with the probability `dropout`, else 1 / (1 - dropout). Its
    length k is the number of those features; `network.inputs[1].shape` has it.

    Args:
        source_shape: `(height, width, channels)` of the sources.
        image_shape: `(height, width, channels)` of the images, with the same sides.
        width: features after the first convolution; doubled at every halving, up to 8 times.
        dropout: of the three layers; 0 for a network of the sources alone, without noise.

    Raises:
        ValueError: if the sides cannot be halved at least twice, down to 1 .. 7.
    """
    depth = _halvings(source_shape)
    inputs = x = layers.Input(source_shape, name="sources")
    skips = []
    for level in range(depth):
        features = width * min(2**level, _MOST)
        normed = level > 0 and (x.shape[1], x.shape[2]) != (2, 2)
        x = layers.Conv2D(
            features,
            _KERNEL,
            strides=2,
            padding="same",
            use_bias=not normed,
            kernel_initializer=normal(),
            name=f"down_{level}",
        )(x)  # (b, h / 2^(level + 1), w / 2^(level + 1), features)
        x = instance_norm(f"down_{level}_norm")(x) if normed else x
        x = layers.LeakyReLU(LEAK, name=f"down_{level}_relu")(x)
        skips.append(x)
    skips.pop()  # the smallest map itself
    shapes = [skip.shape[1:] for skip in reversed(skips)][:_DROPPED]
    noise = layers.Input((sum(map(math.prod, shapes)),), name="noise") if dropout else None
    used = 0
    for level in reversed(range(depth - 1)):
        skip = skips.pop()
        x = layers.Conv2DTranspose(
            skip.shape[-1],
            _KERNEL,
            strides=2,
            padding="same",
            use_bias=False,
            kernel_initializer=normal(),
            name=f"up_{level}",
        )(x)
        x = instance_norm(f"up_{level}_norm")(x)
        if dropout and skip.shape[1:] in shapes:
            size = math.prod(skip.shape[1:])
            mask = layers.Reshape(skip.shape[1:], name=f"up_{level}_noise")(
                noise[:, used : used + size]
            )
            x = layers.Multiply(name=f"up_{level}_dropout")([x, mask])
            used += size
        x = layers.ReLU(name=f"up_{level}_relu")(x)
        x = layers.Concatenate(name=f"skip_{level}")([x, skip])
    x = layers.Conv2DTranspose(
        image_shape[-1],
        _KERNEL,
        strides=2,
        padding="same",
        activation="tanh",
        kernel_initializer=normal(),
        name="image",
    )(x)
    return keras.Model([inputs, noise] if dropout else inputs, x, name=name)
