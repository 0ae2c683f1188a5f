"""TensorFlow: steps of optimizers, and what `fit` and `evaluate` of Keras do."""

import functools
import random

import keras
import numpy as np
import tensorflow as tf

from kzoo.backend.common import in_turn, replaced
from kzoo.backend.tensorflow import on_gpu
from kzoo.datasets.arrays import ArrayDataset
from kzoo.datasets.tf_data import without_autotuning


def apply_gradients(optimizer, gradients, variables):
    """`optimizer.apply`, with one operation per variable where the optimizer is Adam.

    Keras composes an update of Adam of some twenty operations per variable.

    Args:
        optimizer: a Keras optimizer.
        gradients: list of tensors.
        variables: list of `keras.Variable`s.
    """
    if type(optimizer) is not keras.optimizers.Adam or optimizer.amsgrad:
        optimizer.apply(gradients, variables)
        return
    step = tf.cast(optimizer.iterations.value + 1, tf.float32)
    powers = (optimizer.beta_1**step, optimizer.beta_2**step)
    with replaced(optimizer, "update_step", functools.partial(_adam, optimizer, powers)):
        optimizer.apply(gradients, variables)


def _adam(optimizer, powers, gradient, variable, learning_rate):
    if isinstance(gradient, tf.IndexedSlices) or tf.distribute.has_strategy():
        keras.optimizers.Adam.update_step(optimizer, gradient, variable, learning_rate)
        return
    dtype = variable.dtype
    index = optimizer._get_variable_index(variable)
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=optimizer._momentums[index].value.handle,
        v=optimizer._velocities[index].value.handle,
        beta1_power=tf.cast(powers[0], dtype),
        beta2_power=tf.cast(powers[1], dtype),
        lr=tf.cast(learning_rate, dtype),
        beta1=tf.constant(optimizer.beta_1, dtype),
        beta2=tf.constant(optimizer.beta_2, dtype),
        epsilon=tf.constant(optimizer.epsilon, dtype),
        grad=tf.cast(gradient, dtype),
    )


def add_to(variable, value):
    """Adds a tensor or a number to a `keras.Variable`."""
    variable.assign_add(value)


# What Keras takes with arrays only, or knows better how to count on them.
_ARRAYS_ONLY = {
    "validation_split",
    "sample_weight",
    "class_weight",
    "steps",
    "steps_per_epoch",
    "validation_steps",
    "_use_cached_eval_dataset",
}


def pipeline(x, y=None, batch_size=None, shuffle=False):
    """Arrays, or a data set of kzoo's or tf.data's, as a data set without autotuning.

    Keras makes data sets with autotuning of arrays, whose epochs end late: see
    `without_autotuning`.

    Args:
        x: anything that `keras.Model.fit` takes.
        y: labels or `None`.
        batch_size: images per batch of arrays; 32 if `None`.
        shuffle: whether arrays, or the batches of an `ArrayDataset`, come in a new order in every
            epoch.

    Returns:
        The `tf.data.Dataset`; what else Keras takes comes back as it is.
    """
    if hasattr(x, "element_spec"):
        return without_autotuning(x)
    if isinstance(x, ArrayDataset):
        return without_autotuning(_from_array_dataset(x, shuffle))
    arrays = (x,) if y is None else (x, y)
    if not all(isinstance(a, np.ndarray) and len(a) == len(x) and len(a) for a in arrays):
        return x
    floats = keras.config.floatx()
    with tf.device("CPU"):
        tensors = [tf.constant(a.astype(floats) if a.dtype.kind == "f" else a) for a in arrays]
    data = tf.data.Dataset.range(len(x))
    if shuffle:
        data = data.shuffle(len(x))
    size = batch_size or 32
    # TensorFlow's loops are faster where the number of images is known when it traces them.
    data = data.batch(size, drop_remainder=len(x) % size == 0)
    data = data.map(lambda index: tuple(tf.gather(a, index) for a in tensors))
    return without_autotuning(data.prefetch(1))


def _from_array_dataset(data, shuffle):
    size = (
        data.batch_size if data.num_examples % data.batch_size == 0 or data.drop_remainder else None
    )

    def batches():
        """One epoch, in Keras's order; it ends with the last batch, whoever asks for more."""
        order = list(range(len(data)))
        if shuffle:
            random.shuffle(order)
        last = order.pop()
        for index in order:
            yield _parts(data[index])
        batch = data[last]
        data.on_epoch_end()
        yield _parts(batch)

    spec = tuple(tf.TensorSpec((size, *a.shape[1:]), a.dtype) for a in _parts(data[0]))
    dataset = tf.data.Dataset.from_generator(batches, output_signature=spec)
    return dataset.apply(tf.data.experimental.assert_cardinality(len(data))).prefetch(1)


def _parts(batch):
    return batch if isinstance(batch, tuple) else (batch,)


class StepTrainer:
    """Runs `_train(data) -> logs` and `_test(data) -> logs` under `fit` and `evaluate`."""

    def fit(self, x=None, y=None, batch_size=None, **kwargs):
        """`keras.Model.fit` on data that do not wait for the autotuning of tf.data."""
        kwargs["callbacks"] = in_turn(kwargs.get("callbacks"), on_gpu())
        given = kwargs.get("validation_data")
        if kwargs.keys() & _ARRAYS_ONLY:
            return super().fit(x, y, batch_size=batch_size, **kwargs)
        if given is not None:
            images, labels = (
                (*given, None)[:2] if isinstance(given, tuple | list) else (given, None)
            )
            size = kwargs.get("validation_batch_size") or batch_size
            data = pipeline(images, labels, size)
            if hasattr(data, "element_spec"):
                kwargs |= {"validation_data": data, "validation_batch_size": None}
        data = pipeline(x, y, batch_size, kwargs.get("shuffle", True))
        if hasattr(data, "element_spec"):
            x, y, batch_size, kwargs["shuffle"] = data, None, None, False
        return super().fit(x, y, batch_size=batch_size, **kwargs)

    def evaluate(self, x=None, y=None, batch_size=None, **kwargs):
        """`keras.Model.evaluate` on data that do not wait for the autotuning of tf.data."""
        kwargs["callbacks"] = in_turn(kwargs.get("callbacks"), on_gpu())
        if not kwargs.keys() & _ARRAYS_ONLY:
            data = pipeline(x, y, batch_size)
            if hasattr(data, "element_spec"):
                x, y, batch_size = data, None, None
        return super().evaluate(x, y, batch_size=batch_size, **kwargs)

    def make_train_function(self, force=False):
        """Keras's function of an iterator, which on a CPU takes the batch outside of the graph.

        An iterator in the graph costs half a millisecond more per step.
        """
        if self.train_function is not None and not force:
            return
        super().make_train_function(force)
        if (
            self.steps_per_execution > 1
            or self.run_eagerly
            or self.distribute_strategy.num_replicas_in_sync > 1
            or on_gpu()
        ):
            return
        in_graph, programs = self.train_function, {}  # one program per type of batch

        def train_function(iterator):
            if not isinstance(iterator, tf.data.Iterator):
                return in_graph(iterator)
            spec = iterator.element_spec
            key = str(spec)
            if key not in programs:
                programs[key] = tf.function(
                    self.train_step,
                    input_signature=(spec,),
                    autograph=False,
                    jit_compile=self.jit_compile or None,
                )
            return programs[key](next(iterator))

        self.train_function = train_function

    def train_step(self, data):
        return self._train(data)

    def test_step(self, data):
        return self._test(data)

    def sync_state(self):
        """Nothing to do: `fit` works on the variables themselves."""
