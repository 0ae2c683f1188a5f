"""Data sets as arrays in memory, and as batches without end."""

import itertools

import keras
import numpy as np


def _check_iterable(dataset):
    if not hasattr(dataset, "__iter__") and not hasattr(dataset, "__getitem__"):
        raise ValueError(f"expected a data set of batches, got {type(dataset).__name__}")


def to_arrays(dataset):
    """Collects a data set in memory, for evaluation.

    Args:
        dataset: finite iterable of batches `images`, `(images, labels)` or a dict of named
            features, such as the results of `load`, `from_directory` and `from_arrays`.

    Returns:
        `(images, labels)`, NumPy arrays (n, h, w, c) and (n, ...), in the data set's order; labels
        is None if the data set has none. For batches that are dicts, a dict of arrays with the same
        names (nested if the batches are); text becomes NumPy unicode.

    Raises:
        ValueError: if the data set is empty or repeats for ever.
    """
    _check_iterable(dataset)
    if hasattr(dataset, "cardinality") and int(dataset.cardinality()) == -1:
        raise ValueError("the data set repeats for ever; collect it without repeat()")
    batches = list(dataset)
    if not batches:
        raise ValueError("the data set is empty")

    def join(*parts):
        array = np.concatenate([keras.ops.convert_to_numpy(part) for part in parts])
        is_bytes = array.dtype.kind == "O" and isinstance(array.flat[0], bytes)  # TensorFlow's text
        return np.char.decode(array.astype(bytes), "utf-8") if is_bytes else array

    if isinstance(batches[0], dict):
        return keras.tree.map_structure(join, *batches)
    batches = [batch if isinstance(batch, tuple | list) else (batch,) for batch in batches]
    images, *labels = (join(*parts) for parts in zip(*batches, strict=True))
    return images, labels[0] if labels else None


def endless(dataset):
    """Batches without end, for `fit` with `steps_per_epoch`, as Keras stops where a data set ends.

    With a seed, they are the same batches in every process and after every call.

    Args:
        dataset: a data set of `kzoo.datasets`, or any finite `tf.data.Dataset` or other data that a
            `for` loop can run over several times.

    Returns:
        A `tf.data.Dataset` of one, else a generator; this raises a `ValueError` where a pass over
        the data has no batches.
    """
    _check_iterable(dataset)
    if hasattr(dataset, "set_epoch"):
        dataset.set_epoch(0)
    if hasattr(dataset, "repeat"):
        return dataset.repeat()
    return _passes(dataset)


def _passes(dataset):
    for number in itertools.count(1):
        batch = None
        for batch in dataset:
            yield batch
        if batch is None:  # a generator gives its batches once
            raise ValueError(
                "expected a data set that a for loop can run over several times, got a "
                f"{type(dataset).__name__} without batches in pass {number}"
            )
