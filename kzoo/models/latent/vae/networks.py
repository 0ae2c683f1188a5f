"""The fully connected and the convolutional networks of `kzoo.VAE`."""

import math

import keras

from kzoo.layers import channels_last as layers


def fully_connected_encoder(input_shape, outputs, widths, **options):
    """Maps images to the parameters of q(z|x).

    Args:
        input_shape: (height, width, channels).
        outputs: number of parameters.
        widths: units of the hidden layers.
        **options: the hidden layers' `activation`, and the layers' `dtype` (policy).

    Returns:
        A `keras.Model` from (b, height, width, channels) to (b, outputs).
    """
    x = images = keras.Input(input_shape)
    x = layers.Rescaling(0.5, 0.5)(layers.Flatten()(x))
    for width in widths:
        x = layers.Dense(width, **options)(x)
    return keras.Model(images, layers.Dense(outputs)(x), name="encoder")


def fully_connected_decoder(output_shape, inputs, widths, **options):
    """Maps latents to the parameters of p(x|z).

    Args:
        output_shape: (height, width, parameters per pixel).
        inputs: how many numbers the network takes.
        widths, **options: as in `fully_connected_encoder`; `widths` are read from the last to the
            first.

    Returns:
        A `keras.Model` from (b, inputs) to (b, height, width, parameters per pixel).
    """
    x = latents = keras.Input((inputs,))
    for width in widths[::-1]:
        x = layers.Dense(width, **options)(x)
    # The widest layer also computes in the hidden layers' precision.
    x = layers.Dense(math.prod(output_shape), dtype=options.get("dtype"))(x)
    return keras.Model(latents, layers.Reshape(output_shape)(x), name="decoder")


def convolutional_encoder(input_shape, outputs, widths, kernel_size, dense_width, **options):
    """Maps images to the parameters of q(z|x).

    Args:
        input_shape, outputs: as in `fully_connected_encoder`.
        widths: channels after each convolution; every convolution halves height and width,
            rounding up.
        kernel_size: side of the convolutions' windows, in pixels.
        dense_width: units of the hidden dense layer.
        **options: the hidden layers' `activation`, and their `dtype` (policy).

    Returns:
        A `keras.Model` from (b, height, width, channels) to (b, outputs).
    """
    x = images = keras.Input(input_shape)
    for width in widths:
        x = layers.Conv2D(width, kernel_size, strides=2, padding="same", **options)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(dense_width, **options)(x)
    return keras.Model(images, layers.Dense(outputs)(x), name="encoder")


def convolutional_decoder(output_shape, inputs, widths, kernel_size, dense_width, **options):
    """Maps latents to the parameters of p(x|z).

    Args:
        output_shape, inputs: as in `fully_connected_decoder`.
        widths, kernel_size, dense_width, **options: as in `convolutional_encoder`; `widths` are
            read from the last to the first.

    Returns:
        A `keras.Model` from (b, inputs) to (b, height, width, parameters per pixel).
    """
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
