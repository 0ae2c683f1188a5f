"""What kzoo does to any `tf.data.Dataset`; TensorFlow is imported when a function is called."""

import numpy as np


def without_autotuning(dataset):
    """The data set without autotuning, unless it was asked for.

    When a pass ends, TensorFlow 2.21 waits for the autotuning thread, which sleeps for .01, .02,
    .04, ... seconds: a pass takes up to twice its time.
    """
    import tensorflow as tf

    if dataset.options().autotune.enabled:
        return dataset
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def on_first_batch(dataset, look, images_of):
    """The data set, whose first batch of images is looked at once, on its way.

    Args:
        dataset: a batched `tf.data.Dataset`.
        look: function of the images, a NumPy array; called in the first pass alone.
        images_of: function of a batch of tensors that returns what `look` is to see.
    """
    import tensorflow as tf

    unseen = [True]  # until the first pass has begun

    def look_once(images):
        if unseen:
            unseen.clear()
            look(images)
        return np.int64(0)

    def pass_on(index, batch):
        images = images_of(batch)
        tf.cond(
            tf.equal(index, 0),
            lambda: tf.numpy_function(look_once, [images], tf.int64),
            lambda: tf.constant(0, tf.int64),
        )
        return batch

    return dataset.enumerate().map(pass_on)
