"""Data sets of TensorFlow Datasets (TFDS) as tf.data pipelines."""

import os
import pathlib

import numpy as np

from kzoo.datasets import catalog
from kzoo.datasets.arrays import to_arrays
from kzoo.datasets.preprocessing import Preprocessing, check_batch_size
from kzoo.datasets.tf_data import without_autotuning

CACHE_BYTES = 4 * 2**30  # decoded images up to this size stay in memory
SHUFFLE_BYTES = 2**30  # shuffle buffer of a data set that does not
CHUNK = 256  # images per NumPy call of the preprocessing


def load(
    name,
    split="train",
    batch_size=64,
    *,
    image_size=None,
    crop_to_aspect_ratio=True,
    pad_to=None,
    labels=False,
    binarize=None,
    shuffle=None,
    seed=None,
    drop_remainder=False,
    cache=True,
    data_dir=None,
    download=True,
):
    """Loads an image data set of TensorFlow Datasets as a `tf.data.Dataset` of uint8 batches.

    The images are decoded, preprocessed and cached in memory (up to 4 GiB), then shuffled,
    batched, dynamically binarized and prefetched. A cached data set is shuffled as a whole, a
    larger one through a buffer of 1 GiB.

    With a `seed`, order and binarization are reproducible: the k-th pass over the returned data
    set is the same in every process, and differs from the other passes.

    Args:
        name: TFDS name such as "mnist", "svhn_cropped" or "lsun/bedroom", with exactly one image
            feature; also a data set without TFDS code whose prepared files lie in `data_dir`.
        split: a split in TFDS's notation: "train", "train+extra", "test[:1000]".
        batch_size: images per batch, >= 1.
        image_size: int or (height, width) to resize to, by an antialiased Lanczos filter rounded
            to uint8. None keeps the size, which all images must then share.
        crop_to_aspect_ratio: whether the centre is cropped to the aspect ratio of `image_size`
            before the resize (a square for an int); False stretches the image.
        pad_to: int or (height, width) to zero-pad to, the image in the centre (28 -> 32 for MNIST).
        labels: True for the feature "label", or a feature's name: batches are then
            `(images, labels)`.
        binarize: None, or images of 0 and 255 only: "dynamic" (255 with probability pixel / 255,
            drawn afresh in every pass), "static" (drawn once; depends on the seed, None as 0, and
            on the image's position in the split) or "threshold" (255 from 128 on).
        shuffle: whether every pass has a new order; None for all but test and validation splits.
        seed: integer >= 0, or None for a new one.
        drop_remainder: whether a last batch of fewer than `batch_size` images is left out.
        cache: whether decoded images are kept in memory.
        data_dir: folder of prepared data sets; None for $TFDS_DATA_DIR, else TFDS's default.
        download: whether a data set that is not in `data_dir` is downloaded and prepared.

    Returns:
        `tf.data.Dataset` of uint8 batches (b, height, width, channels), or pairs with labels (b,).

    Raises:
        ValueError: for an unknown data set, split, label feature or option, or a data set without
            exactly one image feature.
        FileNotFoundError: if the data set is not in `data_dir` and cannot be downloaded.
        ImportError: without TensorFlow and TensorFlow Datasets.
    """
    batch_size = check_batch_size(batch_size)
    options = Preprocessing(image_size, crop_to_aspect_ratio, pad_to, binarize, seed)
    tf, tfds = catalog.import_tensorflow()
    builder = catalog.find_builder(name, data_dir)
    keys, shape = catalog.select_features(builder, labels)
    sizes_vary = None in shape[:2]
    if sizes_vary and options.image_size is None:
        raise ValueError(f"images of {name!r} may differ in size; pass image_size")
    shape = (*options.output_size(shape[:2]), shape[2])  # after preprocessing
    catalog.prepare(builder, download)  # only now that the rest of the request is known to be right
    num_examples = catalog.num_examples(builder, split)
    if shuffle is None:
        shuffle = not ("test" in split or "validation" in split)
    if drop_remainder and batch_size > num_examples:
        raise ValueError(
            f"batch_size {batch_size} with drop_remainder leaves no batch of {num_examples} images"
        )

    with catalog.quiet():
        dataset = builder.as_dataset(
            split=split,
            shuffle_files=False,
            decoders=tfds.decode.PartialDecoding(dict.fromkeys(keys, True)),
            read_config=tfds.ReadConfig(try_autocache=False),  # cached below, preprocessed
        )
    dataset = dataset.map(lambda example: tuple(example[key] for key in keys))
    if not options.is_identity:
        dataset = _preprocess(tf, dataset, options, shape, chunk=1 if sizes_vary else CHUNK)
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(num_examples))

    image_bytes = int(np.prod(shape))
    cached = cache and num_examples * image_bytes <= CACHE_BYTES
    if cached:
        dataset = dataset.cache()
    if shuffle:
        # The buffer of a cached data set only refers to the cache: it takes no memory of its own.
        buffer = num_examples if cached else min(num_examples, SHUFFLE_BYTES // image_bytes)
        dataset = dataset.shuffle(max(1, buffer), seed=seed, reshuffle_each_iteration=True)
    known = drop_remainder or num_examples % batch_size == 0  # the size of every batch
    dataset = dataset.batch(batch_size, known, num_parallel_calls=tf.data.AUTOTUNE)
    if binarize == "dynamic":
        dataset = _binarize_batches(tf, dataset, seed)
    if len(keys) == 1:
        dataset = dataset.map(lambda images: images)  # (images,) -> images
    return without_autotuning(dataset.prefetch(tf.data.AUTOTUNE))


def _preprocess(tf, dataset, options, shape, chunk):
    """Runs the NumPy preprocessing over chunks of images (one image if their sizes differ)."""

    def preprocess(first_index, images, *rest):
        images = tf.numpy_function(
            lambda i, x: options.apply(x, int(i) * chunk), [first_index, images], tf.uint8
        )
        images.set_shape((None, *shape))
        return images, *rest

    dataset = dataset.batch(chunk).enumerate()
    return dataset.map(
        lambda index, batch: preprocess(index, *batch), num_parallel_calls=tf.data.AUTOTUNE
    ).unbatch()


def _binarize_batches(tf, dataset, seed):
    """Draws every pixel from Bernoulli(pixel / 255), afresh in every pass."""
    # One seed per batch, so that the parallel map stays reproducible.
    seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True)

    def binarize(batch, batch_seed):
        images, *rest = batch
        draws = tf.random.stateless_uniform(tf.shape(images), [batch_seed, 0])
        images = tf.where(draws * 255.0 < tf.cast(images, "float32"), 255, 0)
        return tf.cast(images, tf.uint8), *rest

    return tf.data.Dataset.zip(dataset, seeds).map(binarize, num_parallel_calls=tf.data.AUTOTUNE)


