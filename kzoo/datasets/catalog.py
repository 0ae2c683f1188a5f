"""Finds prepared data sets of TensorFlow Datasets (TFDS), and fails soon where there are none."""

import difflib
import os
import pathlib
import threading
import urllib.error
import urllib.request

import keras

PROBE_SECONDS = 5  # for a download host to answer


def import_tensorflow():
    """Imports and returns `(tensorflow, tensorflow_datasets)`; ImportError names the extra."""
    try:
        import tensorflow as tf
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ImportError(
            f"kzoo.datasets.load needs {error.name}: pip install kzoo[tensorflow] "
            "(kzoo.datasets.from_arrays and from_directory do not)"
        ) from error
    if keras.config.backend() != "tensorflow":
        # TensorFlow only feeds JAX or torch here and must not reserve their GPU's memory.
        try:
            tf.config.set_visible_devices([], "GPU")
        except RuntimeError:  # the user's own TensorFlow code has started the GPU already
            pass
    return tf, tfds


def prepared_builder(name, data_dir=None, download=True):
    """The TFDS builder of a data set whose files are on disk, if need be after a download.

    Raises:
        ValueError: if there is no data set of this name.
        FileNotFoundError: if its files are not there and cannot be downloaded.
    """
    _, tfds = import_tensorflow()
    if not isinstance(name, str):
        raise ValueError(f"name must be the name of a TFDS data set, got {name!r}")
    data_dir = pathlib.Path(
        data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    ).expanduser()
    try:
        builder = tfds.builder(name, data_dir=data_dir, try_gcs=False)
    except (ValueError, ImportError) as error:  # DatasetNotFoundError is a ValueError
        raise _unknown(tfds, name, data_dir) from error
    if builder.is_prepared():
        return builder
    if not download:
        raise _not_prepared(name, data_dir, "download=False")
    _check_host(builder, name, data_dir)
    try:
        builder.download_and_prepare(
            download_config=tfds.download.DownloadConfig(try_download_gcs=False)
        )
    except Exception as error:  # whatever a data set's own code raises
        raise _not_prepared(name, data_dir, f"{type(error).__name__}: {error}") from error
    return builder


def _unknown(tfds, name, data_dir):
    family, _, config = name.partition("/")
    on_disk = [path.name for path in data_dir.glob("*") if path.is_dir()]
    known = sorted({*tfds.list_builders(with_community_datasets=False), *on_disk})
    if config and family in known:
        configs = list(tfds.builder_cls(family).builder_configs)
        close = [f"{family}/{c}" for c in difflib.get_close_matches(config, configs, 3, 0.4)]
    else:
        close = difflib.get_close_matches(family, known, 3)
    hint = f"; close to it: {', '.join(close)}" if close else ""
    return ValueError(
        f"unknown data set {name!r}{hint} (prepared in {data_dir}: {_listing(data_dir)})"
    )


def _listing(data_dir):
    names = sorted(path.name for path in data_dir.glob("*/") if path.name != "downloads")
    return ", ".join(names[:20]) or "nothing"


def _not_prepared(name, data_dir, reason):
    return FileNotFoundError(
        f"data set {name!r} is not prepared in {data_dir} and was not downloaded: {reason}. "
        f"Set TFDS_DATA_DIR (or data_dir) to the folder that has it, or run "
        f"`tfds build {name}` on a machine with network, or use your own images with "
        "kzoo.datasets.from_directory or from_arrays"
    )


def _check_host(builder, name, data_dir):
    """Raises unless the data set's download host answers: TFDS itself would retry for minutes."""
    url = next((url for url in builder.url_infos if url.startswith("http")), None)
    if url is None:
        return
    failure = [f"no answer from {url} within {PROBE_SECONDS} s"]

    def probe():
        try:
            request = urllib.request.Request(url, method="HEAD")
            with urllib.request.urlopen(request, timeout=PROBE_SECONDS):
                failure.clear()
        except urllib.error.HTTPError:  # it answers, if only to refuse HEAD
            failure.clear()
        except OSError as error:
            failure[0] = f"{url}: {error}"

    # In a thread, because the look-up of a host name has no timeout of its own.
    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    if failure:
        raise _not_prepared(name, data_dir, failure[0])


def select_features(builder, labels):
    """([image feature, label feature if asked for], image shape) of a data set."""
    _, tfds = import_tensorflow()
    features = builder.info.features
    images = [key for key, value in features.items() if isinstance(value, tfds.features.Image)]
    if len(images) != 1:
        raise ValueError(
            f"expected a data set with one image feature, got {builder.name!r} with {images}"
        )
    shape = features[images[0]].shape
    if not labels:
        return images, shape
    label = "label" if labels is True else labels
    if label not in features:
        raise ValueError(
            f"labels: {builder.name!r} has no feature {label!r}, only {sorted(features)}"
        )
    return [images[0], label], shape


def num_examples(builder, split):
    """The number of examples of a split in TFDS's notation, such as "train[:10%]"."""
    try:
        return builder.info.splits[split].num_examples
    except (KeyError, ValueError, AttributeError, AssertionError) as error:
        raise ValueError(
            f"unknown split {split!r} of {builder.name!r}; it has {sorted(builder.info.splits)}"
        ) from error
