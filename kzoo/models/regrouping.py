"""Batches that are checked on their way to Keras, and joined where an update takes several.

What the user gave keeps its length, its order, its seed, its first batch and its labels.
"""

import itertools

import keras
import numpy as np

from kzoo.batching import rows_of


def numpy_of(array):
    """An array or tensor of any library, as a NumPy array."""
    if isinstance(array, np.ndarray):
        return array
    try:
        return np.asarray(array)
    except (TypeError, RuntimeError):  # a tensor on an accelerator, or one with a gradient
        return keras.ops.convert_to_numpy(array)


def _joined(parts):
    return keras.tree.map_structure(lambda *arrays: np.concatenate(arrays), *parts)


class ArrayBatches(keras.utils.PyDataset):
    """Arrays in batches of one size.

    Args:
        arrays: nest of NumPy arrays (n, ...).
        size: rows per batch.
        shuffle: whether every epoch has a new order. NumPy's global generator draws it when the
            first batch of the epoch is asked for.
        drop_remainder: whether images that do not fill a batch are left out of an epoch.
    """

    def __init__(self, arrays, size, shuffle, drop_remainder=True):
        super().__init__()
        self.arrays = arrays
        self.size = size
        self.shuffle = shuffle
        self.drop_remainder = drop_remainder
        self.count = len(keras.tree.flatten(arrays)[0])
        self.order = None

    def on_epoch_end(self):
        self.order = None

    def __len__(self):
        return self.count // self.size if self.drop_remainder else -(-self.count // self.size)

    def __getitem__(self, index):
        if self.order is None:
            count = self.count
            self.order = np.random.permutation(count) if self.shuffle else np.arange(count)
        rows = self.order[index * self.size : (index + 1) * self.size]
        return keras.tree.map_structure(lambda a: a[rows], self.arrays)


class IteratedBatches(keras.utils.PyDataset):
    """Gives the batches of what can only be iterated over, such as a PyTorch `DataLoader`.

    Batches have to be asked for in their order; the first one starts a new pass over the data.

    Args:
        iterable: gives the same number of batches in every pass.
    """

    def __init__(self, iterable):
        super().__init__()
        self.iterable = iterable
        self.at = None
        try:
            self.count = len(iterable)
        except TypeError:  # its length is not known: one pass counts it
            self.count = sum(1 for _ in iterable)

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if index == 0 or self.at is None:
            self.iterator, self.at = iter(self.iterable), -1
        while self.at < index:
            self.batch, self.at = next(self.iterator), self.at + 1
        return keras.tree.map_structure(numpy_of, self.batch)


def count_examples(source, given):
    """How many images a finite source has, whose batches but the last have `given` each."""
    sampler = getattr(getattr(source, "iterable", None), "sampler", None)
    full = getattr(getattr(source, "iterable", None), "batch_size", None)
    if sampler is not None and full and not source.iterable.drop_last:
        return len(sampler)  # a DataLoader knows without reading
    if source.num_batches == 1 or (full and sampler is not None):
        return given * source.num_batches
    last = source[source.num_batches - 1]
    return given * (source.num_batches - 1) + len(keras.tree.flatten(last)[0])


class ConvertedBatches(keras.utils.PyDataset):
    """Batches of a source, converted and, where a size is given, joined to it.

    Args:
        source: a `keras.utils.PyDataset`.
        convert: function of one batch that returns a tuple for Keras.
        size: examples per batch; `None` leaves the batches as they are. A rest is left out.
        given: examples per batch of the source, for a `size`.
        count: examples of a finite source, for a `size`.
    """

    def __init__(self, source, convert, size=None, given=None, count=None):
        names = ("workers", "use_multiprocessing", "max_queue_size")
        super().__init__(**{name: getattr(source, name) for name in names})
        self.source = source
        self.convert = convert
        self.size = size
        self.given = given
        self.count = count
        self.first = 0  # of a source without end: how many batches are passed over

    @property
    def num_batches(self):
        if self.size is None:
            return self.source.num_batches
        return None if self.count is None else self.count // self.size

    def __getitem__(self, index):
        index += self.first
        if self.size is None:
            return self.convert(self.source[index])
        first, last = index * self.size, (index + 1) * self.size
        start = first // self.given
        batches = [self.convert(self.source[i]) for i in range(start, -(-last // self.given))]
        begin = first - start * self.given
        joined = keras.tree.map_structure(lambda a: a[begin : begin + self.size], _joined(batches))
        if len(joined[0]) != self.size:
            raise ValueError(
                f"One update takes {self.size} images: expected all batches but the last to have "
                f"{self.given} images, as the first; one of batches {start} and later has fewer."
            )
        return joined

    def set_epoch(self, epoch):
        if hasattr(self.source, "set_epoch"):
            self.source.set_epoch(epoch)

    def on_epoch_begin(self):
        self.source.on_epoch_begin()

    def on_epoch_end(self):
        self.source.on_epoch_end()


def converted(first, rest, convert, size=None):
    """A generator of a generator's batches, converted and, where a size is given, joined to it.

    Args:
        first: the first batch.
        rest: iterator of the others.
        convert: function of one batch that returns a tuple for Keras.
        size: examples per batch; `None` leaves the batches as they are. A rest at the end is left
            out.
    """
    batches = map(convert, itertools.chain([first], rest))
    if size is None:
        yield from batches
        return
    pending, count = [], 0
    for batch in batches:
        pending.append(batch)
        count += len(batch[0])
        while count >= size:
            joined = _joined(pending)
            yield keras.tree.map_structure(lambda a: a[:size], joined)
            pending, count = [keras.tree.map_structure(lambda a: a[size:], joined)], count - size


def check_enough(model, count, wanted):
    """`ValueError` unless there are the images of one training update."""
    if count < wanted:
        raise ValueError(
            f"One training update of this {type(model).__name__} takes {wanted} images; the data "
            "have fewer. A smaller batch_size makes the update smaller."
        )


def check_update(model, count):
    """`ValueError` unless one training update can be made of that many images."""
    least = model.examples_per_step(1)
    if model.examples_per_step(max(count // least, 1)) != count:
        raise ValueError(
            f"One training update of this {type(model).__name__} takes {least} images, or a "
            f"multiple of that if it has no batch size of its own; got {count}."
        )


def cut(data, fraction):
    """Nested arrays without their last part, and that part, as `validation_split`."""
    arrays = keras.tree.flatten(data)
    if not 0 < fraction < 1 or not all(a is None or hasattr(a, "shape") for a in arrays):
        raise ValueError(
            "validation_split needs arrays and a fraction in (0, 1), got "
            f"{type(data[0]).__name__} and {fraction!r}."
        )
    count = next(len(a) for a in arrays if a is not None)
    at = int(count * (1.0 - fraction))
    if not 0 < at < count:
        raise ValueError(f"validation_split={fraction!r} of {count} images leaves a part empty.")
    return rows_of(data, slice(at)), rows_of(data, slice(at, None))
