"""Finds prepared data sets of TensorFlow Datasets (TFDS), and fails early if there are none."""

import contextlib
import difflib
import logging
import os
import pathlib
import threading
import urllib.error
import urllib.request

import keras
import numpy as np

from kzoo.datasets.preprocessing import check_features

PROBE_SECONDS = 5  # for a download host to answer


def import_tensorflow():
    """Imports and returns `(tensorflow, tensorflow_datasets)`; ImportError names the extra."""
    try:
        import tensorflow as tf
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ImportError(
            f"kzoo.datasets.load needs TensorFlow and TensorFlow Datasets ({error}): "
            "pip install tensorflow tensorflow-datasets (from_arrays and from_directory do without)"
        ) from error
    if keras.config.backend() != "tensorflow":
        # TensorFlow only feeds JAX or torch here and must not reserve their GPU's memory.
        try:
            tf.config.set_visible_devices([], "GPU")
        except RuntimeError:  # the user's own TensorFlow code has started the GPU already
            pass
    return tf, tfds


@contextlib.contextmanager
def quiet():
    """Mutes absl's warnings: TFDS warns of its own deprecated calls and of absent files."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def find_builder(name, data_dir=None):
    """The TFDS builder of a data set, whose files may not be prepared yet.

    Raises:
        ValueError: if there is no data set of this name, with the closest names.
    """
    _, tfds = import_tensorflow()
    if not isinstance(name, str):
        raise ValueError(f"name must be the name of a TFDS data set, got {name!r}")
    folder = data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    folder = pathlib.Path(folder).expanduser()
    try:
        with quiet():
            return tfds.builder(name, data_dir=folder, try_gcs=False)
    except Exception as error:  # TFDS asserts some things, and a data set's code may need more
        problem = f"unknown data set {name!r}"
        if not isinstance(error, tfds.core.DatasetNotFoundError):
            problem += ": " + str(error).rpartition('": ')[2].partition("\n")[0]
        elif pathlib.Path(name).is_dir():
            problem += "; kzoo.datasets.from_directory reads a folder of images"
        else:
            problem += ", and no folder or file of this name"
        close = _close_names(tfds, name, folder)
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        raise ValueError(f"{problem}{hint} (Prepared in {folder}: {_listing(folder)})") from error


def _close_names(tfds, name, folder):
    family, _, config = name.partition("/")
    known = {*tfds.list_builders(with_community_datasets=False), *_prepared(folder)}
    if config:
        with contextlib.suppress(ValueError):  # no such family, or not even a name
            known.update(f"{family}/{key}" for key in tfds.builder_cls(family).builder_configs)
    return difflib.get_close_matches(name.partition(":")[0], known, 3)


def _prepared(folder):
    """Names of the data sets in a TFDS folder, laid out as name[/config]/version."""
    files = [*folder.glob("*/*/dataset_info.json"), *folder.glob("*/*/*/dataset_info.json")]
    return sorted({str(file.parents[1].relative_to(folder)) for file in files})


def _listing(folder):
    return ", ".join(_prepared(folder)[:20]) or "nothing"


def prepare(builder, download=True):
    """Makes sure that a data set's files are on disk; downloads them if necessary.

    Raises:
        FileNotFoundError: if they are not there and cannot be downloaded.
    """
    _, tfds = import_tensorflow()
    if builder.is_prepared():
        return
    try:
        if not download:
            raise ValueError("download=False")
        _check_host(builder)
        builder.download_and_prepare(
            download_config=tfds.download.DownloadConfig(try_download_gcs=False)
        )
    except Exception as error:  # whatever a data set's own code raises
        name = builder.info.full_name.rpartition("/")[0]  # without the version
        folder = builder.data_path.parents[name.count("/") + 1]
        raise FileNotFoundError(
            f"data set {name!r} is not prepared in {folder} and was not downloaded "
            f"({error}). Set TFDS_DATA_DIR or data_dir to the folder that "
            f"has it, or run `tfds build {name}` where there is network, or use images of your "
            f"own: kzoo.datasets.from_directory, from_arrays. (Prepared there: {_listing(folder)})"
        ) from error


def _check_host(builder):
    """Raises unless the data set's download host answers: TFDS itself would retry for minutes."""
    url = next((url for url in builder.url_infos if url.startswith("http")), None)
    if url is None:
        return
    failure = [ConnectionError(f"no answer from {url} within {PROBE_SECONDS} s")]

    def probe():
        try:
            request = urllib.request.Request(url, method="HEAD")
            with urllib.request.urlopen(request, timeout=PROBE_SECONDS):
                failure.clear()
        except urllib.error.HTTPError:  # it answers, if only to refuse HEAD
            failure.clear()
        except Exception as error:  # of the network, TLS or HTTP
            failure[0] = ConnectionError(f"{url}: {error}")

    # In a thread, because the look-up of a host name has no timeout of its own.
    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    if failure:
        raise failure[0]


def select_features(builder, labels, features=None):
    """The features of a data set that are asked for.

    Args:
        builder: the TFDS builder.
        labels, features: as in `kzoo.datasets.load`.

    Returns:
        `(names, shapes)`: the names of the features (if `features` is None, the image and perhaps
        the label), and {name: shape} of the images among them.

    Raises:
        ValueError: if there are no such features, or they cannot be batches of uint8 images.
    """
    _, tfds = import_tensorflow()
    known = builder.info.features
    images = [key for key, value in known.items() if isinstance(value, tfds.features.Image)]
    if features is None:
        if len(images) != 1:
            hint = "; name what you want with features=(...)" if images else ""
            raise ValueError(
                "expected a data set with one image feature, "
                f"got {builder.name!r} with {sorted(images)}{hint}"
            )
        label = "label" if labels is True else labels
        names, what = (images[0], label) if labels else (images[0],), "labels"
    else:
        if labels:
            raise ValueError(f"features=... and labels={labels!r}: put the label into features")
        check_features(features)
        names, what = features, "features"
    for name in names:
        if name not in known:
            raise ValueError(
                f"{what}: {builder.name!r} has no feature {name!r}, only {sorted(known)}"
            )
    shapes = {name: known[name].shape for name in names if name in images}
    if not shapes:
        raise ValueError(f"features must name an image, one of {sorted(images)}, got {features!r}")
    for name in names:
        _check_feature(name, known[name], is_image=name in shapes)
    return list(names), shapes


def _check_feature(name, feature, is_image):
    if is_image and feature.np_dtype != np.uint8:
        raise ValueError(
            f"feature {name!r}: expected uint8 images, got {np.dtype(feature.np_dtype).name}"
        )
    for part in [] if is_image else keras.tree.flatten(feature.get_tensor_spec()):
        if None in part.shape:
            raise ValueError(
                f"feature {name!r} differs in length between examples, which a batch cannot hold: "
                f"{part}"
            )


def num_examples(builder, split):
    """The number of examples of a split in TFDS's notation, such as "train[:10%]"."""
    try:
        number = builder.info.splits[split].num_examples
    except Exception as error:  # TFDS's parser raises many kinds
        raise ValueError(
            f"unknown split {split!r} of {builder.name!r}; it has {sorted(builder.info.splits)}"
        ) from error
    if not number:
        raise ValueError(f"split {split!r} of {builder.name!r} is empty")
    return number
