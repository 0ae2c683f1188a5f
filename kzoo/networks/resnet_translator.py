"""A network from images to images: two halvings, residual blocks, two doublings.

* Zhu, Park, Isola, Efros 2017, "Unpaired image-to-image translation using cycle-consistent
  adversarial networks", arXiv:1703.10593, appendix 7.2 [1].
* Johnson, Alahi, Fei-Fei 2016, "Perceptual losses for real-time style transfer and
  super-resolution", arXiv:1603.08155, from which [1] takes the network [2].

In the notation of [1], with 6 blocks and 64 features: c7s1-64, d128, d256, six R256, u128, u64,
c7s1-3. The first and the last convolution and those of the blocks see an image that is mirrored at
its border. Every convolution but the last is followed by instance normalization, and by ReLU except
at the end of a block.

Deviations: 3 blocks for images of up to 32 pixels, which [1] does not have. Biases only where no
normalization follows, as it would remove them.
"""

import keras
from keras import ops

from kzoo.layers import SymmetricConv2D, SymmetricConv2DTranspose
from kzoo.layers import channels_last as layers
from kzoo.networks.shared import instance_norm, normal

_HALVINGS = 2
_BORDER = 7  # kernel size next to the images


def usual_blocks(image_shape):
    """How many blocks: 3 for a longer side of up to 32 pixels, 6 up to 128, 9 above."""
    side = max(image_shape[:2])
    return 3 if side <= 32 else 6 if side <= 128 else 9


def _check_shape(shape):
    if any(side % 2**_HALVINGS or side < 8 for side in shape[:2]):
        raise ValueError(
            "resnet_translator halves the image twice: height and width must be multiples of "
            f"{2**_HALVINGS}, at least 8; got the shape {tuple(shape)}. Pad or resize the images."
        )


def resnet_translator(source_shape, image_shape, width=64, blocks=None, name="generator"):
    """Sources (b, h, w, c) to images (b, h, w, channels) in [-1, 1].

    Args:
        source_shape: `(height, width, channels)` of the sources.
        image_shape: `(height, width, channels)` of the images, with the same sides.
        width: features after the first convolution; doubled at both halvings.
        blocks: number of residual blocks; `None` for what `usual_blocks` says.

    Raises:
        ValueError: if a side is no multiple of 4, or below 8.
    """
    _check_shape(source_shape)
    blocks = usual_blocks(image_shape) if blocks is None else blocks

    def convolution(x, features, name, layer=SymmetricConv2D, kernel=3, relu=True, **options):
        options["kernel_initializer"] = normal()
        x = layer(features, kernel, use_bias=False, name=name, **options)(x)
        x = instance_norm(f"{name}_norm")(x)
        return layers.ReLU(name=f"{name}_relu")(x) if relu else x

    def mirrored(x, features, name, kernel=3, relu=True):
        x = _mirror(x, kernel // 2)
        return convolution(x, features, name, layers.Conv2D, kernel, relu)

    inputs = layers.Input(source_shape, name="sources")
    x = mirrored(inputs, width, "first", _BORDER)  # (b, h, w, width)
    for level in range(1, _HALVINGS + 1):
        x = convolution(x, width * 2**level, f"down_{level}", strides=2)
    features = width * 2**_HALVINGS
    for block in range(blocks):
        y = mirrored(x, features, f"block_{block}_1")  # (b, h / 4, w / 4, features)
        y = mirrored(y, features, f"block_{block}_2", relu=False)
        x = layers.Add(name=f"block_{block}")([x, y])
    for level in reversed(range(_HALVINGS)):
        x = convolution(x, width * 2**level, f"up_{level}", SymmetricConv2DTranspose, strides=2)
    x = layers.Conv2D(
        image_shape[-1],
        _BORDER,
        activation="tanh",
        kernel_initializer=normal(),
        name="image",
    )(_mirror(x, _BORDER // 2))
    return keras.Model(inputs, x, name=name)


def _mirror(x, width):
    """Images with `width` more pixels on every side, mirrored at the border."""
    return ops.pad(x, ((0, 0), (width, width), (width, width), (0, 0)), mode="reflect")
