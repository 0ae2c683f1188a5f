"""Walks and maps of latent spaces, for models that turn latents into images."""

import statistics

import keras
import numpy as np
from keras import ops

from kzoo.checks import check_int, check_positive_int, seed_generator
from kzoo.latents.encoding import decoded, latent_dim_of
from kzoo.visualization.grid import image_grid


def interpolation_strip(model, steps=8, rows=1, seed=None, spherical=True, scale=1, path=None):
    """Images along paths between pairs of latents, one path per row.

    Args:
        model: a model with `latent_dim` and `transform_noise` (see `kzoo.GenerativeModel`).
        steps: images per row, at least 2; the first and the last are those of the two latents.
        rows: number of pairs, drawn from N(0, I).
        seed: int, `keras.random.SeedGenerator`, or None for other pairs each time.
        spherical: along the arc of the great circle (White 2016, arXiv:1609.04468, section 2.1),
            on which latents keep the length that the model was trained with; else along the
            straight line.
        scale: see `image_grid`.
        path: see `image_grid`.

    Returns:
        A uint8 sheet of `rows` times `steps` images, as `image_grid` returns it.

    Raises:
        ValueError: if the model has no latents or an argument is not as described above.
    """
    latent_dim = latent_dim_of(model)
    steps = check_int("steps", steps, 2, "an integer of at least 2")
    rows = check_positive_int("rows", rows)
    z = keras.random.normal((2, rows, latent_dim), seed=seed_generator(seed))
    start, end = ops.convert_to_numpy(z)  # (rows, latent_dim) each
    interpolate = slerp if spherical else lerp
    latents = np.stack([interpolate(start, end, t) for t in np.linspace(0, 1, steps)], axis=1)
    images = decoded(model, latents, batch_size=steps)
    return image_grid(images, columns=steps, scale=scale, path=path)


def lerp(start, end, t):
    """The point a share `t` of the way from `start` to `end`, `(..., latent_dim)`."""
    return (1 - t) * start + t * end


def slerp(start, end, t):
    """The point a share `t` of the angle from `start` to `end`, `(..., latent_dim)`."""
    lengths = np.linalg.norm(start, axis=-1) * np.linalg.norm(end, axis=-1)
    cosine = np.sum(start * end, axis=-1) / np.maximum(lengths, np.finfo("float32").tiny)
    angle = np.arccos(np.clip(cosine, -1, 1))[..., None]
    sine = np.sin(angle)
    # Between parallel vectors there is no arc: the limit is the straight line.
    parallel = sine < 1e-6
    sine = np.where(parallel, 1.0, sine)
    arc = (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / sine
    return np.where(parallel, lerp(start, end, t), arc)


def latent_manifold(model, n=20, scale=1, path=None):
    """The images of a two-dimensional latent space, as Kingma & Welling 2014, figure 4, draw it.

    The latents are the centres of n x n equal squares of the unit square, mapped through the
    inverse Gaussian distribution function, so that each stands for equally many images under a
    prior N(0, I). A model with another prior has most of its images elsewhere. The first coordinate
    rises to the right, the second one upwards.

    Args:
        model: a model with `latent_dim` 2 and `transform_noise` (see `kzoo.GenerativeModel`).
        n: images along each side.
        scale: see `image_grid`.
        path: see `image_grid`.

    Returns:
        A uint8 sheet of n times n images without padding, as `image_grid` returns it.

    Raises:
        ValueError: if the model's latents do not have two dimensions, or `n` is not a positive
            integer.
    """
    if latent_dim_of(model) != 2:
        raise ValueError(f"latent_manifold needs a model of latent_dim 2, got {model.latent_dim}.")
    n = check_positive_int("n", n)
    normal = statistics.NormalDist()
    points = np.array([normal.inv_cdf((i + 0.5) / n) for i in range(n)])
    latents = np.stack(np.meshgrid(points, points[::-1]), axis=-1)  # (n, n, 2)
    images = decoded(model, latents, batch_size=n)
    return image_grid(images, columns=n, scale=scale, padding=0, path=path)