def save_npz(path, name, splits=("train", "test"), *, data_dir=None, download=True, **options):
    """Writes a TFDS data set to one compressed `.npz` file, for machines without TensorFlow.

    `from_arrays(path, split=split)` and `python applications/<recipe>.py --data path` read it.

    Args:
        path: the file to write; an existing one is replaced only when all is read.
        name: TFDS name, as in `load`.
        splits: the splits to write, as arrays `x_<split>` uint8 (n, h, w, c) and, if the data set
            has the feature "label", `y_<split>` (n,).
        data_dir, download: as in `load`.
        **options: `image_size`, `crop_to_aspect_ratio` and `pad_to` of `load`.

    Raises:
        As `load`; ValueError if the path does not end in `.npz`.
    """
    path = pathlib.Path(path).expanduser()
    if path.suffix != ".npz":
        raise ValueError(f"path must end in .npz, got {str(path)!r}")
    builder = catalog.find_builder(name, data_dir)
    arrays = {}
    for split in splits:
        dataset = load(
            name,
            split,
            CHUNK,
            labels="label" in builder.info.features,
            shuffle=False,
            cache=False,
            data_dir=data_dir,
            download=download,
            **options,
        )
        arrays[f"x_{split}"], labels = to_arrays(dataset)
        if labels is not None:
            arrays[f"y_{split}"] = labels
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    try:
        np.savez_compressed(part, **arrays)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
