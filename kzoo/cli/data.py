"""The images that `--data` names: a TFDS data set, a folder of files or an array file."""

import contextlib
import pathlib
import sys
import zipfile
from typing import NamedTuple

from kzoo.cli import common

#: The file types that hold arrays.
ARRAY_FILES = (".npz", ".npy")
# MNIST and its like are padded for networks that halve the image several times.
UNPADDED, PADDED = (28, 28), (32, 32)


class Part(NamedTuple):
    """One of the two parts of `kzoo.datasets.ArrayDataset.split`."""

    fraction: float
    seed: int
    held_out: bool


class Images(NamedTuple):
    """Some of the images that `--data` names.

    Attributes:
        source: what `--data` names.
        split: such as "train", which is the only one where there are no named splits.
        part: `None` for the whole split.
        sources: of a folder of images, the folder of their sources; see `kzoo.cli.pairs`.
        class_names: names of the subfolders that the labels must come from; `None` for any.
        known: whether a model was trained on the images, in words.
    """

    source: str
    split: str = "train"
    part: Part | None = None
    sources: str | None = None
    class_names: list | None = None
    known: str = ""

    @property
    def name(self):
        """As messages show it."""
        path = pathlib.Path(self.source).absolute()
        name = path.name if is_file(self.source) else self.source
        return f"{name} {self.split}" if has_splits(self.source) else name

    def describe(self, count, *details):
        """A description for a protocol: how many, of what, known or not, and further details."""
        parts = (f"{count} of {self.name}", self.known, *details)
        return ", ".join(part for part in parts if part)


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
    return path.suffix in ARRAY_FILES or path.exists()


def check_there(source):
    """`FileNotFoundError` if `--data` names a file or folder that does not exist.

    Any other name may be that of a data set.
    """
    path = pathlib.Path(source).expanduser()
    is_path = path.suffix in ARRAY_FILES or source.startswith((".", "/", "~"))
    if (is_path or source.endswith("/")) and not path.exists():
        raise FileNotFoundError(f"there is no file or folder {source!r}")


def of_training(args):
    """The `Images` that the arguments of `kzoo train` choose."""
    fraction = args.validation_split
    part = None if fraction is None else Part(fraction, args.seed, held_out=False)
    return Images(args.data, args.split, part, args.sources)


def has_splits(source):
    """Whether what `--data` names has named splits.

    A folder, a .npy file and an .npz file with the arrays `images` and `labels` have none.
    """
    path = pathlib.Path(source).expanduser()
    names = array_names(source)
    if names:
        return any("_" in name for name in names)
    return path.suffix != ".npy" and not path.is_dir()


def array_names(source):
    """The names of the arrays of an .npz file; none of anything else."""
    import numpy as np

    path = pathlib.Path(source).expanduser()
    if path.suffix != ".npz" or not zipfile.is_zipfile(path):
        return []
    with np.load(path) as file:
        return file.files


def open_data(source, split, *, channels=3, part=None, **options):
    """A data set of uint8 batches.

    Args:
        source: what `--data` names.
        split: such as "train", which is the only one where there are no named splits.
        channels: of a folder's images.
        part: `None`, or a `Part` of the split of a folder or file.
        **options: those that the functions of `kzoo.datasets` share.

    Raises:
        FileNotFoundError: if the source is a path at which there is nothing.
        ValueError, ImportError: as `kzoo.datasets`.
    """
    from kzoo import datasets

    check_there(source)
    path = pathlib.Path(source).expanduser()
    if split != "train" and not has_splits(source):
        raise ValueError(f"split {split!r}: {source!r} has no splits, expected 'train'")
    if path.suffix in ARRAY_FILES or path.is_dir():
        if path.is_dir():
            dataset = datasets.from_directory(path, channels=channels, **options)
        else:
            dataset = datasets.from_arrays(path, split=split, **options)
        return dataset if part is None else dataset.split(*part[:2])[part.held_out]
    if path.exists():
        raise ValueError(f"cannot read images from the file {source!r}, expected .npz or .npy")
    if part is not None:
        raise ValueError(
            f"--validation-split is for folders and files; of the data set {source!r} name a part "
            "with --split, such as train[:90%]"
        )
    import_tensorflow(source)
    with datasets.catalog.quiet():
        return datasets.load(source, split, **options)


