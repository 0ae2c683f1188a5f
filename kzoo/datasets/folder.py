"""A folder of the user's own image files as a data set, without TensorFlow.

Keras's `image_dataset_from_directory` is not used: it resizes without antialiasing, needs
TensorFlow, knows no pairs or captions, and its errors do not name the file.
"""

import concurrent.futures
import csv
import json
import pathlib
import warnings

import numpy as np

from kzoo.checks import check_name
from kzoo.datasets import image_files
from kzoo.datasets.arrays import ArrayDataset
from kzoo.datasets.augmentation import check_augment
from kzoo.datasets.preprocessing import Preprocessing


def from_directory(
    folder,
    batch_size=64,
    *,
    image_size=None,
    channels=3,
    labels=False,
    sources=None,
    captions=None,
    background="white",
    skip_errors=False,
    crop_to_aspect_ratio=True,
    pad_to=None,
    binarize=None,
    augment=None,
    shuffle=True,
    seed=None,
    drop_remainder=False,
):
    """Reads a folder of image files, with its subfolders, into memory.

    Files (PNG, JPEG, BMP, GIF, WebP, TIFF and others that Pillow reads) are taken in the order of
    their paths, turned upright as their EXIF data say, and brought to 8 bits per channel. Hidden
    files and folders are passed over; links to folders are followed. An animation or a file of
    several pages is refused.

    Args:
        folder: the folder.
        batch_size: images per batch, >= 1.
        image_size: int or (height, width) to resize to; None if all files have the same size.
        channels: 1 (grey), 3 (RGB) or 4 (with opacity); files are converted.
        labels: whether every image has a label: the position of the subfolder it lies in among the
            sorted subfolders of `folder`, whose names are `class_names` of the data set.
        sources: None, or a folder with a source image for every image (to learn the translation of
            sources to images), in a file of the same relative path; only the suffix may differ.
        captions: None, or a `.csv` file with columns `file_name` (relative to `folder`) and
            `caption`, or a `.jsonl` file of such JSON objects, one a line. An image with several
            captions gives as many examples, in the order of the captions file.
        background: colour behind transparent pixels, for 1 or 3 channels: a name, "#rrggbb" or
            (red, green, blue) in 0 ... 255.
        skip_errors: whether files that cannot be read are left out, with a warning that counts
            them; `skipped_files` of the data set has their paths.
        crop_to_aspect_ratio, pad_to, binarize, augment: as in `kzoo.datasets.load`.
        shuffle, seed, drop_remainder: as in `ArrayDataset`.

    Returns:
        `ArrayDataset` of uint8 batches (b, height, width, channels), or pairs of these and labels
        (b,). With sources or captions, of dicts `{"image": ..., "source": ..., "caption": ...,
        "label": ...}` of the requested features; captions are NumPy unicode arrays (b,). Its
        `file_paths` name the file of every image, in the order of its `images`.

    Raises:
        ValueError: for a file that cannot be read (it is named), files of different sizes without
            `image_size`, no image files, images without source or caption or the reverse, a
            source of another size than its image, an image outside of the subfolders with
            `labels`, or a wrong option.
        NotADirectoryError: if there is no such folder.
        FileNotFoundError: if there is no such captions file.
    """
    options = Preprocessing(image_size, crop_to_aspect_ratio, pad_to, binarize, seed)
    check_augment(augment, binarize)
    check_name("channels", channels, image_files.MODES)
    background = image_files.check_background(background)
    folder = image_files.check_folder(folder)
    paths = image_files.find(folder)
    if not paths:
        raise ValueError(f"no image files ({', '.join(image_files.SUFFIXES)}) in {str(folder)!r}")
    files = {"image": paths}
    if sources is not None:
        files["source"] = _sources(folder, paths, image_files.check_folder(sources))
    class_names, classes = _classes(folder, paths) if labels else (None, None)
    texts = None if captions is None else _captions(folder, paths, captions)

    def read(*example):
        """The resized images of an example, or the error of a file that cannot be read."""
        try:
            images = [image_files.read(path, channels, background) for path in example]
        except ValueError as error:
            return error
        _check_sizes(example, images, "an image and its source differ in size")
        return [options.resize(image[None])[0] for image in images]

    with concurrent.futures.ThreadPoolExecutor() as pool:  # Pillow decodes without Python's lock
        examples = list(pool.map(read, *files.values()))
    errors = {i: example for i, example in enumerate(examples) if isinstance(example, ValueError)}
    kept = [i for i in range(len(paths)) if i not in errors]
    if errors:
        problem = f"{len(errors)} of {len(paths)} images cannot be read"
        first = next(iter(errors.values()))
        if not (kept and skip_errors):
            if len(errors) == 1:
                raise first
            several = "; ".join(map(str, [*errors.values()][:3]))
            raise ValueError(f"{problem}: {several}{'; ...' if len(errors) > 3 else ''}") from first
        warnings.warn(f"{problem} and are left out, the first: {first}", stacklevel=2)
    images = [examples[i][0] for i in kept]
    _check_sizes(
        [paths[i] for i in kept],
        images,
        "images have different sizes; pass image_size (--image-size)",
    )

    arrays = {name: np.stack([examples[i][k] for i in kept]) for k, name in enumerate(files)}
    file_paths = [str(paths[i]) for i in kept]
    if labels:
        arrays["label"] = np.array([classes[i] for i in kept])
    if texts is not None:
        position = {i: row for row, i in enumerate(kept)}
        texts = [(position[i], text) for i, text in texts if i in position]
        rows = [row for row, _ in texts]
        arrays = {name: array[rows] for name, array in arrays.items()}
        file_paths = [file_paths[row] for row in rows]
        arrays["caption"] = np.array([text for _, text in texts])
    named = sources is not None or texts is not None
    dataset = ArrayDataset(
        arrays if named else arrays["image"],
        None if named else arrays.get("label"),
        batch_size,
        pad_to=pad_to,
        binarize=binarize,
        augment=augment,
        shuffle=shuffle,
        seed=seed,
        drop_remainder=drop_remainder,
    )
    dataset.class_names = class_names
    dataset.file_paths = file_paths
    dataset.skipped_files = [str(paths[i]) for i in errors]
    return dataset


