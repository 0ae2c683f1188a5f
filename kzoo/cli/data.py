"""The images that `--data` names: a TFDS data set, a folder of files or an array file."""

import contextlib
import pathlib
import sys

from kzoo.cli import common

# MNIST and its like are padded for networks that halve the image several times.
UNPADDED, PADDED = (28, 28), (32, 32)


def add_argument(parser, default="mnist"):
    """The argument that says which images; without a default, the preset's own."""
    parser.add_argument(
        "--data",
        default=default,
        help=f"name of a TensorFlow data set ({default or 'that of the preset'}), a folder of "
        "image files, or a .npz or .npy file; folders and files need no TensorFlow",
    )


def is_file(source):
    """Whether `--data` names a file or a folder, and not a data set."""
    path = pathlib.Path(source).expanduser()
    return path.suffix in (".npz", ".npy") or path.exists()


def open_data(source, split, *, channels=3, **options):
    """A data set of uint8 batches.

    Args:
        source: what `--data` names.
        split: such as "train"; a folder of image files has no splits and is taken whole.
        channels: of a folder's images.
        **options: those that the functions of `kzoo.datasets` share.

    Raises:
        FileNotFoundError: if the source is a path at which there is nothing.
        ValueError, ImportError: as `kzoo.datasets`.
    """
    from kzoo import datasets

    path = pathlib.Path(source).expanduser()
    if path.suffix in (".npz", ".npy"):
        return datasets.from_arrays(path, split=split, **options)
    if path.is_dir():
        return datasets.from_directory(path, channels=channels, **options)
    if path.exists():
        raise ValueError(f"cannot read images from the file {source!r}, expected .npz or .npy")
    if source.startswith((".", "/", "~")):
        raise FileNotFoundError(f"there is no file or folder {source!r}")
    loaded = "tensorflow" in sys.modules and "tensorflow_datasets" in sys.modules
    try:
        with contextlib.nullcontext() if loaded else common.without_notices():
            datasets.catalog.import_tensorflow()
    except ImportError as error:
        raise ImportError(
            f"--data {source}: a TensorFlow data set needs TensorFlow and TensorFlow Datasets "
            "(pip install 'kzoo[tensorflow]'). Give --data a folder of image files or a file.npz, "
            f"such as kzoo.datasets.save_npz('file.npz', {source!r}) writes where there are both"
        ) from error
    with datasets.catalog.quiet():
        return datasets.load(source, split, **options)


def image_shape(dataset):
    """(height, width, channels) of the images of a data set."""
    if not hasattr(dataset, "element_spec"):
        return dataset.image_shape
    spec = dataset.element_spec
    return tuple((spec[0] if isinstance(spec, tuple) else spec).shape[1:])


def open_for(shape, source, split, **options):
    """`open_data`, with images brought to the height and width of a model's image shape.

    28x28 images are zero-padded to 32x32; others are resized.

    Returns:
        `(dataset, text)`: text says what was done to the images.
    """
    size = tuple(shape[:2])
    options["channels"] = shape[2]
    try:
        dataset = open_data(source, split, **options)
        given = image_shape(dataset)[:2]
    except ValueError:  # images of several sizes; whatever else it is, happens again below
        given = None
    if given == size:
        return dataset, ""
    if (given, size) == (UNPADDED, PADDED):
        return open_data(source, split, pad_to=size, **options), "zero-padded to 32x32"
    dataset = open_data(source, split, image_size=size, **options)
    return dataset, f"cropped and resized to {size[0]}x{size[1]}"


def load_images(model, source, split, most=None, seed=0, labels=False, binarize=False):
    """Real images as a model takes them.

    Args:
        model: whose size they get.
        source, split: as in `open_data`.
        most: how many, from the first one on; `None` for all.
        seed: of the binarization.
        labels: whether to read labels.
        binarize: whether pixels become black or white, once.

    Returns:
        `(images, labels or None, text)`: text says what they are.
    """
    from kzoo import datasets

    options = {"labels": labels, "binarize": "static" if binarize else None, "seed": seed}
    dataset, done = open_for(
        model.image_shape, source, split, shuffle=False, batch_size=500, **options
    )
    images, labels = datasets.to_arrays(dataset)
    images, labels = images[:most], None if labels is None else labels[:most]
    parts = [f"{len(images):,} images of {pathlib.PurePath(source).name} {split}"]
    parts += [done] if done else []
    parts += [f"binarized once with seed {seed}"] if binarize else []
    return images, labels, ", ".join(parts)
