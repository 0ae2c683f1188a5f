"""Vector arithmetic on latents (Radford et al. 2016, arXiv:1511.06434, section 6.3.2)."""

import numpy as np

from kzoo.checks import check_latents
from kzoo.latents.encoding import encoded


def average_latents(model, group):
    """The average latents (latent_dim,) of a group.

    Args:
        model: a model as `kzoo.latents` describes it; for groups of latents, any model with
            latents.
        group: images, uint8 (n, h, w, c), n >= 1, or floats in [-1, 1]; or latents
            (n, latent_dim), as `labelled` gives them for a model that encodes no images.

    Raises:
        ValueError: for another model, a group that does not fit it, or an empty one.
    """
    if not np.ndim(group) or not len(group):
        raise ValueError("A group must hold at least one image or latent, got none.")
    if np.ndim(group) == 2:
        return check_latents(group, model.latent_dim).mean(axis=0)
    return encoded(model, group).mean(axis=0)


def attribute_direction(model, group_with, group_without):
    """The direction of an attribute: the average latents with it minus those without it.

    Added to the latents of an image without the attribute, it gives the image the attribute. It
    also adds every other difference between the two groups, so they should differ in nothing else.

    Args:
        model: as in `average_latents`.
        group_with, group_without: groups as in `average_latents`.

    Returns:
        float NumPy array (latent_dim,).

    Raises:
        ValueError: as `average_latents`.
    """
    return average_latents(model, group_with) - average_latents(model, group_without)


def balanced_directions(model, latents, seen, fewest=10):
    """The directions of attributes, each from groups in which the others are equally frequent.

    The other attributes divide the latents into groups. In each group, `attribute_direction` gives
    a direction; the result is their average.

    Args:
        model: as in `average_latents`.
        latents: (n, latent_dim), as `labelled` gives them.
        seen: `{attribute: probabilities (n,)}`, what a classifier sees in the images.
        fewest: latents with and without the attribute that a group must have to count.

    Returns:
        `{attribute: float NumPy array (latent_dim,)}`.

    Raises:
        ValueError: if an attribute is too rare, and as `average_latents`.
    """
    latents = check_latents(latents, model.latent_dim)
    found = {name: np.asarray(values) > 0.5 for name, values in seen.items()}
    for name, has in found.items():
        if has.shape != (len(latents),):
            raise ValueError(
                f"{name}: expected a probability for each of {len(latents)} latents, got an array "
                f"of shape {has.shape}."
            )
    directions = {}
    for name, has in found.items():
        others = [values for other, values in found.items() if other != name]
        others = np.reshape(others, (-1, len(has))).astype("int64")
        number = 2 ** np.arange(len(others)) @ others  # of each latent's group
        parts = []
        for group in np.unique(number):
            with_it, without = latents[(number == group) & has], latents[(number == group) & ~has]
            if min(len(with_it), len(without)) >= fewest:
                parts.append(attribute_direction(model, with_it, without))
        if not parts:
            raise ValueError(
                f"{name}: expected {fewest} latents with it and without it in some group, "
                f"got {has.sum()} with it of {len(has)}: draw more."
            )
        directions[name] = np.mean(parts, axis=0)
    return directions


def combine(model, plus, minus=()):
    """The sum of the average latents of some groups of images, minus those of others.

    "Smiling woman - neutral woman + neutral man" is
    `combine(model, plus=[smiling_women, neutral_men], minus=[neutral_women])`;
    `kzoo.latents.decoded` shows it.

    Args:
        model: as in `average_latents`.
        plus, minus: lists of groups as in `average_latents`.

    Returns:
        float NumPy array (latent_dim,).

    Raises:
        ValueError: if there is no group to add, and as `average_latents`.
    """
    if not len(plus):
        raise ValueError("plus must hold at least one group of images, got none.")
    groups = [*(average_latents(model, group) for group in plus)]
    groups += [-average_latents(model, group) for group in minus]
    return np.sum(groups, axis=0)
