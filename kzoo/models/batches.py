"""A user's data as Keras takes them.

`fit`, `evaluate` and the like take `images`, `(images, condition)`, `(images, condition, weights)`
or a dict of named features as TFDS yields it, from arrays, a `tf.data.Dataset`, a
`keras.utils.PyDataset`, a PyTorch `DataLoader` or a generator. `prepare` checks them once and gives
Keras tuples. `kzoo.models.parts` splits one batch into its parts. `kzoo.models.regrouping` converts
and joins batches.
"""

import warnings

import keras

from kzoo import backend
from kzoo.batching import rows_of
from kzoo.checks import check_optional_int
from kzoo.images import check_images
from kzoo.models.parts import (
    as_tuple,
    check_weights,
    converter,
    packed,
    placeholder,
    split,
    weighed_labels,
)
from kzoo.models.regrouping import (
    ArrayBatches,
    ConvertedBatches,
    IteratedBatches,
    check_enough,
    converted,
    count_examples,
    numpy_of,
)

LOOKED_AT = 256  # images, for a warning about their values
#: What Keras gets beside data that are batched already.
BATCHED = {"y": None, "sample_weight": None, "batch_size": None, "shuffle": False}


def _check_rows_of_weights(weights, count):
    if weights.dtype.kind not in "biuf" or weights.shape not in ((count,), (count, 1)):
        raise ValueError(
            f"Expected sample_weight as a number for each of {count} images, got an array of shape "
            f"{weights.shape} and dtype {weights.dtype}."
        )


def look(model, images, stacklevel=6):
    """Warns, once per model, of image values that are probably wrong; names the user's line."""
    images = numpy_of(images[:LOOKED_AT])
    seen = model.__dict__.setdefault("_kzoo_warnings", set())
    for problem in model.data_problems(images):
        if problem not in seen:
            seen.add(problem)
            warnings.warn(f"{type(model).__name__}: {problem}", stacklevel=stacklevel)


def prepare(
    model,
    x,
    y=None,
    sample_weight=None,
    class_weight=None,
    batch_size=None,
    shuffle=None,
    grouped=False,
    own_order=False,
):
    """Checks data and makes of them what Keras's `fit` and `evaluate` take.

    Args:
        model: the model.
        x, y, sample_weight, class_weight, batch_size, shuffle: as in `keras.Model.fit`.
        grouped: whether batches are joined to the examples that one training update takes.
        own_order: whether kzoo makes batches of arrays, shuffled by NumPy's global generator, and
            not Keras. (On TensorFlow, Keras has the same order in every epoch if there is a global
            seed.)

    Returns:
        A dict of arguments for Keras, `x`, `y`, `sample_weight`, `batch_size` and `shuffle`; and
        `first`, the images and the condition of the first batch.

    Raises:
        ValueError: if type, shape or values do not fit the model, or there are too few images.
    """
    check_weights(model, sample_weight, class_weight)
    batch_size = check_optional_int("batch_size", batch_size)
    grouped = grouped and model.examples_per_step(1) != 1
    if hasattr(x, "shape") or (isinstance(x, dict) and x):
        labels = class_weight is not None
        options = (labels, batch_size, shuffle, grouped, own_order)
        return _prepare_arrays(model, x, y, sample_weight, *options)
    kinds = ("element_spec", "__next__", "dataset")  # tf.data, generators, a DataLoader
    if not isinstance(x, keras.utils.PyDataset) and not any(hasattr(x, kind) for kind in kinds):
        hint = ""
        if isinstance(x, tuple | list):
            hint = " Images and labels are two arguments, or a dict {'image': ..., 'label': ...}."
        raise ValueError(
            f"{type(model).__name__} takes images as a NumPy array, a dict of arrays, "
            "tf.data.Dataset, keras.utils.PyDataset, DataLoader or generator, got "
            f"{type(x).__name__}.{hint}"
        )
    if y is not None or sample_weight is not None:
        raise ValueError(
            f"A {type(x).__name__} holds conditions and weights itself: expected no y and no "
            "sample_weight beside it."
        )
    convert = converter(model, keep_labels=class_weight is not None)
    texts = any(hasattr(c, "tokenize") for c in model.conditioned_on)
    if hasattr(x, "element_spec") and not texts:
        x, first = _prepare_tf_data(model, x, grouped, keep_labels=class_weight is not None)
        return {**BATCHED, "x": x, "first": first}
    if hasattr(x, "__next__"):
        batch = next(x, None)
        if batch is None:
            raise ValueError(f"{type(model).__name__} got a generator without batches.")
        first = _first(model, convert(batch))
        size = model.examples_per_step(len(first[0])) if grouped else None
        return {**BATCHED, "x": converted(batch, x, convert, size), "first": first}
    source = x if isinstance(x, keras.utils.PyDataset) else IteratedBatches(x)
    if source.num_batches == 0:
        raise ValueError(f"{type(model).__name__} got a data set without images.")
    _check_in_memory(model, source)
    first, count = _first(model, convert(source[0])), None
    per_batch = len(first[0])
    size = model.examples_per_step(per_batch) if grouped else None
    if size and hasattr(source, "with_batch_size"):  # it knows how to batch anew
        check_enough(model, source.num_examples, size)
        source, size = source.with_batch_size(size, drop_remainder=True), None
    if size and source.num_batches is not None:
        count = count_examples(source, per_batch)
        check_enough(model, count, size)
    # Keras's own default would mix the batches of data that have an order of their own.
    data = ConvertedBatches(source, convert, size, per_batch, count)
    return {**BATCHED, "x": data, "shuffle": bool(shuffle), "first": first}


