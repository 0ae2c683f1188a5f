"""Checks and regrouping of the data that users give to `fit`, `evaluate` and `generate`."""

import keras
import numpy as np

from kzoo.images import check_images


def images_of(data):
    """The images of one batch, which may come as `images` or `(images, labels, ...)`."""
    return data[0] if isinstance(data, tuple | list) else data


def check_data(model, x):
    """Checks what was given to `fit` or `evaluate`; returns the batch size, where it is known."""
    x = images_of(x)
    if hasattr(x, "element_spec"):  # tf.data.Dataset
        spec = images_of(x.element_spec)
        check_images(model, spec)
        if "float" in keras.backend.standardize_dtype(spec.dtype):
            check_images(model, _first_batch(model, x))
        # Not looked up in the data: reading one batch of a cached data set can truncate it.
        return spec.shape[0]
    if isinstance(x, keras.utils.PyDataset) or hasattr(x, "dataset"):  # or a DataLoader
        batch = _first_batch(model, x)
        check_images(model, batch)
        return len(batch)
    if hasattr(x, "shape"):
        check_images(model, x)
        if not len(x):
            raise ValueError(f"{type(model).__name__} got no images: shape {tuple(x.shape)}.")
        return None
    if hasattr(x, "__next__"):  # a generator is consumed as it is read
        return None
    raise ValueError(
        f"{type(model).__name__} takes images as a NumPy array, tf.data.Dataset, "
        f"keras.utils.PyDataset, DataLoader or generator, got {type(x).__name__}."
    )


def _first_batch(model, x):
    batch, _ = peek(model, x)
    return batch[0]


def peek(model, x, y=None, batch_size=None):
    """The first batch of the data given to `fit`, and the data with that batch in them.

    Args:
        model: to be named in errors.
        x, y, batch_size: as in `keras.Model.fit`; checked by `check_data`.

    Returns:
        `(batch, x)`: `(images, ...)`, NumPy arrays, and what to take for `x` from now on: a
        generator has given its first batch away.

    Raises:
        ValueError: if there is no batch.
    """
    if hasattr(x, "shape"):
        first = slice(batch_size or 32)
        batch = x[first] if y is None else (x[first], y[first])
    elif isinstance(x, keras.utils.PyDataset):
        batch = x[0]
    else:
        batch = next(x if hasattr(x, "__next__") else iter(x), None)
        if batch is None:
            raise ValueError(f"{type(model).__name__} got a data set without images.")
        if hasattr(x, "__next__"):
            x = _from_first(batch, x)
    batch = batch if isinstance(batch, tuple | list) else (batch,)
    arrays = tuple(None if part is None else keras.ops.convert_to_numpy(part) for part in batch)
    return arrays, x


def _from_first(batch, rest):
    yield batch
    yield from rest


def check_training_data(model, x, batch_size):
    """Checks `fit`'s data and regroups them to the examples that one update takes.

    Returns:
        `(x, batch_size)` for Keras's `fit`.
    """
    batches = check_data(model, x) or batch_size
    if model.examples_per_step(1) == 1:
        return x, batch_size
    if batches is None and model.examples_per_step(1) != model.examples_per_step(2):
        batches = 32 if hasattr(x, "shape") else len(_first_batch(model, x))
    batches = batches or 32
    wanted = model.examples_per_step(batches)
    images = images_of(x)
    if isinstance(images, np.ndarray):
        from kzoo.datasets import ArrayDataset

        images = ArrayDataset(images, batch_size=min(batches, len(images)))
    if hasattr(images, "element_spec"):
        images = images.map(lambda *batch: batch[0]).rebatch(wanted, drop_remainder=True)
        if images.cardinality() == 0:
            _too_few(model, wanted)
        return images, None
    if hasattr(images, "with_batch_size"):
        if images.num_examples < wanted:
            _too_few(model, wanted)
        return images.with_batch_size(wanted, drop_remainder=True), None
    return _regrouped(images, wanted), None


def _too_few(model, wanted):
    raise ValueError(
        f"One training update of this {type(model).__name__} takes {wanted} images; "
        "the data set has fewer."
    )


def _regrouped(batches, size):
    """Concatenates batches and cuts them into pieces of `size`, over and over the data."""
    pending = []
    for batch in _passes(batches):
        pending.append(keras.ops.convert_to_numpy(images_of(batch)))
        while sum(map(len, pending)) >= size:
            joined = np.concatenate(pending)
            yield (joined[:size],)
            pending = [joined[size:]]


def _passes(batches):
    """The batches over and over; a generator that has come to its end gives none again."""
    empty = False
    while not empty:
        empty = True
        for batch in batches:
            empty = False
            yield batch
