"""The encoder and the decoder of `kzoo.VAE`: convolutions with stride 2 and their mirror image."""

import math

import keras
from keras import layers


def vae_encoder(image_shape, latent_dim, widths, kernel_size, dense_width, **options):
    """Maps images to the mean and the log-variance of q(z|x), concatenated.

    Args:
        image_shape: (height, width, channels).
        latent_dim: dimension of z.
        widths: channels after each convolution; every convolution halves height and width,
            rounding up.
        kernel_size: side of the convolutions' windows, in pixels.
        dense_width: units of the hidden dense layer.
        **options: the hidden layers' `activation`, and their `dtype` (policy).

    Returns:
        A `keras.Model` from (b, height, width, channels) to (b, 2 latent_dim).
    """
    x = images = keras.Input(image_shape)
    for width in widths:
        x = layers.Conv2D(width, kernel_size, strides=2, padding="same", **options)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(dense_width, **options)(x)
    return keras.Model(images, layers.Dense(2 * latent_dim)(x), name="encoder")


def vae_decoder(image_shape, latent_dim, widths, kernel_size, dense_width, **options):
    """Maps latents to one real parameter per pixel and channel: logits or means of p(x|z).

    The arguments are those of `vae_encoder`; `widths` are read from the last to the first.

    Returns:
        A `keras.Model` from (b, latent_dim) to (b, height, width, channels).
    """
    *size, channels = image_shape
    sizes = [size]
    for _ in widths:
        size = [-(-side // 2) for side in size]  # rounded up, as the encoder's strides do
        sizes.append(size)

    x = latents = keras.Input((latent_dim,))
    x = layers.Dense(dense_width, **options)(x)
    x = layers.Dense(math.prod(size) * widths[-1], **options)(x)
    x = layers.Reshape((*size, widths[-1]))(x)
    for size, width in zip(sizes[-2:0:-1], widths[-2::-1], strict=True):
        x = layers.Conv2DTranspose(width, kernel_size, strides=2, padding="same", **options)(x)
        x = _cropped(x, size)
    x = layers.Conv2DTranspose(channels, kernel_size, strides=2, padding="same")(x)
    return keras.Model(latents, _cropped(x, image_shape), name="decoder")


def _cropped(x, size):
    """Without the last row or column where doubling overshot an odd size."""
    rows, columns = x.shape[1] - size[0], x.shape[2] - size[1]
    return layers.Cropping2D(((0, rows), (0, columns)))(x) if rows or columns else x


def check_networks(encoder, decoder, image_shape, latent_dim):
    """Builds both networks of a VAE and checks the shapes they give.

    Raises:
        ValueError: naming the shapes, if a network does not take its input or gives another output.
    """
    moments = _output_shapes("encoder", encoder, image_shape)
    if moments not in ([(None, 2 * latent_dim)], [(None, latent_dim)] * 2):
        raise ValueError(
            f"The encoder must map images {(None, *image_shape)} to one output "
            f"{(None, 2 * latent_dim)} or two outputs {(None, latent_dim)}, with "
            f"latent_dim={latent_dim}; its outputs have the shapes {moments}."
        )
    parameters = _output_shapes("decoder", decoder, (latent_dim,))
    if parameters != [(None, *image_shape)]:
        raise ValueError(
            f"The decoder must map latents {(None, latent_dim)} to one output "
            f"{(None, *image_shape)}; its outputs have the shapes {parameters}."
        )


def _output_shapes(name, network, input_shape):
    """Shapes of a network's outputs for symbolic inputs, which also builds it."""
    if not isinstance(network, keras.Layer):
        raise ValueError(f"The {name} must be a keras.Model, got {network!r}.")
    try:
        outputs = network(keras.Input(input_shape))
    except Exception as error:  # whatever its layers raise on a shape they cannot take
        raise ValueError(
            f"The {name} does not take inputs of shape {(None, *input_shape)}: {error}"
        ) from error
    return [tuple(output.shape) for output in keras.tree.flatten(outputs)]
