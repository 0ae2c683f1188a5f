"""TensorFlow: gradient tapes, `tf.while_loop` and `tf.function`."""

import functools

import tensorflow as tf

from kzoo.backend.common import compiled_cache, split_aux

_ZERO = tf.UnconnectedGradients.ZERO
_FEW = 4  # features of an image: oneDNN wants 8 or more


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
    return (loss, aux), tape.gradient(loss, values, unconnected_gradients=_ZERO)


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
    x = tf.convert_to_tensor(x)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        value = fn(x)
    return value, tape.gradient(value, x, unconnected_gradients=_ZERO)


def batch_norm(x, gamma, beta, epsilon):
    """Normalizes x (b, h, w, c) over all but the channels, with the statistics of x.

    Args:
        x: (b, h, w, c).
        gamma, beta: scale and offset (c,).
        epsilon: added to the variance.

    Returns:
        `(gamma (x - mean) / sqrt(variance + epsilon) + beta, mean, variance)`, the statistics (c,)
        being constants for the gradient.
    """
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=x, scale=gamma, offset=beta, mean=[], variance=[], epsilon=epsilon, is_training=True
    )
    # TensorFlow returns the unbiased estimate of the variance, Keras keeps the biased one.
    count = tf.cast(tf.reduce_prod(tf.shape(x)[:-1]), variance.dtype)
    variance = variance * (count - 1) / count
    return outputs, tf.stop_gradient(mean), tf.stop_gradient(variance)


def convolution(x, kernel, strides, bias=None):
    """Convolves x with kernel_size // 2 zeros on every side.

    Args:
        x: (b, h, w, c).
        kernel: (k, k, c, f), k odd.
        strides: int, of both sides.
        bias: (f,), or `None` for none.

    Returns:
        (b, ceil(h / strides), ceil(w / strides), f).
    """
    kernel = tf.convert_to_tensor(kernel)  # custom gradients take no variables
    if strides == 1:
        outputs = tf.nn.conv2d(x, kernel, 1, "SAME")
    else:
        outputs = _convolved(x, kernel, strides)
    return outputs if bias is None else tf.nn.bias_add(outputs, bias)


def transposed_convolution(x, kernel, strides, bias=None):
    """The transpose of `convolution`, for outputs of `strides` times the size.

    Args:
        x: (b, h, w, c).
        kernel: (k, k, f, c), k odd.
        strides: int, of both sides.
        bias: (f,), or `None` for none.

    Returns:
        (b, h * strides, w * strides, f).
    """
    kernel = tf.convert_to_tensor(kernel)
    batch, height, width = (tf.shape(x)[i] if x.shape[i] is None else x.shape[i] for i in range(3))
    shape = (batch, height * strides, width * strides, kernel.shape[2])
    if strides == 1:
        outputs = tf.nn.conv2d_transpose(x, kernel, shape, 1, "SAME")
    else:
        outputs = _transposed(x, kernel, strides, shape)
    return outputs if bias is None else tf.nn.bias_add(outputs, bias)


def _convolved(x, kernel, strides):
    """A convolution, whose gradient for x is `_transposed`."""
    shape = tuple(tf.shape(x)[i] if size is None else size for i, size in enumerate(x.shape))

    @tf.custom_gradient
    def convolve(x, kernel):
        def gradients(upstream):
            return (
                _transposed(upstream, kernel, strides, shape),
                _kernel_gradient(x, kernel, upstream, strides),
            )

        return tf.nn.conv2d(_padded(x, kernel), kernel, strides, "VALID"), gradients

    return convolve(x, kernel)


def _transposed(x, kernel, strides, shape):
    """The transpose of a convolution of tensors of this shape."""

    @tf.custom_gradient
    def transpose(x, kernel):
        def gradients(upstream):
            return (
                _convolved(upstream, kernel, strides),
                _kernel_gradient(upstream, kernel, x, strides),
            )

        if shape[-1] <= _FEW:
            return _transposed_to_few(x, kernel, strides, shape), gradients
        axes = _mirrored_axes(kernel, strides, shape)
        if axes is not None:
            outputs = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=shape,
                filter=_mirrored(kernel, [axis - 1 for axis in axes]),
                out_backprop=_mirrored(x, axes),
                strides=[1, strides, strides, 1],
                padding="SAME",
            )
            return _mirrored(outputs, axes), gradients
        margin = kernel.shape[0] // 2
        batch, height, width, features = shape
        padded = (batch, height + 2 * margin, width + 2 * margin, features)
        outputs = tf.nn.conv2d_transpose(x, kernel, padded, strides, "VALID")
        # Not by indices: their gradient is far slower than that of tf.slice, which pads.
        return tf.slice(outputs, (0, margin, margin, 0), shape), gradients

    return transpose(x, kernel)


