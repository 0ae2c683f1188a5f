"""The batching loop of all inference."""

import keras
import numpy as np

from kzoo.checks import check_positive_int


def in_batches(function, batch_size, *arrays, fill=True):
    """Calls a function on arrays, batch by batch, and joins what it returns.

    Args:
        function: of parts of the arrays; returns a tensor or a tuple of them, whose first axis is
            the batch's.
        batch_size: rows per batch, at most.
        *arrays: NumPy arrays (n, ...), dicts of them, or `None`.
        fill: whether the last batch is filled up, so that all take one compiled program.

    Returns:
        NumPy array (n, ...), or a tuple of them.

    Raises:
        ValueError: if the arrays are empty, or `batch_size` is not a positive integer.
    """
    batch_size = check_positive_int("batch_size", batch_size)
    first = next(a for a in keras.tree.flatten(arrays) if a is not None)
    count = len(first)
    if not count:
        raise ValueError(f"Expected at least one image or latent, got the shape {first.shape}.")
    size = min(batch_size, count)
    index = np.arange(-(-count // size) * size if fill else count) % count
    outputs = []
    for start in range(0, len(index), size):
        rows = index[start : start + size]
        output = function(*rows_of(arrays, rows))
        outputs.append(keras.tree.map_structure(keras.ops.convert_to_numpy, output))
    return keras.tree.map_structure(lambda *parts: np.concatenate(parts)[:count], *outputs)


def rows_of(arrays, rows):
    """Those rows of every array of a nest, some of which may be `None`."""
    return keras.tree.map_structure(lambda a: None if a is None else a[rows], arrays)
