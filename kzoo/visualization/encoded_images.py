"""Sheets of images, for models that encode images and decode latents (see `kzoo.latents`)."""

import numpy as np
from keras import ops

from kzoo.checks import check_int, check_positive, check_positive_int
from kzoo.images import to_uint8
from kzoo.latents import average_latents, decoded, encoded
from kzoo.latents.encoding import moments, scores_of
from kzoo.visualization.grid import image_grid


def latent_traversals(
    model, images, image=None, num_dimensions=10, steps=9, extent=3.0, scale=1, path=None
):
    """The effect of each latent: it changes along a row, while all others stay the same.

    The latents come in the order of `kzoo.latents.latent_scores` of the images, the highest first:
    by their KL divergence for a VAE, by their variance for an Autoencoder. A row goes from
    `extent` standard deviations below the mean to as many above: those of the prior N(0, 1) for a
    model whose `encode` gives a posterior, those of the images' latents for others.

    Args:
        model: a model as `kzoo.latents` describes it.
        images: uint8 (n, h, w, c), or floats in [-1, 1]: on which the latents are scored.
        image: (h, w, c) or (1, h, w, c), the image that is changed; `None` starts from the
            images' average latents.
        num_dimensions: rows, at most as many as there are latents.
        steps: images per row, at least 2.
        extent: positive number, see above.
        scale: see `image_grid`.
        path: see `image_grid`.

    Returns:
        A uint8 sheet of rows of `steps` images, as `image_grid` returns it.

    Raises:
        ValueError: for another model, images that do not fit it, or numbers outside their range.
    """
    steps = check_int("steps", steps, 2, "an integer of at least 2")
    check_positive("extent", extent)
    known, log_variance = moments(model, images)
    rows = check_positive_int("num_dimensions", num_dimensions)
    order = np.argsort(-scores_of(known, log_variance), kind="stable")[:rows]
    start = center = known.mean(axis=0)
    spread = known.std(axis=0)
    if log_variance is not None:
        center, spread = np.zeros_like(center), np.ones_like(spread)
    if image is not None:
        start = encoded(model, np.reshape(image, (1, *np.shape(image)[-3:])))[0]
    walks = np.tile(start, (len(order), steps, 1))  # (rows, steps, latent_dim)
    for walk, dimension in zip(walks, order):
        values = np.linspace(-extent, extent, steps)
        walk[:, dimension] = center[dimension] + spread[dimension] * values
    return image_grid(decoded(model, walks), columns=steps, scale=scale, path=path)


def reconstruction_sheet(model, images, columns=8, scale=1, path=None):
    """Images and, below each, its reconstruction: pairs of rows.

    Args:
        model: a model that reconstructs when called, such as a VAE or an Autoencoder.
        images: uint8 (n, h, w, c), or floats in [-1, 1]; n >= 1.
        columns: images per row; n need not be a multiple of it.
        scale: see `image_grid`.
        path: see `image_grid`.

    Returns:
        A uint8 sheet, as `image_grid` returns it.

    Raises:
        ValueError: if there are no images or they do not fit the model.
    """
    columns = min(check_positive_int("columns", columns), len(images))
    reconstructions = decoded(model, encoded(model, images))
    if images.dtype != np.uint8:
        images = ops.convert_to_numpy(to_uint8(ops.convert_to_tensor(images)))
    pairs = []
    for first in range(0, len(images), columns):
        for part in (images[first : first + columns], reconstructions[first : first + columns]):
            # A last row that is not full is filled up with black.
            pairs += [part, np.zeros((columns - len(part), *part.shape[1:]), "uint8")]
    return image_grid(np.concatenate(pairs), columns=columns, scale=scale, path=path)


def arithmetic_sheet(model, first, minus, plus, rows=4, seed=0, scale=1, path=None):
    """The images of "first - minus + plus", computed on average latents.

    Every row uses its own share of each group, drawn at random. It shows four decoded images: of
    the average latents of `first`, of `minus` and of `plus`, and of the first minus the second plus
    the third. No image of the groups is shown.

    Args:
        model: a model as `kzoo.latents` describes it.
        first, minus, plus: groups as `kzoo.latents.average_latents` takes them, each of at least
            `rows`; for "smiling woman - neutral woman + neutral man" in this order.
        rows: how many shares.
        seed: int >= 0, of the shares.
        scale: see `image_grid`.
        path: see `image_grid`.

    Returns:
        A uint8 sheet of `rows` times 4 images, as `image_grid` returns it.

    Raises:
        ValueError: for another model, a group that does not fit it, or one with fewer members than
            `rows`.
    """
    rows = check_positive_int("rows", rows)
    generator = np.random.default_rng(seed)
    columns = []
    for group in (first, minus, plus):
        if len(group) < rows:
            raise ValueError(f"Expected at least {rows} images per group, got {len(group)}.")
        shares = np.array_split(generator.permutation(len(group)), rows)
        columns.append(np.stack([average_latents(model, group[share]) for share in shares]))
    columns.append(columns[0] - columns[1] + columns[2])
    return image_grid(decoded(model, np.stack(columns, axis=1)), columns=4, scale=scale, path=path)
