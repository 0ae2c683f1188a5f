"""Pictures of pixel models: completed images, and what one pixel sees."""

import numpy as np
from keras import ops

from kzoo import backend
from kzoo.checks import check_natural, check_positive_int
from kzoo.images import check_images
from kzoo.models.autoregressive.pixel_model import PixelModel
from kzoo.visualization.grid import image_grid


def completion_sheet(model, images, columns=6, rows=None, seed=0, labels=None, scale=1, path=None):
    """Images whose lower part a pixel model draws anew, one row per image.

    Args:
        model: a `kzoo.PixelModel`.
        images: uint8 (n, height, width, channels).
        columns: completions per image. They follow the image itself, the first column.
        rows: how many of an image's rows are kept; `None` for the upper half.
        seed: as in `PixelModel.generate`.
        labels: int (n,), for a class-conditional model.
        scale: see `image_grid`.
        path: see `image_grid`.

    Returns:
        The sheet, as `image_grid` returns it.

    Raises:
        ValueError: if the images do not fit the model or another argument is not as described.
    """
    columns = check_positive_int("columns", columns)
    if not hasattr(model, "complete"):
        raise ValueError(
            f"Expected a pixel model, which completes images, got {type(model).__name__}."
        )
    height, width, _ = model.image_shape
    kept = height // 2 if rows is None else check_positive_int("rows", rows)
    if kept >= height:
        raise ValueError(f"rows must be below the images' height {height}, got {rows}.")
    mask = np.zeros((height, width), bool)
    mask[kept:] = True
    images = np.asarray(images)
    repeated = np.repeat(images, columns, axis=0)
    if labels is not None:
        labels = np.repeat(np.asarray(labels), columns)
    completed = model.complete(repeated, mask, seed=seed, labels=labels)
    completed = completed.reshape(len(images), columns, *images.shape[1:])
    sheet = np.concatenate([images[:, None], completed], axis=1)
    return image_grid(
        sheet.reshape(-1, *images.shape[1:]), columns=columns + 1, scale=scale, path=path
    )


def receptive_field(model, row, column, images):
    """How strongly one pixel's distribution depends on each pixel of the image.

    Args:
        model: a `kzoo.PixelModel` with `parameters` (not a `kzoo.MultiScale`), without a
            condition.
        row, column: the pixel.
        images: uint8 or floats in [-1, 1], (n, height, width, channels), at which to differentiate.

    Returns:
        Float NumPy array (height, width): the gradient of the sum of the pixel's parameters with
        respect to the image, in absolute value, summed over channels and averaged over images. It
        is 0 for pixels that do not precede the given one, and for those in a blind spot.

    Raises:
        ValueError: if the model is of another kind, the images do not fit it, or there is no such
            pixel.
    """
    if not isinstance(model, PixelModel) or model.condition_features:
        raise ValueError(f"Expected an unconditional pixel model, got {type(model).__name__}.")
    check_images(model, images)
    check_natural("row", row)
    check_natural("column", column)
    height, width, _ = model.image_shape
    if row >= height or column >= width:
        raise ValueError(
            f"Expected a pixel of a {height}x{width} image, got row {row} and column {column}."
        )

    def at_pixel(x):
        parameters = model.parameters(x, None)
        parameters = ops.reshape(parameters, (len(images), height, width, -1))
        # Weights of different size: otherwise, logits that all move together would cancel.
        weights = ops.convert_to_tensor(
            np.linspace(1.0, 2.0, parameters.shape[-1], dtype="float32")
        )
        return ops.sum(parameters[:, row, column] * weights, axis=-1)

    x = model.scale(model.to_levels(ops.convert_to_tensor(images)))
    _, gradient = backend.input_gradient(at_pixel, x)
    return np.abs(ops.convert_to_numpy(gradient)).sum(axis=-1).mean(axis=0)
