"""Data sets from arrays and array files, and the writing of such a file."""

import os
import pathlib
import zipfile
import zlib

import numpy as np

from kzoo.datasets import prepared
from kzoo.datasets.arrays import ArrayDataset
from kzoo.datasets.collecting import to_arrays
from kzoo.datasets.preprocessing import check_features
from kzoo.paths import written_whole

# Keras's own names (mnist.npz) of a split's images and labels, and those of a file of one split.
_OTHER_NAMES = {"image": ("x", "images"), "label": ("y", "labels")}


def from_arrays(
    images,
    labels=None,
    batch_size=64,
    *,
    features=None,
    image_size=None,
    crop_to_aspect_ratio=True,
    pad_to=None,
    binarize=None,
    augment=None,
    shuffle=True,
    seed=None,
    drop_remainder=False,
    split="train",
):
    """Makes a data set from NumPy arrays or a file of them; needs no TensorFlow.

    Args:
        images: array (n, h, w, c) or (n, h, w), uint8 or floats in [-1, 1]; or a dict of named
            arrays, as in `ArrayDataset`; or the path of a `.npy` file (memory-mapped) or of an
            `.npz` file with the keys `x_<split>` and `y_<split>` (as `save_npz` and Keras's
            `mnist.npz` have them), or `images` and `labels`, which count as the split "train".
        labels: array of n labels, or None; for an `.npz` file also True: the file's labels.
        features: for an `.npz` file, names of features, such as `("image", "caption")`: batches are
            then dicts of these. The key of a feature is `<name>_<split>`, or `<name>`, which counts
            as the split "train"; "image" and "label" are also found as above.
        batch_size, image_size, crop_to_aspect_ratio, pad_to, binarize, augment: as in
            `ArrayDataset`.
        shuffle, seed, drop_remainder: as in `ArrayDataset`.
        split: which arrays of an `.npz` file.

    Returns:
        `ArrayDataset` of batches `images`, `(images, labels)` or dicts.

    Raises:
        ValueError: as `ArrayDataset`, and for a file that is damaged or lacks the arrays.
        FileNotFoundError: if there is no such file.
    """
    is_file = isinstance(images, str | os.PathLike)
    if features is not None:
        check_features(features)
        if labels is not None or not is_file:
            raise ValueError("features=... goes with an .npz file and without labels=...")
    if is_file:
        names = features or (("image", "label") if labels is True else ("image",))
        arrays = read(pathlib.Path(images).expanduser(), split, names)
        images = arrays if features else arrays["image"]
        labels = arrays.get("label") if labels is True else labels
    elif isinstance(labels, bool):
        raise ValueError(f"labels={labels} goes with an .npz file; pass an array of labels or None")
    return ArrayDataset(
        images,
        None if labels is False or features else labels,
        batch_size,
        image_size=image_size,
        crop_to_aspect_ratio=crop_to_aspect_ratio,
        pad_to=pad_to,
        binarize=binarize,
        augment=augment,
        shuffle=shuffle,
        seed=seed,
        drop_remainder=drop_remainder,
    )


def read(path, split, features):
    """{feature: array} of a .npy or .npz file; errors are those of `from_arrays`."""
    if path.suffix not in (".npy", ".npz"):
        raise ValueError(f"expected a .npy or .npz file, got {str(path)!r}")
    try:
        if path.suffix == ".npy":
            if tuple(features) != ("image",):
                raise ValueError("a .npy file holds no labels; pass them as an array")
            return {"image": _memory_map(path)}
        if path.is_file() and not zipfile.is_zipfile(path):  # NumPy would advise allow_pickle
            raise ValueError("it is damaged, or not an .npz file")
        with np.load(path, allow_pickle=False) as file:
            return {feature: file[_key(file, feature, split)] for feature in features}
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no file {str(path)!r}") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"cannot read images from {str(path)!r}: {error}") from error


def _memory_map(path):
    with path.open("rb") as file:
        if file.read(len(np.lib.format.MAGIC_PREFIX)) != np.lib.format.MAGIC_PREFIX:
            raise ValueError("it is damaged, or not a .npy file")
    return np.lib.format.open_memmap(path, mode="r")


def _key(file, feature, split):
    """The name that a feature has in an .npz file."""
    letter, plural = _OTHER_NAMES.get(feature, (feature, feature))
    names = [f"{letter}_{split}", f"{feature}_{split}"]
    if split == "train":
        names += [plural, feature]
    for name in names:
        if name in file:
            return name
    others = ", ".join(map(repr, dict.fromkeys(names[1:])))
    raise ValueError(f"no array {names[0]!r} among {sorted(file)} (also looked for: {others})")


def save_npz(
    path, name, splits=("train", "test"), *, features=None, data_dir=None, download=True, **options
):
    """Writes a TFDS data set to one compressed `.npz` file, for machines without TensorFlow.

    `from_arrays(path, split=split)` and `python applications/<recipe>.py --data path` read it.

    Args:
        path: the file to write; an existing one is replaced only after everything has been read.
        name: TFDS name, as in `load`.
        splits: the splits to write, as arrays `x_<split>` uint8 (n, h, w, c) and, if the data set
            has the feature "label", `y_<split>` (n,).
        features: names of features, as in `load`: the arrays are then `<name>_<split>`.
        data_dir, download: as in `load`.
        **options: `image_size`, `crop_to_aspect_ratio` and `pad_to` of `load`.

    Raises:
        ValueError: as `load`, and if the path does not end in `.npz`, or for a feature of features.
    """
    path = pathlib.Path(path).expanduser()
    if path.suffix != ".npz":
        raise ValueError(f"path must end in .npz, got {str(path)!r}")
    if features is None:
        builder = prepared.catalog.find_builder(name, data_dir)
        options["labels"] = "label" in builder.info.features
    arrays = {}
    for split in splits:
        dataset = prepared.load(
            name,
            split,
            prepared.CHUNK,
            features=features,
            shuffle=False,
            cache=False,
            data_dir=data_dir,
            download=download,
            **options,
        )
        collected = to_arrays(dataset)
        if features is None:
            collected = {"x": collected[0], "y": collected[1]}
        for feature, array in collected.items():
            if isinstance(array, dict):
                raise ValueError(
                    f"expected features that are arrays, got {feature!r} with {sorted(array)}"
                )
            if array is not None:
                arrays[f"{feature}_{split}"] = array
    write(path, **arrays)


def write(path, **arrays):
    """Writes a compressed .npz file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as part:
        np.savez_compressed(part, **arrays)
