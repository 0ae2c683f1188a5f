"""Data sets of TensorFlow Datasets (TFDS) as tf.data pipelines."""

import keras
import numpy as np

from kzoo.checks import check_positive_int
from kzoo.datasets import augmentation, catalog
from kzoo.datasets.preprocessing import Preprocessing

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
    features=None,
    binarize=None,
    augment=None,
    shuffle=None,
    seed=None,
    drop_remainder=False,
    cache=True,
    data_dir=None,
    download=True,
):
    """Loads an image data set of TensorFlow Datasets as a `tf.data.Dataset` of uint8 batches.

    The images are decoded, preprocessed and cached in memory (up to 4 GiB), then shuffled,
    batched, augmented, dynamically binarized and prefetched. A cached data set is shuffled as a
    whole, a larger one through a buffer of 1 GiB.

    With a `seed`, order and binarization are reproducible: the k-th pass over the returned data
    set is the same in every process, and differs from the other passes. Without one, NumPy's global
    generator draws them, whose seed `keras.utils.set_random_seed` sets. The result has a method
    `set_epoch(number)`: the next pass is then the one of this number, counted from 0.

    Args:
        name: TFDS name such as "mnist", "svhn_cropped" or "lsun/bedroom"; also a data set without
            TFDS code whose prepared files lie in `data_dir`. Without `features` it must have
            exactly one image feature.
        split: a split in TFDS's notation: "train", "train+extra", "test[:1000]".
        batch_size: images per batch, >= 1.
        image_size: int or (height, width) to resize to, by an antialiased Lanczos filter rounded
            to uint8. None keeps the size, which all images must then share.
        crop_to_aspect_ratio: whether the centre is cropped to the aspect ratio of `image_size`
            before the resize (a square for an int); False stretches the image.
        pad_to: int or (height, width) to zero-pad to, the image in the centre (28 -> 32 for MNIST).
        labels: True for the feature "label", or a feature's name: batches are then
            `(images, labels)`.
        features: names of features, at least one of them images: batches are then dicts of these,
            as TFDS has them. `("image", "label")` gives `{"image": ..., "label": ...}`. Size, crop,
            binarization and augmentation are the same for all images of an example.
        binarize: None, or images of 0 and 255 only: "dynamic" (255 with probability pixel / 255,
            drawn afresh in every pass), "static" (drawn once; depends on the seed, None as 0, and
            on the image's position in the split) or "threshold" (255 from 128 on).
        augment: a layer of Keras or keras-cv, such as `keras.layers.RandomFlip("horizontal")`, or
            a function, that gets a batch of uint8 images (TensorFlow tensors (b, h, w, c)) and
            returns images in [0, 255]. The images of an example are joined along the channels and
            so change together. The seed below does not apply to it: give the layer a seed of its
            own. It is tried once on noise. Not with "static" or "threshold".
        shuffle: whether every pass has a new order; None for all but test and validation splits
            ("train+test" is none).
        seed: integer >= 0, or None for a new one.
        drop_remainder: whether a last batch of fewer than `batch_size` images is left out.
        cache: whether decoded images are kept in memory.
        data_dir: folder of prepared data sets; None for $TFDS_DATA_DIR, else TFDS's default.
        download: whether a data set that is not in `data_dir` is downloaded and prepared.

    Returns:
        `tf.data.Dataset` of uint8 batches (b, height, width, channels), of pairs with labels (b,),
        or of dicts with `features`.

    Raises:
        ValueError: for an unknown data set, split, feature or option, for a data set of several
            image features without `features`, for a feature that differs in length between
            examples, or if the images of an example differ in size and are resized, padded or
            augmented.
        FileNotFoundError: if the data set is not in `data_dir` and cannot be downloaded.
        ImportError: without TensorFlow and TensorFlow Datasets.
    """
    batch_size = check_positive_int("batch_size", batch_size)
    options = Preprocessing(image_size, crop_to_aspect_ratio, pad_to, binarize, seed)
    augmentation.check_augment(augment, binarize)
    tf, tfds = catalog.import_tensorflow()
    builder = catalog.find_builder(name, data_dir)
    names, shapes = catalog.select_features(builder, labels, features)
    sizes_vary = any(None in shape[:2] for shape in shapes.values())
    if sizes_vary and options.image_size is None:
        raise ValueError(f"images of {name!r} may differ in size; pass image_size (--image-size)")
    options.check_same_size({key: shape[:2] for key, shape in shapes.items()})
    shapes = {  # after preprocessing
        key: (*options.output_size(shape[:2]), shape[2]) for key, shape in shapes.items()
    }
    if augment is not None:
        _try_on_noise(tf, augment, shapes)
    catalog.prepare(builder, download)  # only now that the rest of the request is known to be right
    num_examples = catalog.num_examples(builder, split)
    if shuffle is None:
        shuffle = any("test" not in p and "validation" not in p for p in split.split("+"))
    if drop_remainder and batch_size > num_examples:
        raise ValueError(
            f"batch_size {batch_size} with drop_remainder leaves no batch of {num_examples} images"
        )

    with catalog.quiet():
        dataset = builder.as_dataset(
            split=split,
            shuffle_files=False,
            decoders=tfds.decode.PartialDecoding(dict.fromkeys(names, True)),
            read_config=tfds.ReadConfig(try_autocache=False),  # cached below, preprocessed
        )
    dataset = dataset.map(lambda example: {key: example[key] for key in names})
    if not options.is_identity:
        dataset = _preprocess(tf, dataset, options, shapes, chunk=1 if sizes_vary else CHUNK)
    # Otherwise a pass that is ended early would leave a cache that seems to be whole.
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(num_examples))

    image_bytes = sum(int(np.prod(shape)) for shape in shapes.values())
    cached = cache and num_examples * image_bytes <= CACHE_BYTES
    if cached:
        dataset = dataset.cache()
    if shuffle:
        # The buffer of a cached data set only refers to the cache: it takes no memory of its own.
        buffer = num_examples if cached else min(num_examples, SHUFFLE_BYTES // image_bytes)
    known = drop_remainder or num_examples % batch_size == 0  # the size of every batch
    passes = _Passes(seed if shuffle or binarize == "dynamic" else 0)

    def one_pass(seed):
        """Batches, each with two numbers of its own."""
        examples = dataset
        if shuffle:
            tf.random.set_seed(1)  # of this function: the order depends on its own seed alone
            examples = examples.shuffle(max(1, buffer), seed=seed)
        batches = examples.batch(batch_size, known, num_parallel_calls=tf.data.AUTOTUNE)
        return batches.enumerate().map(lambda index, batch: (batch, tf.stack([seed, index])))

    batches = tf.data.Dataset.range(1).map(passes.begin).flat_map(one_pass)
    length = num_examples // batch_size if drop_remainder else -(-num_examples // batch_size)
    batches = batches.apply(tf.data.experimental.assert_cardinality(length))
    if augment is not None:
        # One batch after the other: otherwise a layer's random numbers would come in any order.
        batches = batches.map(lambda batch, seed: (batch | _augment(augment, batch, shapes), seed))

    def finish(batch, seed):
        if binarize == "dynamic":
            batch |= {key: _bernoulli(tf, batch[key], seed + i) for i, key in enumerate(shapes)}
        if features is not None:
            return batch
        return keras.tree.map_structure(batch.get, tuple(names) if labels else names[0])

    batches = batches.map(finish, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
    batches = batches.with_options(_without_autotuning(tf))
    batches.set_epoch = passes.set_epoch
    return batches


def _without_autotuning(tf):
    """Options of a pipeline.

    The thread that tunes one is not woken at the end of a pass: where the training keeps the CPU
    busy, `fit` then waits for its next turn, after 5.12, 10.24, 20.48 ... seconds of the epoch.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return options


class _Passes:
    """Gives every pass over a pipeline a seed.

    Args:
        seed: an int, for seeds that depend on it and on the number of the pass alone; `None` for
            seeds that NumPy's global generator draws.
    """

    def __init__(self, seed):
        self.seed = seed
        self.number = 0  # of the next pass

    def set_epoch(self, number):
        self.number = number

    def draw(self):
        entropy = [self.seed, self.number]
        if self.seed is None:
            entropy = [np.random.randint(2**63 - 1, dtype=np.int64)]
        self.number += 1
        return np.random.SeedSequence(entropy).generate_state(1, "uint64").astype("int64")[0]

    def begin(self, _):
        import tensorflow as tf

        seed = tf.numpy_function(self.draw, [], tf.int64)
        seed.set_shape(())
        return seed


def _preprocess(tf, dataset, options, shapes, chunk):
    """Runs the NumPy preprocessing over chunks of images (one image if their sizes differ)."""

    def apply(index, *images):
        options.check_same_size({key: x.shape[1:3] for key, x in zip(shapes, images)})
        return [options.apply(x, int(index) * chunk, i) for i, x in enumerate(images)]

    def preprocess(index, batch):
        images = [batch[key] for key in shapes]
        images = tf.numpy_function(apply, [index, *images], [tf.uint8] * len(images))
        for image, shape in zip(images, shapes.values()):
            image.set_shape((None, *shape))
        return batch | dict(zip(shapes, images))

    dataset = dataset.batch(chunk).enumerate()
    return dataset.map(preprocess, num_parallel_calls=tf.data.AUTOTUNE).unbatch()


def _augment(augment, batch, names):
    """{name: augmented images} of a batch."""
    return dict(zip(names, augmentation.augment_tensors(augment, [batch[key] for key in names])))


def _try_on_noise(tf, augment, shapes):
    """Tries an augmentation where it will run: in a tf.data pipeline."""

    def run(noise):
        dataset = tf.data.Dataset.from_tensors(noise)
        try:
            return next(iter(dataset.map(lambda x: augmentation.call(augment, x)))).numpy()
        except Exception as error:  # of whatever the user's function calls
            raise ValueError(
                f"augment failed on a batch of shape {noise.shape}: {error}\nHere it runs in a "
                "tf.data pipeline: pass an augmentation layer of Keras (several as one "
                "keras.layers.Pipeline) or a function of TensorFlow"
            ) from error

    augmentation.try_on_noise(run, shapes)


def _bernoulli(tf, images, seed):
    """uint8 images to 0 / 255, each pixel 255 with probability pixel / 255."""
    draws = tf.random.stateless_uniform(tf.shape(images), seed)
    return tf.cast(tf.where(draws * 255.0 < tf.cast(images, "float32"), 255, 0), tf.uint8)
