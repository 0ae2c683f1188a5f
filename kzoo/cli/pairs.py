"""Pairs of images, each with the image it comes from: `--data` and `--sources`."""

import inspect
import pathlib

from kzoo.cli import common, data
from kzoo.evaluation.capabilities import takes_pairs


def add_argument(parser, help_text="for a folder as --data: that of the images' sources"):
    """The argument that says where the sources are."""
    parser.add_argument("--sources", metavar="PATH", help=f"models of pairs, {help_text}")


def check(model, sources):
    """`ValueError` for sources that a model, or a class of models, does not take."""
    if sources is not None and not takes_pairs(model):
        kind = model if isinstance(model, type) else type(model)
        raise ValueError(f"--sources: {common.with_article(kind.__name__)} takes none")


def check_there(sources):
    """`FileNotFoundError` if `--sources` names what does not exist."""
    if sources is not None and not pathlib.Path(sources).expanduser().exists():
        raise FileNotFoundError(f"--sources: there is no file or folder {sources!r}")


def options(model, source, split, sources=None):
    """With what `data.open_data` gives dicts of an image and its source.

    Args:
        model: a model, or a class of models, with `image_keys` and `source_keys`.
        source, split: as in `data.open_data`.
        sources: of a folder of images, the folder of their sources.

    Returns:
        `(options, names)`: the names are those of the image and of the source.

    Raises:
        ValueError: if the data have no such features, or the sources are not named as they must be.
    """
    path = pathlib.Path(source).expanduser()
    if path.is_dir():
        if sources is None:
            raise ValueError(
                f"--data {source}: a folder of images needs the folder of their sources: --sources"
            )
        return {"sources": sources}, ("image", "source")
    if sources is not None:
        raise ValueError(f"--sources goes with a folder of images, got --data {source}")
    known = _features(path, source, split)
    names = []
    for what, keys in (("images", model.image_keys), ("sources", model.source_keys)):
        found = [key for key in keys if key in known]
        if not found:
            raise ValueError(
                f"--data {source}: no {what} of pairs among {', '.join(known)}: expected one of "
                f"{', '.join(keys)}"
            )
        names.append(found[0])
    return {"features": tuple(names)}, tuple(names)


def image_feature(model, source, split):
    """The name of the images' array in an .npz file: "image", but for some models of pairs."""
    if not takes_pairs(model) or pathlib.Path(source).suffix != ".npz":
        return "image"
    return options(model, source, split)[1][0]


def arguments(model_class, source_shape):
    """The constructor's argument for the shape of the sources, if it has one.

    The sources of other models have the shape of the images.
    """
    takes = "source_shape" in inspect.signature(model_class).parameters
    return {"source_shape": source_shape} if takes else {}


def _features(path, source, split):
    """The names of the features that a data set or an .npz file has."""
    from kzoo.datasets import catalog

    names = [name.removesuffix(f"_{split}") for name in data.array_names(source)]
    if names:
        return [*names, *(["image"] if "x" in names else [])]
    if path.suffix in data.ARRAY_FILES or path.exists():
        return []
    data.import_tensorflow(source)
    return list(catalog.find_builder(source).info.features)


def load(model, images, most=None):
    """Pairs as a model takes them: `(images, sources, text)`, uint8 (n, h, w, c).

    Args:
        model: whose size they get.
        images: `kzoo.cli.data.Images`.
        most: how many, from the first one on; `None` for all.
    """
    from kzoo import datasets

    chosen, (image, beside) = options(model, images.source, images.split, images.sources)
    dataset, done = data.open_for(
        model.image_shape, images, shuffle=False, batch_size=500, **chosen
    )
    arrays = datasets.to_arrays(dataset)
    array, given = arrays[image][:most], arrays[beside][:most]
    return array, given, images.describe(f"{len(array):,} pairs", done)


def read(model, path):
    """The images of a folder, or the image of a file, as a model's sources (n, h, w, c), uint8.

    They are cropped to the aspect ratio of the model's sources, and resized.
    """
    from kzoo import datasets
    from kzoo.datasets import image_files, preprocessing

    check(model, path)
    check_there(path)
    height, width, channels = model.source_shape
    path = pathlib.Path(path).expanduser()
    if path.is_dir():
        dataset = datasets.from_directory(
            path, channels=channels, image_size=(height, width), shuffle=False
        )
        return datasets.to_arrays(dataset)[0]
    image = image_files.read(path, channels, image_files.check_background("white"))
    return preprocessing.Preprocessing((height, width)).apply(image[None])
