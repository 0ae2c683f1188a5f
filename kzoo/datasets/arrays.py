"""Data sets from NumPy arrays and array files, without TensorFlow."""

import copy
import os
import pathlib
import zipfile
import zlib

import keras
import numpy as np

from kzoo.datasets.preprocessing import (
    Preprocessing,
    bernoulli,
    check_batch_size,
    check_images,
)


class ArrayDataset(keras.utils.PyDataset):
    """Batches of images held in memory, in a new order every epoch.

    Batch i of epoch e depends on `seed`, e and i only, so equal seeds give equal batches
    whatever order they are asked for in. An epoch ends when Keras says so or when a `for` loop
    over the data set is done. (`fit` visits the batches in an order of its own, from Python's
    `random`; `keras.utils.set_random_seed` fixes that.)

    Args:
        images: uint8 array (n, h, w, c) or (n, h, w), or floats in [-1, 1], which are passed on
            as float32.
        labels: array of n labels, or None.
        batch_size: images per batch, >= 1.
        image_size, crop_to_aspect_ratio, pad_to, binarize: as in `kzoo.datasets.load`.
            Binarization takes uint8 images.
        shuffle: whether every epoch has a new order.
        seed: integer >= 0 that fixes order and binarization; None for a new one.
        drop_remainder: whether a last batch of fewer than `batch_size` images is left out.

    Attributes:
        num_examples: number of images.
        image_shape: (height, width, channels) of a batch's images.

    Raises:
        ValueError: for a wrong rank, dtype, range or option, no images, labels of another
            length, or no full batch with `drop_remainder`.
    """

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
        shuffle=True,
        seed=None,
        drop_remainder=False,
    ):
        super().__init__()
        options = Preprocessing(image_size, crop_to_aspect_ratio, pad_to, binarize, seed)
        images = check_images(images)
        if binarize and images.dtype != np.uint8:
            raise ValueError(f"binarize={binarize!r} takes uint8 images, got {images.dtype}")
        if labels is not None:
            labels = np.asarray(labels)
            if labels.ndim == 0 or len(labels) != len(images):
                raise ValueError(
                    f"labels must have one entry per image ({len(images)}), got {labels.shape}"
                )
        self.images = options.apply(images)  # (n, h, w, c)
        self.labels = labels
        self.binarize = binarize
        self.shuffle = shuffle
        # A fixed number even without a seed: batches of one epoch must come from one order.
        self.seed = np.random.SeedSequence().entropy if seed is None else int(seed)
        self._set_batch_size(batch_size, drop_remainder)
        self._start_epoch(0)

    def _set_batch_size(self, batch_size, drop_remainder):
        self.batch_size = check_batch_size(batch_size)
        self.drop_remainder = drop_remainder
        if len(self) == 0:
            raise ValueError(
                f"batch_size {batch_size} with drop_remainder leaves no batch of "
                f"{self.num_examples} images"
            )

    def _start_epoch(self, epoch):
        self._epoch = epoch
        if self.shuffle:
            rng = np.random.default_rng([self.seed, epoch])
            self._order = rng.permutation(self.num_examples)

    @property
    def num_examples(self):
        return len(self.images)

    @property
    def image_shape(self):
        return self.images.shape[1:]

    def __len__(self):
        full, rest = divmod(self.num_examples, self.batch_size)
        return full + bool(rest and not self.drop_remainder)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        batch = slice(index * self.batch_size, (index + 1) * self.batch_size)
        rows = self._order[batch] if self.shuffle else batch
        images = np.asarray(self.images[rows])  # (b, h, w, c)
        if self.binarize == "dynamic":
            images = bernoulli(images, np.random.default_rng([self.seed, self._epoch, index]))
        return images if self.labels is None else (images, self.labels[rows])

    def __iter__(self):
        for index in range(len(self)):
            yield self[index]
        self.on_epoch_end()

    def on_epoch_end(self):
        self._start_epoch(self._epoch + 1)

    def with_batch_size(self, batch_size, drop_remainder=True):
        """The same images and seed in batches of another size; the images are not copied."""
        other = copy.copy(self)
        other._set_batch_size(batch_size, drop_remainder)
        other._start_epoch(0)
        return other


