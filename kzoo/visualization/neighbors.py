"""Images beside the training images nearest to them."""

import keras
import numpy as np

from kzoo.visualization.grid import image_grid


def nearest_neighbor_panel(images, neighbors, scale=1, path=None):
    """Sets each image beside its nearest training images, one row per image.

    Args:
        images: uint8 array or tensor `(n, height, width, channels)`, n >= 1, 1 or 3 channels:
            the first column.
        neighbors: uint8 array or tensor `(n, k, height, width, channels)`, nearest first, such as
            `training_images[indices]` with the indices of `kzoo.metrics.nearest_neighbors`.
        scale: every pixel becomes `scale` x `scale` pixels.
        path: name of a .png file to write, replaced as a whole.

    Returns:
        The sheet, as of `kzoo.visualization.image_grid` with k + 1 columns.

    Raises:
        ValueError: if the two do not fit each other, or as `image_grid`.
    """
    images, neighbors = (
        np.asarray(keras.ops.convert_to_numpy(array)) for array in (images, neighbors)
    )
    if neighbors.ndim != 5 or (neighbors.shape[:1] + neighbors.shape[2:]) != images.shape:
        raise ValueError(
            "Expected neighbors of shape (n, k, height, width, channels) for images of shape "
            f"(n, height, width, channels); got {neighbors.shape} and {images.shape}."
        )
    if neighbors.dtype != images.dtype:
        raise ValueError(
            f"Expected images and neighbors of uint8; got {images.dtype}, {neighbors.dtype}."
        )
    rows = np.concatenate([images[:, None], neighbors], axis=1)  # (n, 1 + k, h, w, c)
    cells = rows.reshape(-1, *images.shape[1:])
    return image_grid(cells, columns=rows.shape[1], scale=scale, path=path)
