"""TensorFlow: `fit` and `evaluate` without a thread that tunes their pipeline.

Keras makes a `tf.data` pipeline of arrays and of a `PyDataset`, and has TensorFlow tune it. The
thread that does so sleeps for 5.12, 10.24, 20.48 ... seconds, and the end of an epoch does not wake
it but waits for it. A pass of 12 seconds then takes 20.
"""

import random

import keras
import tensorflow as tf

AHEAD = 2  # batches that are prepared while the model trains


def pipeline(data, shuffle=False):
    """A `tf.data.Dataset` of the batches of a `PyDataset` with an end, without tuning.

    Args:
        data: `keras.utils.PyDataset`. `on_epoch_begin` and `on_epoch_end` are called before its
            first batch is made and after its last.
        shuffle: whether its batches come in any order, as Python's `random` draws it.
    """

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
    return dataset.apply(length).prefetch(AHEAD).with_options(options)


def _spec(array):
    """What a batch may be: the last one is often smaller."""
    dtype = tf.as_dtype(array.dtype) if array.dtype.kind not in "SU" else tf.string
    return tf.TensorSpec((None, *array.shape[1:]), dtype)
