"""The networks of the adversarial models by name."""

import functools

from kzoo.networks.began import began_discriminator, began_generator
from kzoo.networks.dcgan import dcgan_discriminator, dcgan_generator
from kzoo.networks.dcgan_4x4 import dcgan_4x4_discriminator, dcgan_4x4_generator
from kzoo.networks.fully_connected import fully_connected_discriminator, fully_connected_generator
from kzoo.networks.patchgan import patchgan_discriminator
from kzoo.networks.resnet import resnet_discriminator, resnet_generator
from kzoo.networks.resnet_translator import resnet_translator
from kzoo.networks.unet import unet_generator

# name: (discriminator, generator, the options that they take)
_CONVOLUTIONAL = {"width", "batch_norm", "init_stddev"}
_NETWORKS = {
    "dcgan": (dcgan_discriminator, dcgan_generator, _CONVOLUTIONAL | {"pointwise"}),
    "resnet": (resnet_discriminator, resnet_generator, _CONVOLUTIONAL),
    "fully_connected": (fully_connected_discriminator, fully_connected_generator, set()),
    "fully_connected_shortcuts": (
        functools.partial(fully_connected_discriminator, shortcuts=True),
        functools.partial(fully_connected_generator, shortcuts=True),
        set(),
    ),
    "dcgan_4x4": (dcgan_4x4_discriminator, dcgan_4x4_generator, {"width", "batch_norm", "fading"}),
    "began": (began_discriminator, began_generator, {"width", "repeats"}),
}
_WITH_CODES = ("dcgan", "dcgan_4x4")
# Those of translation: from an image to an image, with their options, and from an image to a map
# of logits.
TRANSLATORS = {
    "unet": (unet_generator, {"width", "dropout"}),
    "resnet_translator": (resnet_translator, {"width", "blocks"}),
}
PATCH_DISCRIMINATORS = {"patchgan": patchgan_discriminator}
# Options of the discriminator alone; of all others, spectral normalization.
_OF_DISCRIMINATOR = {"began": {"code_dim", "channels"}}


def discriminator_by_name(name, image_shape, *, spectral_normalization=False, **options):
    """One of `_NETWORKS` for images; it takes the options that it knows.

    Raises:
        ValueError: if there is no network of that name, it does not fit the images, or it cannot be
            spectrally normalized.
    """
    build, _, known = _known("discriminator", name, _NETWORKS)
    _check_fading("discriminator", name, options)
    known = known | _OF_DISCRIMINATOR.get(name, {"spectral_normalization"})
    if spectral_normalization and "spectral_normalization" not in known:
        raise ValueError(
            f"discriminator={name!r} is an autoencoder, which needs spectral_normalization=False, "
            f"got {spectral_normalization!r}."
        )
    options["spectral_normalization"] = spectral_normalization
    return build(image_shape, **{key: options[key] for key in known & set(options)})


def generator_by_name(name, image_shape, latent_dim, *, codes=0, role="generator", **options):
    """One of `_NETWORKS` from latents to images; it takes the options that it knows.

    Raises:
        ValueError: if there is no network of that name, it does not fit the images, or it has no
            categorical latent.
    """
    _, build, known = _known(role, name, _NETWORKS)
    _check_fading(role, name, options)
    chosen = {key: options[key] for key in known & set(options)}
    if name in _WITH_CODES:
        chosen["codes"] = codes
    elif codes:
        names = " or ".join(map(repr, _WITH_CODES))
        raise ValueError(f"codes={codes!r} needs {role}={names}, got {role}={name!r}.")
    return build(image_shape, latent_dim, name=role, **chosen)


def translator_by_name(name, source_shape, image_shape, *, role="generator", **options):
    """One of `TRANSLATORS`, from images of one shape to images of another; with its options.

    Raises:
        ValueError: if there is no network of that name or it does not fit the images.
    """
    build, known = _known(role, name, TRANSLATORS)
    chosen = {key: options[key] for key in known & set(options)}
    return build(source_shape, image_shape, name=role, **chosen)


def patch_discriminator_by_name(name, image_shape, *, role="discriminator", **options):
    """One of `PATCH_DISCRIMINATORS`, a network from images to maps of logits.

    Raises:
        ValueError: if there is no network of that name or it does not fit the images.
    """
    return _known(role, name, PATCH_DISCRIMINATORS)(image_shape, name=role, **options)


def _check_fading(role, name, options):
    if options.get("fading") and "fading" not in _NETWORKS[name][2]:
        raise ValueError(f"fade_images needs {role}='dcgan_4x4', got {role}={name!r}.")


def _known(role, name, networks):
    if name not in networks:
        raise ValueError(
            f"{role} must be a keras.Model or one of {', '.join(map(repr, networks))}, "
            f"got {name!r}."
        )
    return networks[name]