def _check_sizes(paths, images, problem):
    for path, image in zip(paths, images):
        if image.shape != images[0].shape:
            raise ValueError(
                f"{problem}: {images[0].shape[:2]} in {paths[0]} and {image.shape[:2]} in {path}"
            )


def _check_matched(images, others, what, folder):
    """`ValueError` unless two collections of relative paths are the same."""
    for missing, problem in (
        (images - others, f"images without {what}"),
        (others - images, f"{what} without image"),
    ):
        if missing:
            some = ", ".join(sorted(missing)[:3])
            raise ValueError(
                f"expected images with {what}, one each; in {str(folder)!r} there are "
                f"{len(missing)} {problem}: {some}{', ...' if len(missing) > 3 else ''}"
            )


def _sources(folder, paths, source_folder):
    """The source's path for every image."""

    def by_name(folder, paths):
        named = {}
        for path in paths:
            name = path.relative_to(folder).with_suffix("").as_posix()
            if name in named:
                raise ValueError(f"expected one file per name, got {named[name]} and {path}")
            named[name] = path
        return named

    images = by_name(folder, paths)
    sources = by_name(source_folder, image_files.find(source_folder))
    _check_matched(images.keys(), sources.keys(), "sources", source_folder)
    return [sources[name] for name in images]


def _classes(folder, paths):
    """(class names, the class of every image as an int)."""
    if any(path.parent == folder for path in paths):
        raise ValueError(f"labels=True needs every image in a subfolder of {str(folder)!r}")
    names = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    classes = [names.index(path.relative_to(folder).parts[0]) for path in paths]
    empty = [name for i, name in enumerate(names) if i not in set(classes)]
    if empty:
        warnings.warn(f"class folders without images: {', '.join(empty)}", stacklevel=3)
    return names, classes


def _captions(folder, paths, file):
    """[(position of the image, caption)] in the order of a captions file."""
    file = pathlib.Path(file).expanduser()
    if file.suffix not in (".csv", ".jsonl"):
        raise ValueError(f"captions must be a .csv or .jsonl file, got {str(file)!r}")
    captions = []
    with file.open(encoding="utf-8-sig", newline="") as lines:
        try:
            entries = list(
                csv.DictReader(lines)
                if file.suffix == ".csv"
                else map(json.loads, filter(str.strip, lines))
            )
        except ValueError as error:
            raise ValueError(f"cannot read captions from {str(file)!r}: {error}") from error
    for number, entry in enumerate(entries, start=1):
        keys = ("file_name", "caption")
        pair = [entry.get(key) for key in keys] if isinstance(entry, dict) else [None]
        if not all(isinstance(part, str) for part in pair):
            raise ValueError(
                f"entry {number} of {str(file)!r} must have the texts {keys[0]!r} and {keys[1]!r}, "
                f"got {entry}"
            )
        captions.append(pair)
    position = {path.relative_to(folder).as_posix(): i for i, path in enumerate(paths)}
    _check_matched(position.keys(), {name for name, _ in captions}, "captions", file)
    return [(position[name], text) for name, text in captions]
