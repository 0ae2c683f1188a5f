"""The networks of the adversarial models by name."""

import functools

from kzoo.networks.dcgan import dcgan_discriminator, dcgan_generator
from kzoo.networks.dcgan_4x4 import dcgan_4x4_discriminator, dcgan_4x4_generator
from kzoo.networks.fully_connected import (
    fully_connected_discriminator,
    fully_connected_generator,
)
from kzoo.networks.resnet import resnet_discriminator, resnet_generator

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
}
NAMES = tuple(_NETWORKS)
_WITH_CODES = ("dcgan", "dcgan_4x4")


def discriminator_by_name(name, image_shape, *, spectral_normalization=False, **options):
    """One of `NAMES` for images; it takes the options that it knows.

    Raises:
        ValueError: if there is no network of that name or it does not fit the images.
    """
    build, _, known = _find("discriminator", name)
    _check_fading("discriminator", name, options)
    chosen = {key: options[key] for key in known & set(options)}
    return build(image_shape, spectral_normalization=spectral_normalization, **chosen)


def generator_by_name(name, image_shape, latent_dim, *, codes=0, role="generator", **options):
    """One of `NAMES` from latents to images; it takes the options that it knows.

    Raises:
        ValueError: if there is no network of that name, it does not fit the images, or it has no
            categorical latent.
    """
    _, build, known = _find(role, name)
    _check_fading(role, name, options)
    chosen = {key: options[key] for key in known & set(options)}
    if name in _WITH_CODES:
        chosen["codes"] = codes
    elif codes:
        names = " or ".join(map(repr, _WITH_CODES))
        raise ValueError(f"codes={codes!r} needs {role}={names}, got {role}={name!r}.")
    return build(image_shape, latent_dim, name=role, **chosen)


def _check_fading(role, name, options):
    if options.get("fading") and "fading" not in _NETWORKS[name][2]:
        raise ValueError(f"Fading in needs {role}='dcgan_4x4', got {role}={name!r}.")


def _find(role, name):
    if name not in _NETWORKS:
        raise ValueError(
            f"{role} must be a keras.Model or one of {', '.join(map(repr, NAMES))}, got {name!r}."
        )
    return _NETWORKS[name]
