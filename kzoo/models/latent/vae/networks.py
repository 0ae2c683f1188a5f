"""The fully connected and the convolutional networks of `kzoo.VAE`.

An encoder maps images (b, *input_shape) to (b, outputs), the parameters of q(z|x); a decoder maps
(b, inputs) to (b, *output_shape), (height, width, parameters per pixel) of p(x|z). Both take

* `widths`, from the image inwards, so that a decoder reads them from the last to the first: units
  of the hidden layers, or channels after each convolution, of which every one halves height and
  width, rounding up;
* `kernel_size`, side of the convolutions' windows in pixels, and `dense_width`, units of the hidden
  dense layer;
* `**options`: the hidden layers' `activation`, a Keras name, and their `dtype` (policy).
"""

import math

import keras

from kzoo.layers import channels_last as layers


def fully_connected_encoder(input_shape, outputs, widths, **options):
    """Dense layers, which see pixels in [0, 1]."""
    x = images = keras.Input(input_shape)
    x = layers.Rescaling(0.5, 0.5)(layers.Flatten()(x))
    for width in widths:
        x = layers.Dense(width, **options)(x)
    return keras.Model(images, layers.Dense(outputs)(x), name="encoder")


def fully_connected_decoder(output_shape, inputs, widths, **options):
    """The mirror image; the widest layer also computes in the hidden layers' precision."""
    x = latents = keras.Input((inputs,))
    for width in widths[::-1]:
        x = layers.Dense(width, **options)(x)
    x = layers.Dense(math.prod(output_shape), dtype=options.get("dtype"))(x)
    return keras.Model(latents, layers.Reshape(output_shape)(x), name="decoder")


def convolutional_encoder(input_shape, outputs, widths, kernel_size, dense_width, **options):
    """Convolutions of stride 2, and a hidden dense layer."""
    x = images = keras.Input(input_shape)
    for width in widths:
        x = layers.Conv2D(width, kernel_size, strides=2, padding="same", **options)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(dense_width, **options)(x)
    return keras.Model(images, layers.Dense(outputs)(x), name="encoder")


def convolutional_decoder(output_shape, inputs, widths, kernel_size, dense_width, **options):
    """The mirror image, by transposed convolutions."""
    sizes = halvings(output_shape[:2], len(widths))
    x = latents = keras.Input((inputs,))
    x = layers.Dense(dense_width, **options)(x)
    x = layers.Dense(math.prod(sizes[-1]) * widths[-1], **options)(x)
    x = layers.Reshape((*sizes[-1], widths[-1]))(x)
    for size, width in zip(sizes[-2:0:-1], widths[-2::-1], strict=True):
        x = layers.Conv2DTranspose(width, kernel_size, strides=2, padding="same", **options)(x)
        x = cropped(x, size)
    x = layers.Conv2DTranspose(output_shape[-1], kernel_size, strides=2, padding="same")(x)
    return keras.Model(latents, cropped(x, output_shape), name="decoder")


def halvings(size, count):
    """The sizes (height, width) of an image halved so often, rounding up; the first is its own."""
    sizes = [list(size)]
    for _ in range(count):
        sizes.append([-(-side // 2) for side in sizes[-1]])
    return sizes


def cropped(x, size):
    """Crops the last row or column where doubling has exceeded an odd size."""
    rows, columns = x.shape[1] - size[0], x.shape[2] - size[1]
    return layers.Cropping2D(((0, rows), (0, columns)))(x) if rows or columns else x
