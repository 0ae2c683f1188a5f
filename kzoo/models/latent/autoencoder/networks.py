"""The encoders and decoders of `kzoo.Autoencoder`, by name.

`"convolutional"`: convolutions of stride 2 and a hidden dense layer; the decoder is the mirror
image, with up-convolutions (transposed convolutions of stride 2; Zeiler et al. 2010).
`"fully_connected"`: dense layers. Without hidden layers (`widths=()`) this is the linear
autoencoder.
"""

import keras

from kzoo.layers import channels_last as layers
from kzoo.models.latent.vae.networks import convolutional_decoder, fully_connected_decoder

# name: its usual widths
NETWORKS = {"convolutional": (32, 64, 128), "fully_connected": (512, 256)}


def encoder_by_name(
    name, image_shape, latent_dim, widths, kernel_size, dense_width, code_activation, **options
):
    """Maps images (b, height, width, channels) to latents (b, latent_dim).

    Args:
        name: of a network.
        image_shape: (height, width, channels).
        latent_dim: number of latents of an image.
        widths: as in `kzoo.models.latent.vae.networks`; `None` takes those of `NETWORKS`.
        kernel_size, dense_width, **options: as there; the first two of the convolutional network.
        code_activation: activation of the latents, a Keras name.

    Raises:
        ValueError: for an unknown name, or convolutions without widths.
    """
    widths = _widths("encoder", name, widths)
    x = images = keras.Input(image_shape)
    if name == "convolutional":
        for width in widths:
            x = layers.Conv2D(width, kernel_size, strides=2, padding="same", **options)(x)
        widths = (dense_width,)
    x = layers.Flatten()(x)
    for width in widths:
        x = layers.Dense(width, **options)(x)
    latents = layers.Dense(latent_dim, activation=code_activation, name="code")(x)
    return keras.Model(images, latents, name="encoder")


def decoder_by_name(name, image_shape, latent_dim, widths, kernel_size, dense_width, **options):
    """Maps latents (b, latent_dim) to one real number per pixel and channel, the encoder's mirror.

    The arguments are those of `encoder_by_name`; `widths` are read from the last to the first.
    """
    widths = _widths("decoder", name, widths)
    if name == "fully_connected":
        return fully_connected_decoder(image_shape, latent_dim, widths, **options)
    return convolutional_decoder(
        image_shape, latent_dim, widths, kernel_size, dense_width, **options
    )


def _widths(role, name, widths):
    if name not in NETWORKS:
        known = ", ".join(map(repr, NETWORKS))
        raise ValueError(f"{role} must be a keras.Model or one of {known}, got {name!r}.")
    widths = NETWORKS[name] if widths is None else widths
    if name == "convolutional" and not widths:
        raise ValueError(f"widths must name at least one convolution, got {widths!r}.")
    return widths
