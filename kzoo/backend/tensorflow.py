"""TensorFlow: gradient tapes, `tf.while_loop` and `tf.function`."""

import contextlib
import functools

import tensorflow as tf

from kzoo.backend import common, fast
from kzoo.backend.common import program_of, split_aux, split_scale, unscaled, update_scale
from kzoo.backend.fast import mirrored, untuned

_ZERO = tf.UnconnectedGradients.ZERO

#: The formats of `model.export`, and the package that writes each.
EXPORTS = {"tf_saved_model": "tensorflow", "onnx": "tf2onnx", "litert": "tensorflow"}
#: How many examples an exported program takes at a time: `None` for any number.
EXPORTED_BATCH = None


def value_and_grad(fn, variables):
    """The value of a loss and its gradients with respect to variables.

    Args:
        fn: a function without arguments that returns a scalar `loss` or `(loss, aux)`.
        variables: list of `keras.Variable`s.

    Returns:
        `((loss, aux), gradients)`, one gradient per variable and of its shape, zero where the
        loss does not depend on the variable; `aux` is `None` if `fn` returned none.
    """
    with tf.GradientTape() as tape:
        loss, aux = split_aux(fn())
    values = [variable.value for variable in variables]
    gradients = tape.gradient(loss, values, unconnected_gradients=_ZERO)
    # Of an embedding they are rows, as often as each was looked up. Keras's optimizers would square
    # these one by one, and not their sum.
    return (loss, aux), [tf.convert_to_tensor(gradient) for gradient in gradients]


def apply_gradients(optimizer, gradients, variables, scaler=None):
    """One step of a Keras optimizer.

    Under a `tf.distribute` strategy a replica sees a part of the batch, and the optimizer adds up
    their gradients: each counts 1 / replicas, so that losses are means over the whole batch.

    Args:
        optimizer: a Keras optimizer built on the variables, or a `LossScaleOptimizer` of one.
        gradients: list of tensors.
        variables: list of `keras.Variable`s.
        scaler: the optimizer by whose `scale_loss` the loss was scaled, where that is not
            `optimizer`: a `LossScaleOptimizer` around several. Others do nothing.

    Raises:
        ValueError: for loss scaling on several replicas.
    """
    optimizer, scaler = split_scale(optimizer, scaler)
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    if replicas > 1:
        gradients = [gradient / replicas for gradient in gradients]
    if scaler is None:
        optimizer.apply(gradients, variables)
        return
    if replicas > 1:
        raise ValueError(
            f"Loss scaling (mixed_float16) takes one replica, got {replicas}: use mixed_bfloat16."
        )
    gradients, finite = unscaled([tf.convert_to_tensor(g) for g in gradients], scaler)

    def apply():
        optimizer.apply(gradients, variables)
        return tf.constant(0)  # both branches have to return something

    tf.cond(finite, apply, lambda: tf.constant(0))
    update_scale(scaler, finite)


def replica():
    """`(index, count)` of the `tf.distribute` replica that runs this."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return 0, tf.distribute.get_strategy().num_replicas_in_sync
    return context.replica_id_in_sync_group, context.num_replicas_in_sync


def replica_mean(x):
    """The mean of a tensor over the replicas; outside of them, there is one program for all."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return x
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, x)


def input_gradient(fn, x):
    """The value of a function and the gradient of its sum with respect to its input.

    For an `fn` that treats every example on its own, row i of the gradient is the gradient of
    the i-th value. Inside `value_and_grad` the gradient can itself be differentiated.

    Args:
        fn: a function of one tensor that returns one tensor.
        x: the tensor to differentiate at.

    Returns:
        `(fn(x), gradient)`, the gradient having the shape of `x`.
    """
    if common.exported_format() == "litert":
        raise RuntimeError("LiteRT has no operations for gradients: choose another format.")
    x = tf.convert_to_tensor(x)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        value = fn(x)
    return value, tape.gradient(value, x, unconnected_gradients=_ZERO)


def convolution(x, kernel, strides):
    """Convolves x (b, h, w, c) with kernel_size // 2 zeros on every side."""
    return _convolutions().convolution(x, kernel, strides)


def transposed_convolution(x, kernel, strides):
    """The transpose of `convolution`: x (b, h, w, c) to (b, h strides, w strides, f)."""
    return _convolutions().transposed_convolution(x, kernel, strides)


def _convolutions():
    fits = fast.uses("mirrored_convolutions") and not tf.config.list_logical_devices("GPU")
    return mirrored if fits else common


def repeat(n, body, carry):
    """Runs `carry = body(i, carry)` for i = 0 .. n-1, as one loop in the graph where there is one.

    Args:
        n: number of repetitions, an int or an integer scalar tensor.
        body: `body(i, carry) -> carry`; keeps the structure, shapes and dtypes of `carry`; may
            read and assign variables.
        carry: a tensor or a (nested) tuple of tensors, possibly empty.

    Returns:
        The last `carry`.
    """
    if not tf.inside_function():
        for i in range(int(n)):
            carry = body(i, carry)
        return carry
    carry = tf.nest.map_structure(tf.convert_to_tensor, carry)
    # One iteration at a time: the bodies assign variables that the next iteration reads.
    _, carry = tf.while_loop(
        lambda i, _: i < n,
        lambda i, carry: (i + 1, body(i, carry)),
        (tf.constant(0), carry),
        parallel_iterations=1,
    )
    return carry


