"""Many samples into files, as they are drawn: memory holds one group of them at a time."""

import numpy as np

from kzoo.datasets.image_files import find
from kzoo.evaluation.protocols import sample
from kzoo.evaluation.scores import untracked
from kzoo.paths import check_path, check_writable, written_whole
from kzoo.visualization.grid import write_png


def save_samples(model, path, num_samples, seed=0, track=untracked, **options):
    """Draws images into a folder or an array file, however many they are.

    Up to 640 images are those of `model.generate(num_samples, seed)`. More are drawn in groups of
    640, one after the other, so that memory does not grow with their number.

    Args:
        model: a `kzoo.GenerativeModel` that generates.
        path: a `.npy` file, to which the uint8 array (num_samples, height, width, channels) is
            written, whole or not at all; or a folder, for one .png file per image, named by its
            number. Folders that do not exist are made. Files of these names are replaced.
        num_samples: how many images.
        seed: an int.
        track: function `(sequence, description)` that iterates over the sequence and shows how far
            it is.
        **options: further arguments of the model's `generate`, such as `labels`.

    Returns:
        The `pathlib.Path` that was written.

    Raises:
        ValueError: if the path has another ending, if the folder has other images, which later
            readers could not tell from these, or as `generate`.
        FileExistsError: if a folder is to be written where a file is.
    """
    path = check_path("path", path)
    check_writable(path.parent if path.suffix == ".npy" else path)
    if path.suffix not in ("", ".npy") and not path.is_dir():
        raise ValueError(f"Expected a folder or the name of a .npy file, got {str(path)!r}.")
    write = write_array if path.suffix == ".npy" else write_folder
    write(path, sample(model, num_samples, seed, track, **options), num_samples)
    return path


def write_folder(path, groups, count):
    """Writes `groups` of images, `count` in all, as .png files named by their numbers."""
    digits = len(str(count - 1))
    files = [path / f"{number:0{digits}}.png" for number in range(count)]
    others = [file.relative_to(path) for file in find(path)] if path.is_dir() else []
    others = sorted({*map(str, others)} - {file.name for file in files})
    if others:
        raise ValueError(
            f"Expected a folder without other images, but {str(path)!r} has {len(others)}, such as "
            f"{others[0]!r}: name another folder, or empty this one."
        )
    path.mkdir(parents=True, exist_ok=True)
    images = (image for group in groups for image in group)
    for file, image in zip(files, images, strict=True):
        write_png(file, image)


def write_array(path, groups, count):
    """Writes `groups` of images, `count` in all, to a .npy file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    array, start = None, 0
    with written_whole(path) as part:
        for group in groups:
            if array is None:
                shape = (count, *group.shape[1:])
                array = np.lib.format.open_memmap(part, "w+", np.uint8, shape)
            array[start : start + len(group)] = group
            start += len(group)
        array.flush()
