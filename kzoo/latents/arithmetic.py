"""Vector arithmetic on latents (Radford et al. 2016, arXiv:1511.06434, section 6.3.2)."""

import numpy as np

from kzoo.latents.encoding import encoded


def average_latents(model, images):
    """The average latents (latent_dim,) of images.

    Args:
        model: a model as `kzoo.latents` describes it.
        images: uint8 (n, h, w, c), n >= 1, or floats in [-1, 1].

    Raises:
        ValueError: for another model, or images that do not fit it.
    """
    return encoded(model, images).mean(axis=0)


def attribute_direction(model, images_with, images_without):
    """The direction of an attribute: the average latents with it minus those without it.

    Added to the latents of an image without the attribute, it gives the image the attribute. It
    also adds every other difference between the two groups, so they should differ in nothing else.

    Args:
        model: a model as `kzoo.latents` describes it.
        images_with, images_without: uint8 (n, h, w, c), n >= 1, or floats in [-1, 1].

    Returns:
        float NumPy array (latent_dim,).

    Raises:
        ValueError: for another model, or images that do not fit it.
    """
    return average_latents(model, images_with) - average_latents(model, images_without)


def combine(model, plus, minus=()):
    """The sum of the average latents of some groups of images, minus those of others.

    "Smiling woman - neutral woman + neutral man" is
    `combine(model, plus=[smiling_women, neutral_men], minus=[neutral_women])`;
    `kzoo.latents.decoded` shows it.

    Args:
        model: a model as `kzoo.latents` describes it.
        plus, minus: lists of groups, each uint8 (n, h, w, c), n >= 1, or floats in [-1, 1].

    Returns:
        float NumPy array (latent_dim,).

    Raises:
        ValueError: if there is no group to add, for another model, or images that do not fit it.
    """
    if not len(plus):
        raise ValueError("plus must hold at least one group of images, got none.")
    groups = [*(average_latents(model, group) for group in plus)]
    groups += [-average_latents(model, group) for group in minus]
    return np.sum(groups, axis=0)