def map_batches(function, x, size, start=0, beside=(), in_turn=False):
    """Applies a function to batches of x and joins what it returns.

    Args:
        function: batch (size, ...) -> tensor of the same shape and dtype; it may not assign
            variables, for batches may be under way at the same time, unless `in_turn`.
        x: tensor (n, ...), n a static multiple of `size`.
        size: of a batch.
        start: how many batches at the front stay as they are, an int or an int32 scalar tensor.
        beside: further tensors (n, ...), whose batches the function takes too.
        in_turn: whether a batch waits for the one before, as random numbers from a seed need it.

    Returns:
        Tensor of the shape of x.
    """
    count = x.shape[0] // size
    parts = tf.reshape(x, (count, size, *x.shape[1:]))
    if not tf.inside_function():
        start = int(start)
        beside = [tf.reshape(a, (count, size, *a.shape[1:])) for a in beside]
        done = [function(*each) for each in zip(parts[start:], *(a[start:] for a in beside))]
        return tf.concat([*parts[:start], *done], 0)
    all_of_them = isinstance(start, int) and start == 0
    if count == 1 and all_of_them:
        return function(x, *beside)

    def one(element):
        i, part, *further = element
        if all_of_them:
            return function(part, *further)
        # Not a map from `start` on: XLA has to know how many.
        return tf.cond(i < start, lambda: part, lambda: function(part, *further))

    beside = [tf.reshape(a, (count, size, *a.shape[1:])) for a in beside]
    parts = tf.map_fn(
        one,
        (tf.range(count), parts, *beside),
        fn_output_signature=x.dtype,
        parallel_iterations=1 if in_turn else None,
    )
    return tf.reshape(parts, x.shape)


def row(variable, index):
    """`variable[index]` (...) of a `keras.Variable` (n, ...), `index` an int32 scalar tensor."""
    # Not by an index: after `assign_row` every other way of reading copies the whole variable.
    return tf.gather(variable.value, index)


def assign_row(variable, index, value):
    """Assigns `value` (...) to `variable[index]`: see `row`."""
    variable.value.scatter_update(tf.IndexedSlices(value, index))


def scan(body, carry, steps, reverse=False):
    """Runs `carry, output = body(carry, step)` along the first axis, as one loop in the graph.

    It is not differentiable on every backend: use it inside of `keras.ops.custom_gradient`.

    Args:
        body: `body(carry, step) -> (carry, output)`; keeps the shapes and dtypes of `carry`; may
            not assign variables.
        carry: tuple of tensors.
        steps: tuple of tensors (T, ...), T static; `step` is a tuple of what they hold at t.
        reverse: whether to run t from T-1 to 0.

    Returns:
        `(carry, outputs)`: the last carry, and a tuple of tensors (T, ...), in the order of
        `steps` whatever the direction.
    """
    length = steps[0].shape[0]
    order = range(length - 1, -1, -1) if reverse else range(length)
    if common.exported_format() or not tf.inside_function():
        outputs = [None] * length
        for t in order:
            carry, outputs[t] = body(carry, tuple(a[t] for a in steps))
        return carry, tuple(tf.stack(parts) for parts in zip(*outputs, strict=True))
    carry = tuple(tf.convert_to_tensor(a) for a in carry)
    # The first step is outside of the loop: it tells how many outputs there are.
    carry, first = body(carry, tuple(a[order[0]] for a in steps))
    arrays = tuple(
        tf.TensorArray(a.dtype, length, element_shape=a.shape).write(order[0], a) for a in first
    )

    def step(i, carry, arrays):
        t = length - 1 - i if reverse else i
        carry, outputs = body(carry, tuple(a[t] for a in steps))
        arrays = tuple(a.write(t, x) for a, x in zip(arrays, outputs, strict=True))
        return i + 1, carry, arrays

    state = (tf.constant(1), carry, arrays)
    _, carry, arrays = tf.while_loop(lambda i, *_: i < length, step, state, parallel_iterations=1)
    return carry, tuple(a.stack() for a in arrays)


def compiled(method):
    """Makes a method of a Keras model one compiled program, or part of the one it is called in.

    Array arguments are traced; ints, floats, bools, strings and `None` are constants of the
    program, which is compiled once per value. The method may assign the model's variables.
    """

    return _compiled(method, reduce_retracing=True)


def compiled_loops(method):
    """`compiled` for long loops over small matrix products, with static shapes."""
    return _compiled(method, jit_compile=True)  # XLA makes these fast on a CPU too


def _compiled(method, **options):
    @functools.wraps(method)
    def wrapper(self, *args, **kwargs):
        if tf.inside_function():
            return method(self, *args, **kwargs)

        def make():
            return tf.function(functools.partial(method, self), autograph=False, **options)

        # A program that trains holds the optimizer that it was traced with.
        key = method.__qualname__, getattr(self, "optimizer", None)
        return program_of(self, key, make)(*args, **kwargs)

    return wrapper


def devices():
    """The names of what Keras can compute on."""
    return [device.name for device in tf.config.list_logical_devices()]


def loops_compile():
    """Whether a `train_step` made of long loops should be compiled by XLA.

    Not on a CPU, where XLA runs a convolution inside a loop about 20 times slower.
    """
    return bool(tf.config.get_visible_devices("GPU"))


own_pipelines, pipeline = untuned.own_pipelines, untuned.pipeline


def _after(data):
    """Has all operations wait for the data.

    Keras takes the batch within the graph. Where the data have come to their end, what does not
    depend on the batch, such as counting steps, would run once more.
    """
    return tf.control_dependencies([a for a in tf.nest.flatten(data) if tf.is_tensor(a)])


class StepTrainer:
    """Runs `_train(data) -> logs` and `_test(data) -> logs` under `fit` and `evaluate`."""

    def train_step(self, data):
        with _after(data):
            return self._train(data)

    def test_step(self, data):
        with _after(data):
            return self._test(data)

    def with_state(self):
        """Nothing to do: `fit` works on the variables themselves."""
        return contextlib.nullcontext()


class KerasTrainer:
    """Keras's own `train_step` is one step of all devices already."""