def _check_in_memory(model, source):
    """Checks the conditions of all examples, where the data set has them in memory.

    Conditions of other data, and all images, are checked batch by batch.
    """
    arrays, images = getattr(source, "arrays", None), getattr(source, "image_shapes", ())
    if not isinstance(arrays, dict):
        return
    for c in model.conditioned_on:
        for key in set(c.keys) & set(arrays) - set(images):
            c.check_batch(arrays[key])


def _prepare_arrays(
    model, x, y, sample_weight, keep_labels, batch_size, shuffle, grouped, own_order
):
    images, condition, _ = split(model, (x, y, sample_weight))
    check_images(model, images)
    if not len(images):
        raise ValueError(f"{type(model).__name__} got no images: shape {tuple(images.shape)}.")
    look(model, images)
    for c in model.conditioned_on:
        condition[c.name] = c.check(numpy_of(condition[c.name]), len(images))
    if sample_weight is not None:
        _check_rows_of_weights(numpy_of(sample_weight), len(images))
    if keep_labels:
        y = weighed_labels(model, (x, y, sample_weight))
    first = rows_of((images, condition), slice(batch_size or 32))
    first = keras.tree.map_structure(numpy_of, first)
    shuffle = True if shuffle is None else shuffle
    if grouped:
        size = model.examples_per_step(batch_size or 32)
        check_enough(model, len(images), size)
        data = ArrayBatches(packed(numpy_of(images), condition), size, bool(shuffle))
        return {**BATCHED, "x": data, "first": first}
    if condition:
        y = packed(images, condition)[1]
    elif not keep_labels:
        y = None if sample_weight is None else placeholder(images)
    if own_order and shuffle in (True, False):  # Keras knows "batch" too
        arrays = keras.tree.map_structure(numpy_of, as_tuple(images, y, sample_weight))
        data = ArrayBatches(arrays, batch_size or 32, shuffle, drop_remainder=False)
        return {**BATCHED, "x": data, "first": first}
    return {
        "x": images,
        "y": y,
        "sample_weight": sample_weight,
        "batch_size": batch_size,
        "shuffle": shuffle,
        "first": first,
    }


def prepare_held_out(model, data, batch_size=None, steps=None):
    """Checks `validation_data` and makes of them what Keras takes.

    Args:
        model: the model.
        data: as in `keras.Model.fit`.
        batch_size, steps: `validation_batch_size` and `validation_steps`.
    """
    parts = data if isinstance(data, tuple | list) else (data,)
    own = backend.own_pipelines() and steps is None
    given = prepare(model, *parts, batch_size=batch_size, shuffle=False, own_order=own)
    if given["y"] is None and given["sample_weight"] is None:
        return backend.pipeline(given["x"])[0] if own else given["x"]
    return given["x"], given["y"], given["sample_weight"]


def _prepare_tf_data(model, x, grouped, keep_labels):
    images, condition, weights = split(model, x.element_spec)
    if keep_labels:
        weighed_labels(model, x.element_spec)
    check_images(model, images)
    check_weights(model, weights)
    first = next(iter(x.take(1)), None)
    if first is None:
        raise ValueError(f"{type(model).__name__} got a data set without images.")
    first = _first(model, converter(model)(keras.tree.map_structure(numpy_of, first)))
    given = x
    if isinstance(x.element_spec, dict):

        def parts(batch):
            if keep_labels:
                return split(model, batch)[0], weighed_labels(model, batch)
            return packed(*split(model, batch))

        x = x.map(parts)
    if grouped:
        size = model.examples_per_step(images.shape[0] or len(first[0]))
        x = x.rebatch(size, drop_remainder=True)
        if x.cardinality() == 0:
            check_enough(model, 0, size)
    if hasattr(given, "set_epoch"):
        x.set_epoch = given.set_epoch
    return x, first


def _first(model, batch):
    """Images and condition of a converted batch; warns of image values that look wrong."""
    images, condition, _ = split(model, batch)
    look(model, images)
    return images, condition