def from_arrays(
    images,
    labels=None,
    batch_size=64,
    *,
    image_size=None,
    crop_to_aspect_ratio=True,
    pad_to=None,
    binarize=None,
    shuffle=True,
    seed=None,
    drop_remainder=False,
    split="train",
):
    """Makes a data set from NumPy arrays or a file of them; needs no TensorFlow.

    Args:
        images: array (n, h, w, c) or (n, h, w), uint8 or floats in [-1, 1], or the path of a
            `.npy` file (memory-mapped) or of an `.npz` file with the keys `x_<split>` and
            `y_<split>` (as `save_npz` and Keras's `mnist.npz` have them), or `images` and
            `labels`, which count as the split "train".
        labels: array of n labels, or None; for an `.npz` file also True: the file's labels.
        batch_size, image_size, crop_to_aspect_ratio, pad_to, binarize, shuffle, seed,
            drop_remainder: as in `ArrayDataset`.
        split: which arrays of an `.npz` file.

    Returns:
        `ArrayDataset` of batches `images` or `(images, labels)`.

    Raises:
        ValueError: as `ArrayDataset`, and for a file that is damaged or lacks the arrays.
        FileNotFoundError: if there is no such file.
    """
    if isinstance(images, str | os.PathLike):
        images, stored = _read(pathlib.Path(images).expanduser(), split, labels is True)
        labels = stored if labels is True else labels
    elif isinstance(labels, bool):
        raise ValueError(f"labels={labels} goes with an .npz file; pass an array of labels or None")
    return ArrayDataset(
        images,
        None if labels is False else labels,
        batch_size,
        image_size=image_size,
        crop_to_aspect_ratio=crop_to_aspect_ratio,
        pad_to=pad_to,
        binarize=binarize,
        shuffle=shuffle,
        seed=seed,
        drop_remainder=drop_remainder,
    )


def _read(path, split, with_labels):
    """(images, labels or None) of a .npy or .npz file."""
    if path.suffix not in (".npy", ".npz"):
        raise ValueError(f"expected a .npy or .npz file, got {str(path)!r}")
    try:
        if path.suffix == ".npy":
            images = np.load(path, mmap_mode="r", allow_pickle=False)
            if with_labels:
                raise ValueError("a .npy file holds no labels; pass them as an array")
            return images, None
        with np.load(path, allow_pickle=False) as file:
            keys = [f"x_{split}", f"y_{split}"]
            if split == "train" and keys[0] not in file and "images" in file:
                keys = ["images", "labels"]
            missing = [key for key in keys[: 1 + with_labels] if key not in file]
            if missing:
                raise ValueError(f"no array {missing[0]!r} among {sorted(file)}")
            return file[keys[0]], file[keys[1]] if with_labels else None
    except FileNotFoundError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"cannot read images from {str(path)!r}: {error}") from error


def to_arrays(dataset):
    """Collects a data set in memory, for evaluation.

    Args:
        dataset: finite iterable of batches `images` or `(images, labels)`, such as the results
            of `load`, `from_directory` and `from_arrays`.

    Returns:
        `(images, labels)`, NumPy arrays (n, h, w, c) and (n, ...), in the data set's order;
        labels is None if the data set has none.

    Raises:
        ValueError: if the data set is empty or repeats for ever.
    """
    if hasattr(dataset, "cardinality") and int(dataset.cardinality()) == -1:
        raise ValueError("the data set repeats for ever; collect it without repeat()")
    batches = [batch if isinstance(batch, tuple | list) else (batch,) for batch in dataset]
    if not batches:
        raise ValueError("the data set is empty")
    images, *labels = (
        np.concatenate([keras.ops.convert_to_numpy(part) for part in parts])
        for parts in zip(*batches, strict=True)
    )
    return images, labels[0] if labels else None
