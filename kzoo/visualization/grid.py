"""Sheets of images, exact to the pixel.

`keras.visualization.plot_image_gallery` draws each image as a matplotlib subplot, resampled and
with margins. The sheets here are put together from arrays, so every pixel of an image is kept.
"""

import math

import keras
import numpy as np
from PIL import Image

from kzoo.checks import as_number, check_positive_int
from kzoo.paths import check_path, check_writable, written_whole


def nearest_neighbor_panel(images, neighbors, scale=1, path=None):
    """Sets each image beside its nearest training images, one row per image.

    Args:
        images: uint8 array or tensor `(n, height, width, channels)`, n >= 1, 1 or 3 channels:
            the first column.
        neighbors: uint8 array or tensor `(n, k, height, width, channels)`, nearest first, such as
            `training_images[indices]` with the indices of `kzoo.metrics.nearest_neighbors`.
        scale: every pixel becomes `scale` x `scale` pixels.
        path: name of a .png file to write, replaced as a whole. Its folders are made.

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


def image_grid(images, columns=None, scale=1, padding=2, background=0, path=None):
    """Arranges images in rows, from left to right and top to bottom.

    Args:
        images: uint8 array or tensor `(n, height, width, channels)`, n >= 1, 1 or 3 channels.
        columns: images per row; by default the smallest number with which the sheet has at most as
            many rows as columns.
        scale: every pixel becomes `scale` x `scale` pixels.
        padding: pixels between images and around them, after scaling; 0 for none.
        background: grey value, 0 to 255, of the padding and of empty cells.
        path: name of a .png file to write, replaced as a whole.

    Returns:
        uint8 NumPy array `(rows * (height * scale + padding) + padding, ..., channels)`.

    Raises:
        ValueError: if an argument is not as described above.
    """
    images = np.asarray(keras.ops.convert_to_numpy(images))
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3):
        hint = ""
        if images.ndim == 4 and images.shape[3] == 4:
            hint = " Four channels are those of transparent images: leave the last one out."
        elif images.ndim == 4 and images.shape[1] in (1, 3):
            hint = " Channels come last: images.transpose(0, 2, 3, 1) moves them."
        raise ValueError(
            "Expected uint8 images of shape (n, height, width, 1 or 3); "
            f"got {images.dtype} of shape {images.shape}.{hint}"
        )
    if not len(images):
        raise ValueError("Expected at least one image; got none.")
    if not 0 <= as_number(background) <= 255:
        raise ValueError(f"background must be between 0 and 255, got {background!r}.")
    if padding != 0:
        check_positive_int("padding", padding)
    scale = check_positive_int("scale", scale)
    count, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(count)) if columns is None else columns
    columns = check_positive_int("columns", columns)
    rows = math.ceil(count / columns)

    images = images.repeat(scale, axis=1).repeat(scale, axis=2)
    cell = (height * scale + padding, width * scale + padding)
    sheet = np.full(
        (rows * cell[0] + padding, columns * cell[1] + padding, channels), background, "uint8"
    )
    for i, image in enumerate(images):
        top, left = (i // columns) * cell[0] + padding, (i % columns) * cell[1] + padding
        sheet[top : top + image.shape[0], left : left + image.shape[1]] = image
    if path is not None:
        write_png(path, sheet)
    return sheet


def write_png(path, image):
    """Writes a uint8 array `(height, width, 1 or 3)`; a reader never sees half a file.

    Folders that do not exist are made.

    Raises:
        ValueError: if the name does not end in .png, or its folder cannot be written to.
        OSError: if the file cannot be written.
    """
    path = check_path("path", path)
    check_writable(path.parent)
    if path.suffix.lower() != ".png":
        raise ValueError(f"Expected the name of a .png file; got {str(path)!r}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as part:
        Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).save(part, "PNG")
