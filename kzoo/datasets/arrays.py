"""Data sets in memory, without TensorFlow."""

import copy
import threading

import keras
import numpy as np

from kzoo.checks import as_number, check_positive_int
from kzoo.datasets import augmentation
from kzoo.datasets.preprocessing import (
    Preprocessing,
    bernoulli,
    check_data_images,
)

_LOCK = threading.Lock()  # for the draw of an epoch's order; an attribute could not be pickled


class Batches(keras.utils.PyDataset):
    """Batches over which a `for` loop passes once; the end of the loop ends the epoch."""

    def __iter__(self):
        for index in range(len(self)):
            yield self[index]
        self.on_epoch_end()


class ArrayDataset(Batches):
    """Batches of images held in memory, in a new order every epoch.

    Batch i of epoch e depends on `seed`, e and i only, so equal seeds give equal batches
    whatever order they are asked for in. Without a seed, NumPy's global generator draws one when
    the first batch of an epoch is asked for; `keras.utils.set_random_seed` fixes it. An epoch ends
    when Keras ends it, or when a `for` loop over the data set is done. (`fit` also shuffles the
    order of the batches by Python's `random`, which `set_random_seed` fixes too.)

    Args:
        images: uint8 array (n, h, w, c) or (n, h, w), or floats in [-1, 1], which are passed on
            as float32. Or a dict of named arrays of n entries, such as `{"image": images,
            "caption": captions}`: batches are then dicts. Images are its uint8 arrays of 3 or 4
            axes, and its float arrays (n, h, w, c) of 1, 3 or 4 channels.
        labels: array of n labels, or None.
        batch_size: images per batch, >= 1.
        image_size, crop_to_aspect_ratio, pad_to, binarize, augment: as in `kzoo.datasets.load`.
            Binarization takes uint8 images. `augment` gets float images as they are, in
            [-1, 1].
        shuffle: whether every epoch has a new order.
        seed: integer >= 0 that fixes order and binarization; None for a new one in every epoch.
        drop_remainder: whether a last batch of fewer than `batch_size` images is left out.

    Attributes:
        arrays: {name: array of n entries}; without names, "image" and "label".
        image_shapes: {name: (height, width, channels)} of the images in a batch.
        image_shape: that of "image", or of the first images if none have this name.
        num_examples: n.
        class_names: names of the labels 0, 1, ...; None unless `from_directory` knows them.
        file_paths: path of the file of every image, in the order of `images`; None unless
            `from_directory` read them.
        skipped_files: paths of the files that `from_directory` could not read.

    Raises:
        ValueError: for a wrong rank, dtype, range or option, no images, arrays of different
            lengths, or no full batch with `drop_remainder`.
    """

    class_names = None
    file_paths = None
    skipped_files = ()

    def __init__(
        self,
        images,
        labels=None,
        batch_size=64,
        *,
        image_size=None,
        crop_to_aspect_ratio=True,
        pad_to=None,
        binarize=None,
        augment=None,
        shuffle=True,
        seed=None,
        drop_remainder=False,
    ):
        super().__init__()
        options = Preprocessing(image_size, crop_to_aspect_ratio, pad_to, binarize, seed)
        augmentation.check_augment(augment, binarize)
        self._named = isinstance(images, dict)
        if self._named:
            if labels is not None:
                raise ValueError("named arrays and labels= were given; put the labels in the dict")
            self.arrays = {name: _as_array(name, array) for name, array in images.items()}
            names = [name for name, array in self.arrays.items() if _is_images(array)]
            if not names:
                got = {name: (a.dtype.name, a.shape) for name, a in self.arrays.items()}
                raise ValueError(f"expected images (n, h, w, c) among the arrays, got {got}")
        else:
            self.arrays, names = {"image": images}, ["image"]
            if labels is not None:
                self.arrays["label"] = _as_array("labels", labels)
        for name in names:
            shown = f"images {name!r}" if self._named else "images"
            self.arrays[name] = check_data_images(self.arrays[name], shown)
        self._check(names, options, augment)
        for i, name in enumerate(names):
            self.arrays[name] = options.apply(self.arrays[name], feature=i)
        self.image_shapes = {name: self.arrays[name].shape[1:] for name in names}
        self._first = "image" if "image" in names else names[0]
        if augment is not None:
            self.image_shapes = augmentation.try_on_noise(
                lambda noise: augmentation.call_on_array(augment, noise),
                self.image_shapes,
                self.images.dtype,
            )
        self.binarize = binarize
        self.augment = augment
        self.shuffle = shuffle
        self.seed = None if seed is None else int(seed)
        self._set_batch_size(batch_size, drop_remainder)
        self.set_epoch(0)

    def _check(self, names, options, augment):
        n = len(self.arrays[names[0]])
        for name, array in self.arrays.items():
            if array.ndim == 0 or len(array) != n:
                what = name if self._named else "labels"
                raise ValueError(f"{what} must have one entry per image ({n}), got {array.shape}")
        options.check_same_size({name: self.arrays[name].shape[1:3] for name in names})
        dtypes = {name: self.arrays[name].dtype.name for name in names}
        if options.binarize and set(dtypes.values()) != {"uint8"}:
            got = dtypes if self._named else dtypes["image"]
            raise ValueError(f"binarize={options.binarize!r} takes uint8 images, got {got}")
        if augment is not None and len(set(dtypes.values())) > 1:
            raise ValueError(f"augment expects images of one type in an example, got {dtypes}")

    def _set_batch_size(self, batch_size, drop_remainder):
        self.batch_size = check_positive_int("batch_size", batch_size)
        self.drop_remainder = drop_remainder
        if len(self) == 0:
            raise ValueError(
                f"batch_size {batch_size} with drop_remainder leaves no batch of "
                f"{self.num_examples} images"
            )

    def __repr__(self):
        arrays = ", ".join(f"{name} {a.dtype} {a.shape}" for name, a in self.arrays.items())
        return f"<ArrayDataset of {len(self)} batches of {self.batch_size}: {arrays}>"

    def set_epoch(self, epoch):
        """Begins epoch number `epoch`, an int >= 0."""
        self._epoch = epoch
        self._order = None  # drawn when the first batch is asked for

    @property
    def images(self):
        """The images "image", or the first ones if none have this name."""
        return self.arrays[self._first]

    @property
    def labels(self):
        return self.arrays.get("label")

    @property
    def image_shape(self):
        return self.image_shapes[self._first]

    @property
    def num_examples(self):
        return len(next(iter(self.arrays.values())))

    def __len__(self):
        full, rest = divmod(self.num_examples, self.batch_size)
        return full + bool(rest and not self.drop_remainder)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        start = index * self.batch_size
        return self._batch(index, range(start, min(start + self.batch_size, self.num_examples)))

    def full_batch(self, index):
        """Batch `index` >= 0 of exactly `batch_size` examples; at its end the order begins anew."""
        start = index * self.batch_size
        return self._batch(index, range(start, start + self.batch_size))

    def _batch(self, index, positions):
        with _LOCK:
            if self._order is None:
                self._draw()
        rows = self._order[np.asarray(positions) % self.num_examples]
        batch = {name: np.asarray(array[rows]) for name, array in self.arrays.items()}
        images = [batch[name] for name in self.image_shapes]  # (b, h, w, c) each
        if self.augment is not None:
            images = augmentation.augment_arrays(self.augment, images)
        if self.binarize == "dynamic":
            rng = np.random.default_rng([*self._entropy, index])
            images = [bernoulli(x, rng) for x in images]
        batch |= zip(self.image_shapes, images)
        if self._named:
            return batch
        return (batch["image"], batch["label"]) if "label" in batch else batch["image"]

    def _draw(self):
        """Draws the order and the binarization of the epoch."""
        self._entropy = [self.seed, self._epoch]
        if self.seed is None and (self.shuffle or self.binarize == "dynamic"):
            self._entropy = [np.random.randint(2**63 - 1, dtype=np.int64)]
        n = self.num_examples
        self._order = (
            np.random.default_rng(self._entropy).permutation(n) if self.shuffle else np.arange(n)
        )

    def on_epoch_end(self):
        self.set_epoch(self._epoch + 1)

    def with_batch_size(self, batch_size, drop_remainder=True):
        """The same images and seed in batches of another size; the images are not copied."""
        other = copy.copy(self)
        other._set_batch_size(batch_size, drop_remainder)
        other.set_epoch(0)
        return other

    def split(self, fraction, seed=0):
        """Splits the examples at random into two data sets with the same options.

        The number of examples, the fraction and the seed decide which part an example is in.

        Args:
            fraction: share of the examples in the second part, in (0, 1).
            seed: integer >= 0.

        Returns:
            `(training, held_out)`, two `ArrayDataset`s. The arrays are copied.

        Raises:
            ValueError: if the fraction is not in (0, 1), or a part would have no examples.
        """
        n = self.num_examples
        count = round(n * fraction) if 0 < as_number(fraction) < 1 else 0
        if not 0 < count < n:
            raise ValueError(
                "the fraction to hold out must lie in (0, 1) and leave examples in both parts, "
                f"got {fraction!r} of {n}"
            )
        order = np.random.default_rng(seed).permutation(n)
        parts = []
        for rows in (order[count:], order[:count]):
            part = copy.copy(self)
            rows = np.sort(rows)
            part.arrays = {name: array[rows] for name, array in self.arrays.items()}
            if self.file_paths is not None:
                part.file_paths = [self.file_paths[i] for i in rows]
            parts.append(part.with_batch_size(self.batch_size, self.drop_remainder))
        return tuple(parts)


def _as_array(name, value):
    """An array; text becomes NumPy's unicode, and other Python objects are refused."""
    array = np.asanyarray(value)
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8")
    if array.dtype.kind == "O":
        if not all(isinstance(entry, str) for entry in array.ravel()):
            raise ValueError(f"{name} must be an array of numbers or of text, got Python objects")
        return array.astype(str)
    return array


def _is_images(array):
    if array.dtype == np.uint8:
        return array.ndim in (3, 4)
    return array.dtype.kind == "f" and array.ndim == 4 and array.shape[-1] in (1, 3, 4)