def _transposed_to_few(x, kernel, strides, shape):
    """A transposed convolution to few features: on a CPU oneDNN's is up to 5 times slower."""
    margin = kernel.shape[0] // 2
    # This operation is up to 20 times slower in less than float32.
    wide = x.dtype if x.dtype.size >= 4 else tf.float32
    outputs = tf.raw_ops.Conv2DBackpropInput(
        input_sizes=shape,
        filter=tf.cast(kernel, wide),
        out_backprop=tf.cast(x, wide),
        strides=[1, strides, strides, 1],
        padding="EXPLICIT",
        explicit_paddings=[0, 0, margin, margin, margin, margin, 0, 0],
    )
    return tf.cast(outputs, x.dtype)


def _kernel_gradient(x, kernel, upstream, strides):
    """The gradient of a convolution of x with respect to the kernel."""
    axes = _mirrored_axes(kernel, strides, x.shape)
    gradient = tf.raw_ops.Conv2DBackpropFilter(
        input=_padded(x, kernel) if axes is None else _mirrored(x, axes),
        filter_sizes=kernel.shape,
        out_backprop=upstream if axes is None else _mirrored(upstream, axes),
        strides=[1, strides, strides, 1],
        padding="VALID" if axes is None else "SAME",
    )
    return gradient if axes is None else _mirrored(gradient, [axis - 1 for axis in axes])


def _padded(x, kernel):
    # By tf.pad: with explicit padding of its own, conv2d goes without oneDNN on a CPU.
    margin = (kernel.shape[0] // 2,) * 2
    return tf.pad(x, ((0, 0), margin, margin, (0, 0)))


def _mirrored_axes(kernel, strides, shape):
    """The axes of an image along which "SAME" padding is ours if they are mirrored.

    Under strides 2, TensorFlow's "SAME" puts one zero more behind an image of even size than in
    front of it; with kernel_size // 2 zeros on both sides a convolution leaves out the last one
    behind. On a CPU oneDNN skips "SAME"'s zeros, and computes with those of `tf.pad`.

    Returns:
        List of axes; `None` if there is no such correspondence, or nothing to gain, on a GPU.
    """
    if on_gpu():
        return None
    axes = []
    for axis in (1, 2):
        size = shape[axis]
        if not isinstance(size, int):
            return None
        zeros = max((-(-size // strides) - 1) * strides + kernel.shape[0] - size, 0)
        if zeros - zeros // 2 != kernel.shape[0] // 2:
            return None
        axes += [axis] if zeros % 2 else []
    return axes


def _mirrored(x, axes):
    return tf.reverse(x, axes) if axes else x


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


def map_batches(function, x, size, start=0, beside=()):
    """Applies a function to batches of x and joins what it returns.

    Args:
        function: batch (size, ...) -> tensor of the same shape and dtype; it may not assign
            variables, for batches may be under way at the same time.
        x: tensor (n, ...), n a static multiple of `size`.
        size: of a batch.
        start: how many batches at the front stay as they are, an int or an int32 scalar tensor.
        beside: further tensors (n, ...), whose batches the function takes too.

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
    # Two at a time: a CPU's cores wait for each other within an operation, not between two.
    parts = tf.map_fn(
        one, (tf.range(count), parts, *beside), fn_output_signature=x.dtype, parallel_iterations=2
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
    if not tf.inside_function():
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
        cache = compiled_cache(self)
        if method.__qualname__ not in cache:
            cache[method.__qualname__] = tf.function(
                functools.partial(method, self), autograph=False, **options
            )
        return cache[method.__qualname__](*args, **kwargs)

    return wrapper


def on_gpu():
    """Whether TensorFlow runs on a GPU."""
    return bool(tf.config.get_visible_devices("GPU"))


def loops_compile():
    """Whether a `train_step` made of long loops should be compiled by XLA.

    Not on a CPU, where XLA runs a convolution inside a loop about 20 times slower.
    """
    return on_gpu()
