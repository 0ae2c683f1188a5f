"""TensorFlow: `fit` and `evaluate` without a thread that tunes their pipeline.

Keras makes a `tf.data` pipeline of arrays and of a `PyDataset`, and has TensorFlow tune it. The
thread that does so sleeps for 5.12, 10.24, 20.48 ... seconds, and the end of an epoch does not wake
it but waits for it. A pass of 12 seconds then takes 20.
"""

import random

import keras
import tensorflow as tf

from kzoo.backend import fast

AHEAD = 2  # batches that are prepared while the model trains


def own_pipelines():
    """Whether `pipeline` makes a pipeline of its own."""
    return fast.uses("untuned_pipelines")


def pipeline(data, shuffle=False):
    """What Keras's `fit` and `evaluate` get in place of a `PyDataset`, and of its `shuffle`.

    That is a `tf.data.Dataset` without tuning, which calls `on_epoch_begin` before its first batch
    is made and `on_epoch_end` after its last. Data without end, and those that read by threads or
    processes of their own, stay as they are.

    Args:
        data: what `fit` gets as `x`.
        shuffle: whether batches come in any order, as Python's `random` draws it.
    """
    if not own_pipelines() or not isinstance(data, keras.utils.PyDataset):
        return data, shuffle
    if data.workers > 1 or data.use_multiprocessing or data.num_batches is None:
        return data, shuffle

    def batches():
        data.on_epoch_begin()
        order = list(range(data.num_batches))
        if shuffle:
            random.shuffle(order)
        for index in order[:-1]:
            yield data[index]
        last = data[order[-1]]
        data.on_epoch_end()  # not after the yield, from which Keras may not return
        yield last

    spec = keras.tree.map_structure(_spec, data[0])
    data.on_epoch_end()  # of which this was no part: the next one has an order of its own
    dataset = tf.data.Dataset.from_generator(batches, output_signature=spec)
    options = tf.data.Options()
    options.autotune.enabled = False
    length = tf.data.experimental.assert_cardinality(data.num_batches)
    return dataset.apply(length).prefetch(AHEAD).with_options(options), False


def _spec(array):
    """What a batch may be: the last one is often smaller."""
    dtype = tf.as_dtype(array.dtype) if array.dtype.kind not in "SU" else tf.string
    return tf.TensorSpec((None, *array.shape[1:]), dtype)
