"""Two data sets of images that are not paired, for translation between two domains."""

import math

import keras
import numpy as np

from kzoo.checks import check_positive_int
from kzoo.datasets.arrays import ArrayDataset, Batches


def zip_domains(a, b, batch_size=None):
    """Puts a batch of each of two data sets together, as `{"a": ..., "b": ...}`.

    An epoch is one pass over the larger data set; the smaller one is repeated. All batches are
    full: the last one of an epoch is filled up from the beginning. Each data set is shuffled as it
    was before. (Two `tf.data.Dataset`s of equal size that were loaded with the same seed come in
    the same order: give them different seeds.)

    Args:
        a, b: two `ArrayDataset`s (of `from_directory`, `from_arrays`) or two batched, finite
            `tf.data.Dataset`s (of `load`).
        batch_size: examples per batch, >= 1; None for that of `a` and `b`. It must be given for a
            `tf.data.Dataset` whose last batch may be smaller: the one it was loaded with.

    Returns:
        A `keras.utils.PyDataset` or `tf.data.Dataset` of dicts of what `a` and `b` yield.

    Raises:
        ValueError: for data sets of two kinds, of other kinds or without end, for batch sizes that
            differ or are not known, or for a `batch_size` that is not an integer >= 1.
    """
    if isinstance(a, ArrayDataset) and isinstance(b, ArrayDataset):
        sizes, zip_them = (a.batch_size, b.batch_size), _ArrayDomains
    elif hasattr(a, "element_spec") and hasattr(b, "element_spec"):
        sizes, zip_them = (_static_batch_size(a), _static_batch_size(b)), _zip_tensors
    else:
        raise ValueError(
            "zip_domains takes two ArrayDatasets or two tf.data.Datasets, got "
            f"{type(a).__name__} and {type(b).__name__}"
        )
    if batch_size is None and (sizes[0] is None or sizes[0] != sizes[1]):
        raise ValueError(
            f"expected a and b to have one batch size, got {sizes[0]} and {sizes[1]} (None: the "
            "last batch may have fewer examples); pass batch_size"
        )
    size = sizes[0] if batch_size is None else batch_size
    return zip_them(a, b, check_positive_int("batch_size", size))


def _static_batch_size(dataset):
    return keras.tree.flatten(dataset.element_spec)[0].shape[0]


def _zip_tensors(a, b, batch_size):
    import tensorflow as tf

    lengths = []

    def endless(name, dataset):
        batches, size = int(dataset.cardinality()), _static_batch_size(dataset)
        if batches < 0:
            raise ValueError(f"{name} must have a known, finite number of batches, got {batches}")
        lengths.append(math.ceil(batches * (size or batch_size) / batch_size))

        def check(index, batch):
            got = tf.shape(keras.tree.flatten(batch)[0])[0]
            message = f"batch_size {batch_size} is not that which {name} was loaded with"
            fits = tf.debugging.assert_less_equal(got, batch_size, message)
            with tf.control_dependencies([fits]):
                return keras.tree.map_structure(tf.identity, batch)

        if size is None:
            dataset = dataset.enumerate().map(check)
        return dataset.repeat().rebatch(batch_size, drop_remainder=True)

    zipped = tf.data.Dataset.zip({"a": endless("a", a), "b": endless("b", b)})
    length = tf.data.experimental.assert_cardinality(max(lengths))  # `rebatch` does not know it
    zipped = zipped.take(max(lengths)).apply(length).prefetch(tf.data.AUTOTUNE)

    def set_epoch(epoch):
        for part in (a, b):
            if hasattr(part, "set_epoch"):
                part.set_epoch(epoch << 20)  # an epoch has many passes over the smaller one

    zipped.set_epoch = set_epoch
    return zipped


class _ArrayDomains(Batches):
    def __init__(self, a, b, batch_size):
        super().__init__()
        self.batch_size = batch_size
        self.a, self.b = (data.with_batch_size(batch_size, drop_remainder=False) for data in (a, b))
        if b.seed is not None:  # equal seeds shall not mean equal orders
            self.b.seed = int(np.random.SeedSequence([b.seed, 1]).generate_state(1)[0])

    def __len__(self):
        return max(len(self.a), len(self.b))

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        return {"a": self.a.full_batch(index), "b": self.b.full_batch(index)}

    def set_epoch(self, epoch):
        self.a.set_epoch(epoch)
        self.b.set_epoch(epoch)

    def on_epoch_end(self):
        self.a.on_epoch_end()
        self.b.on_epoch_end()