def import_tensorflow(source):
    """Imports what a TensorFlow data set needs.

    Raises:
        ImportError: if it is not installed, with what to do.
    """
    from kzoo import datasets

    loaded = "tensorflow" in sys.modules and "tensorflow_datasets" in sys.modules
    try:
        with contextlib.nullcontext() if loaded else common.without_notices():
            datasets.catalog.import_tensorflow()
    except ImportError as error:
        raise ImportError(
            f"--data {source}: a TensorFlow data set needs TensorFlow and TensorFlow Datasets "
            "(pip install tensorflow tensorflow-datasets). Give --data a folder of image files or "
            f"a file.npz, such as kzoo.datasets.save_npz('file.npz', {source!r}) writes where "
            "there are both"
        ) from error


def image_shape(dataset, name=None):
    """(height, width, channels) of the images of a data set, or of those of that name."""
    if not hasattr(dataset, "element_spec"):
        return dataset.image_shapes[name] if name else dataset.image_shape
    spec = dataset.element_spec
    if isinstance(spec, dict):
        spec = spec[name or next(iter(spec))]
    return tuple((spec[0] if isinstance(spec, tuple) else spec).shape[1:])


def open_for(shape, images, **options):
    """`open_data`, with images in the height and width of a model's image shape.

    28x28 images are zero-padded to 32x32; others are resized.

    Returns:
        `(dataset, text)`: text says what was done to the images.
    """
    size = tuple(shape[:2])
    options |= {"channels": shape[2], "part": images.part}
    source, split = images.source, images.split
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


def load_images(model, images, most=None, seed=0, labels=False, binarize=False):
    """Real images as a model takes them.

    Args:
        model: whose size they get.
        images: `Images`.
        most: how many, from the first one on; `None` for all.
        seed: of the binarization.
        labels: whether to read labels; of a multi-label classifier, the feature "attributes".
        binarize: whether pixels become black or white, once.

    Returns:
        `(images, labels or None, text)`: text says what they are.

    Raises:
        ValueError: as `open_data`, and for labels of other classes than `images.class_names`.
    """
    from kzoo import datasets

    options = {"labels": labels, "binarize": "static" if binarize else None, "seed": seed}
    attributes = labels and getattr(model, "multi_label", False)
    if attributes:
        options |= {"labels": None, "features": ("image", "attributes")}
    dataset, done = open_for(model.image_shape, images, shuffle=False, batch_size=500, **options)
    names = getattr(dataset, "class_names", None)
    if labels and None not in (names, images.class_names) and names != images.class_names:
        raise ValueError(
            f"{images.source!r} has the classes {', '.join(names)}; expected those that the model "
            f"was trained on: {', '.join(images.class_names)}"
        )
    arrays = datasets.to_arrays(dataset)
    array, labels = _attributes(model, arrays, images) if attributes else arrays
    array, labels = array[:most], None if labels is None else labels[:most]
    binarized = f"binarized once with seed {seed}" if binarize else ""
    return array, labels, images.describe(f"{len(array):,} images", done, binarized)


def _attributes(model, arrays, images):
    """`(images, attributes)` of loaded features: 0 and 1, (n, k), in the order of the classifier.

    Raises:
        ValueError: if they are not those of the classifier.
    """
    import numpy as np

    values = arrays["attributes"]
    if isinstance(values, dict):  # as TFDS has them
        if sorted(values) != sorted(model.class_names or ()):
            raise ValueError(
                f"{images.source!r} has the attributes {', '.join(sorted(values))}; expected those "
                f"of the classifier: {', '.join(model.class_names or ())}"
            )
        values = np.stack([values[name] for name in model.class_names], axis=1)
    if values.shape[1:] != (model.num_classes,):
        raise ValueError(
            f"{images.source!r} has attributes of shape {values.shape[1:]}; expected "
            f"({model.num_classes},)"
        )
    return arrays["image"], values.astype("int32")
