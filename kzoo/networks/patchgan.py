"""PatchGAN: a discriminator that judges every patch of an image by itself.

* Isola, Zhu, Zhou, Efros 2017, "Image-to-image translation with conditional adversarial networks",
  arXiv:1611.07004, sections 3.2.2 and 6.1.2 [1].

One of its logits sees a square of 16, 34 or 70 pixels; beside it, only the means and variances of
the normalization, which are the whole image's. The network is a sequence of convolutions, so its
weights do not depend on the size of the images.

Deviations from [1]: instance normalization in place of batch norm, as in `kzoo.networks.unet`. All
convolutions keep the size or halve it ("same" padding). Those of stride 1 in the authors' program
make the map one pixel smaller each.
"""

import keras

from kzoo.checks import check_name
from kzoo.layers import channels_last as layers
from kzoo.networks.shared import LEAK, instance_norm, normal, spectrally_normalized

_KERNEL = 4
_MOST = 8  # features grow up to this multiple of `width` [1]
#: Convolutions with stride 2, by the side of the square that one logit sees.
STRIDED = {16: 1, 34: 2, 70: 3}


def patchgan_discriminator(
    image_shape,
    source_shape=None,
    width=64,
    receptive_field=70,
    spectral_normalization=False,
    name="discriminator",
):
    """Images (b, h, w, c) in [-1, 1], or `[images, sources]`, to a map of logits (b, h', w', 1).

    Each logit judges one square of `receptive_field` pixels, a part of which may lie beyond the
    image's border. The map's sides are those of the image, divided by 2, 4 or 8 and rounded up.

    Args:
        source_shape: that of an image that the discriminator sees beside each image, with the same
            sides; `None` for none.
        width: features after the first convolution; doubled by each further one, up to 8 times.
        receptive_field: 16, 34 or 70 pixels.

    Raises:
        ValueError: for another receptive field, or an image so small that its map is a single
            logit.
    """
    strided = STRIDED[check_name("receptive_field", receptive_field, STRIDED)]
    if min(image_shape[:2]) <= 2**strided:
        raise ValueError(
            f"receptive_field={receptive_field} needs images with sides above {2**strided}, got "
            f"image_shape={tuple(image_shape)}."
        )
    layer = spectrally_normalized(layers.Conv2D, spectral_normalization)

    def convolution(x, features, strides, norm, name):
        return layer(
            features,
            _KERNEL,
            strides=strides,
            padding="same",
            use_bias=not norm,
            kernel_initializer=normal(),
            name=name,
        )(x)

    inputs = x = layers.Input(image_shape, name="images")
    if source_shape is not None:
        sources = layers.Input(source_shape, name="sources")
        inputs = [inputs, sources]
        x = layers.Concatenate(name="pair")([x, sources])
    for level in range(strided + 1):
        norm = level > 0 and not spectral_normalization
        strides = 2 if level < strided else 1
        x = convolution(x, width * min(2**level, _MOST), strides, norm, f"conv_{level}")
        x = instance_norm(f"conv_{level}_norm")(x) if norm else x
        x = layers.LeakyReLU(LEAK, name=f"conv_{level}_relu")(x)
    x = convolution(x, 1, 1, False, "logits")
    return keras.Model(inputs, x, name=name)
