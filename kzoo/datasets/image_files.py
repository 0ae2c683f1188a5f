"""Finds image files and reads them with Pillow."""

import numbers
import pathlib

import numpy as np
from PIL import Image, ImageColor, ImageOps

from kzoo.paths import check_path

# Also what Pillow reads only with a plug-in (HEIC): better an error that names it than no image.
SUFFIXES = (
    ".png .jpg .jpeg .jfif .bmp .gif .webp .tif .tiff .avif .jp2 .ppm .pgm .heic .heif".split()
)
MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # Pillow's names of 1, 3 and 4 channels


def find(folder):
    """Paths of the image files in a folder and its subfolders, in order.

    Hidden files and folders, whose names begin with a dot, are passed over. Links to folders are
    followed, unless they lead back to a folder that they lie in.
    """
    found = []

    def visit(folder, above):
        real = folder.resolve()
        if real in above:
            return
        for path in folder.iterdir():
            if path.name.startswith("."):
                continue
            if path.is_dir():
                visit(path, above | {real})
            elif path.suffix.lower() in SUFFIXES:
                found.append(path)

    visit(pathlib.Path(folder), frozenset())
    return sorted(found)


def check_folder(folder):
    """`folder` as a path; `NotADirectoryError` unless there is one."""
    folder = check_path("folder", folder)
    if not folder.is_dir():
        raise NotADirectoryError(f"no folder {str(folder)!r}")
    return folder


def check_background(background):
    """A colour as (red, green, blue); `ValueError` unless it is one."""
    colour = background
    if isinstance(background, str):
        try:
            colour = ImageColor.getrgb(background)
        except ValueError:
            colour = None
    if not (
        isinstance(colour, tuple | list)
        and len(colour) == 3
        and all(isinstance(v, numbers.Integral) and 0 <= v <= 255 for v in colour)
    ):
        raise ValueError(
            "background must be a colour's name such as 'white', '#rrggbb' or three integers in "
            f"[0, 255], got {background!r}"
        )
    return tuple(int(v) for v in colour)


def read(path, channels, background):
    """Reads an image file, upright and in 8 bits per channel.

    Args:
        path: the file.
        channels: 1 (grey), 3 (RGB) or 4 (RGB and opacity).
        background: (red, green, blue) behind transparent pixels, unless opacity is kept.

    Returns:
        uint8 array (height, width, channels).

    Raises:
        ValueError: for a file that cannot be read, has several frames or pages, or pixels whose
            range is not known (32 bits); it is named.
    """
    try:
        with Image.open(path) as file:
            frames = getattr(file, "n_frames", 1)
            if frames > 1 and file.format != "MPO":  # a camera's JPEG: the others are previews
                raise ValueError(f"it has {frames} frames or pages, expected one image")
            image = ImageOps.exif_transpose(file)
            if image.mode.startswith("I;16") or (image.mode, file.format) == ("I", "PNG"):
                # Pillow would clip 16 bits to white or cut off what is below 8 bits.
                image = Image.fromarray(np.round(np.asarray(image) / 257).astype("uint8"))
            if image.mode in ("I", "F"):
                raise ValueError(f"pixels of 32 bits (mode {image.mode!r}), expected 8 or 16")
            if channels != 4 and image.has_transparency_data:
                behind = Image.new("RGBA", image.size, background)
                image = Image.alpha_composite(behind, image.convert("RGBA"))
            image = np.asarray(image.convert(MODES[channels]))
    except Exception as error:  # a damaged file makes the decoders raise almost anything
        raise ValueError(f"cannot read the image {str(path)!r}: {error}") from error
    return image.reshape(*image.shape[:2], channels)
