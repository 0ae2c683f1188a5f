"""A folder of the user's own image files as a data set, without TensorFlow.

Keras's `image_dataset_from_directory` is not used: it resizes without antialiasing, reads no
WebP, needs TensorFlow, and its errors do not name the file.
"""

import concurrent.futures
import pathlib

import numpy as np
from PIL import Image, ImageOps

from kzoo.datasets.arrays import ArrayDataset
from kzoo.datasets.preprocessing import Preprocessing

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # Pillow's names


def from_directory(
    folder,
    batch_size=64,
    *,
    image_size=None,
    channels=3,
    labels=False,
    crop_to_aspect_ratio=True,
    pad_to=None,
    binarize=None,
    shuffle=True,
    seed=None,
    drop_remainder=False,
):
    """Reads a folder of image files (PNG, JPEG, BMP, GIF, WebP), subfolders included, into memory.

    Files are read in the order of their paths; of an animation, the first frame.

    Args:
        folder: the folder.
        batch_size: images per batch, >= 1.
        image_size: int or (height, width) to resize to; None if all files have the same size.
        channels: 1 (grey), 3 (RGB) or 4 (with transparency); files are converted.
        labels: whether batches are `(images, labels)`, the label being the position of the file's
            first subfolder in the sorted subfolders.
        crop_to_aspect_ratio, pad_to, binarize: as in `kzoo.datasets.load`.
        shuffle, seed, drop_remainder: as in `ArrayDataset`.

    Returns:
        `ArrayDataset` of uint8 batches (b, height, width, channels).

    Raises:
        ValueError: for a file that cannot be read or has more than 8 bits per channel (it is
            named), files of different sizes without `image_size`, no image files, or a wrong
            option.
        NotADirectoryError: if there is no such folder.
    """
    options = Preprocessing(image_size, crop_to_aspect_ratio, pad_to, binarize, seed)
    if channels not in MODES:
        raise ValueError(f"channels must be one of {list(MODES)}, got {channels!r}")
    folder = pathlib.Path(folder).expanduser()
    if not folder.is_dir():
        raise NotADirectoryError(f"no folder {str(folder)!r}")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not paths:
        raise ValueError(f"no image files ({', '.join(SUFFIXES)}) in {str(folder)!r}")
    with concurrent.futures.ThreadPoolExecutor() as pool:  # Pillow decodes without Python's lock
        images = list(pool.map(lambda path: _read(path, MODES[channels], options), paths))
    for path, image in zip(paths, images, strict=True):
        if image.shape != images[0].shape:
            raise ValueError(
                f"images have different sizes, {images[0].shape[1:3]} in {paths[0]} and "
                f"{image.shape[1:3]} in {path}; pass image_size"
            )
    return ArrayDataset(
        np.concatenate(images),
        _labels(folder, paths) if labels else None,
        batch_size,
        pad_to=pad_to,
        binarize=binarize,
        shuffle=shuffle,
        seed=seed,
        drop_remainder=drop_remainder,
    )


def _read(path, mode, options):
    """One file as a resized uint8 array (1, h, w, c)."""
    try:
        with Image.open(path) as file:
            if file.mode[0] in "IF":  # 16 or 32 bits: Pillow would clip them to white
                raise ValueError(f"pixel format {file.mode}, expected 8 bits per channel")
            image = np.asarray(ImageOps.exif_transpose(file).convert(mode))
    except Exception as error:  # a damaged file makes the decoders raise almost anything
        raise ValueError(f"cannot read the image {str(path)!r}: {error}") from error
    return options.resize(image.reshape(1, *image.shape[:2], -1))


def _labels(folder, paths):
    classes = [path.relative_to(folder).parts[0] for path in paths]
    if any(path.parent == folder for path in paths):
        raise ValueError(f"labels=True needs every image in a subfolder of {str(folder)!r}")
    return np.unique(classes, return_inverse=True)[1]
