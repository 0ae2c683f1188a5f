"""The networks of `kzoo.VAE` by name, and the checks of the user's own."""

import keras

from kzoo.checks import check_name, check_positive_ints
from kzoo.models.latent.vae.networks import (
    convolutional_decoder,
    convolutional_encoder,
    fully_connected_decoder,
    fully_connected_encoder,
)
from kzoo.models.latent.vae.residual import residual_decoder, residual_encoder
from kzoo.networks.given import check_network, output_shapes

# name: (encoder, decoder, the options that they take, default widths)
_CONVOLUTIONS = ("widths", "kernel_size", "dense_width", "activation", "dtype")
_NETWORKS = {
    "convolutional": (convolutional_encoder, convolutional_decoder, _CONVOLUTIONS, (32, 64, 128)),
    "fully_connected": (
        fully_connected_encoder,
        fully_connected_decoder,
        ("widths", "activation", "dtype"),
        (200, 200),
    ),
    "residual": (
        residual_encoder,
        residual_decoder,
        (*_CONVOLUTIONS, "num_blocks"),
        (16, 32, 32),
    ),
}


def check_widths(name, widths):
    """The widths for the networks of that name; their default for `None`.

    Raises:
        ValueError: if there are no such networks, or the widths are not positive ints.
    """
    check_name("networks", name, _NETWORKS)
    return _NETWORKS[name][3] if widths is None else check_positive_ints("widths", widths)


def encoder_by_name(name, input_shape, outputs, options):
    """An encoder from images (b, *input_shape) to (b, outputs), with the options that it takes."""
    build, _, known, _ = _NETWORKS[name]
    return build(input_shape, outputs, **{key: options[key] for key in known})


def decoder_by_name(name, output_shape, inputs, options):
    """A decoder from (b, inputs) to (b, *output_shape), with the options that it takes."""
    _, build, known, _ = _NETWORKS[name]
    return build(output_shape, inputs, **{key: options[key] for key in known})


def check_networks(model, input_shape, decoder_inputs, outputs, output_shape):
    """Builds both networks of a VAE and checks the shapes they give.

    Args:
        model: the `kzoo.VAE`.
        input_shape: what the encoder takes, (height, width, channels).
        decoder_inputs: how many numbers the decoder takes.
        outputs: number of parameters of the posterior.
        output_shape: (height, width, parameters per pixel).

    Raises:
        ValueError: naming the shapes, if a network does not take its input or gives another output.
    """
    latent_dim = model.latent_dim
    given = output_shapes("The encoder", model.encoder, [(input_shape, "float32")], keras.Layer)
    split = [(None, latent_dim)] * 2 if outputs == 2 * latent_dim else None
    if given not in ([(None, outputs)], split):
        or_two = f" or two outputs {(None, latent_dim)}" if split else ""
        raise ValueError(
            f"The encoder must map images {(None, *input_shape)} to one output "
            f"{(None, outputs)}{or_two}, with latent_dim={latent_dim} and a "
            f"{type(model.posterior).__name__}; its outputs have the shapes {given}."
        )
    latents = [((decoder_inputs,), "float32")]
    check_network("The decoder", model.decoder, latents, output_shape, keras.Layer)
