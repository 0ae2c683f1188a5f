"""The backend functions against finite differences and closed forms, on the backend in use."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo import backend
from kzoo.backend import fast


def numpy(x):
    return ops.convert_to_numpy(x)


@pytest.fixture
def network():
    """A smooth network with batch norm, 3 -> 4 -> 1, built."""
    network = keras.Sequential(
        [
            keras.layers.Dense(4, activation="tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
        ]
    )
    network.build((None, 3))
    return network


@pytest.fixture
def x():
    return ops.convert_to_tensor(np.random.RandomState(0).randn(6, 3), "float32")


def finite_differences(fn, x, step=1e-2):
    """Central differences of a scalar function of a NumPy array, in float64 arithmetic."""
    gradient = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (fn(up) - fn(down)) / (2 * step)
    return gradient


def test_value_and_grad_matches_finite_differences(network, x):
    variables = network.trainable_variables

    def loss():
        y = network(x, training=False)
        return ops.mean(ops.square(y)), ops.sum(y)

    (value, aux), gradients = backend.value_and_grad(loss, variables)
    y = numpy(network(x, training=False))
    np.testing.assert_allclose(numpy(value), np.mean(y**2), rtol=1e-5)
    np.testing.assert_allclose(numpy(aux), y.sum(), rtol=1e-5)
    for variable, gradient in zip(variables, gradients, strict=True):
        initial = numpy(variable)

        def loss_at(value, variable=variable):
            variable.assign(value)
            return float(np.mean(numpy(network(x, training=False)).astype("float64") ** 2))

        expected = finite_differences(loss_at, initial)
        variable.assign(initial)
        np.testing.assert_allclose(numpy(gradient), expected, atol=2e-3)


def test_value_and_grad_is_zero_for_variables_without_influence(network, x):
    other = keras.Variable(np.ones((2, 2), "float32"))
    (_, aux), (gradient,) = backend.value_and_grad(lambda: ops.sum(network(x)), [other])
    assert aux is None
    np.testing.assert_array_equal(numpy(gradient), np.zeros((2, 2)))


def test_value_and_grad_keeps_batch_norm_updates_and_leaves_weights(network, x):
    before = [numpy(v) for v in network.trainable_variables]
    moving_mean = network.layers[1].moving_mean
    hidden = numpy(network.layers[0](x))
    backend.value_and_grad(lambda: ops.sum(network(x, training=True)), network.trainable_variables)
    np.testing.assert_allclose(numpy(moving_mean), 0.01 * hidden.mean(0), atol=1e-6)
    for v, value in zip(network.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(numpy(v), value)


@pytest.mark.parametrize("training", [False, True])
def test_input_gradient_matches_finite_differences(network, x, training):
    value, gradient = backend.input_gradient(lambda x: network(x, training=training), x)
    np.testing.assert_allclose(numpy(value), numpy(network(x, training=training)), atol=1e-5)

    def total(x):
        y = network(ops.convert_to_tensor(x, "float32"), training=training)
        return float(numpy(y).astype("float64").sum())

    np.testing.assert_allclose(
        numpy(gradient), finite_differences(total, numpy(x)), atol=3e-3, rtol=1e-2
    )


def test_input_gradient_of_a_constant_is_zero(x):
    _, gradient = backend.input_gradient(lambda x: ops.ones((6, 1)) + 0 * x[:, :1], x)
    np.testing.assert_array_equal(numpy(gradient), np.zeros((6, 3)))


def test_gradient_penalty_second_derivative():
    """d/dw of ||d/dx (w x^3)||^2 = (3 w x^2)^2 is 18 w x^4, through both functions at once."""
    w = keras.Variable(np.float32(2.0))
    x = ops.convert_to_tensor(np.array([[0.5], [1.5]], "float32"))

    def penalty():
        _, gradient = backend.input_gradient(lambda x: w * x**3, x)
        return ops.sum(ops.square(gradient))

    (value, _), (gradient,) = backend.value_and_grad(penalty, [w])
    xs = np.array([0.5, 1.5])
    np.testing.assert_allclose(numpy(value), np.sum((6 * xs**2) ** 2), rtol=1e-5)
    np.testing.assert_allclose(numpy(gradient), np.sum(18 * 2 * xs**4), rtol=1e-5)


class Counter(keras.layers.Layer):
    """A variable that `run` advances in loops; counts how often Python entered the body."""

    def build(self, input_shape=None):
        self.total = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.python_calls = 0

    def body(self, i, carry):
        self.python_calls += 1
        self.total.assign_add(ops.cast(i, "float32"))
        return carry[0] + ops.cast(i, "float32") * carry[1], carry[1]

    @backend.compiled
    def run(self, n, x, scale):
        return backend.repeat(n, self.body, (x, ops.convert_to_tensor(scale, "float32")))[0]

    @backend.compiled
    def nested(self, x):
        def row(i, x):
            return backend.repeat(3, lambda j, x: self.body(j, (x, x * 0 + 1.0))[0], x)

        return backend.repeat(2, row, x)

    @backend.compiled
    def add(self, x):
        self.total.assign_add(ops.sum(x))
        return x + 1


@pytest.fixture
def counter():
    counter = Counter()
    counter.build()
    return counter


def test_repeat_carries_values_and_variables(counter):
    x = np.array([1.0, 2.0], "float32")
    result = numpy(counter.run(5, x, 2.0))  # 1 + 2 (0 + 1 + 2 + 3 + 4)
    np.testing.assert_allclose(result, [21.0, 22.0])
    np.testing.assert_allclose(numpy(counter.total), 10.0)
    np.testing.assert_allclose(numpy(counter.run(5, x, 2.0)), result)
    np.testing.assert_allclose(numpy(counter.total), 20.0)


def test_repeat_zero_times(counter):
    np.testing.assert_allclose(numpy(counter.run(0, np.ones(2, "float32"), 1.0)), [1.0, 1.0])
    np.testing.assert_allclose(numpy(counter.total), 0.0)


def test_repeat_is_not_unrolled(counter):
    counter.run(50, np.ones(2, "float32"), 1.0)
    eager = keras.backend.backend() == "torch"
    assert counter.python_calls == 50 if eager else counter.python_calls < 5


def test_repeat_nests(counter):
    np.testing.assert_allclose(numpy(counter.nested(np.zeros(1, "float32"))), [6.0])
    np.testing.assert_allclose(numpy(counter.total), 6.0)


def test_repeat_outside_of_a_program():
    carry = backend.repeat(4, lambda i, c: c * 2, ops.ones(()))
    np.testing.assert_allclose(numpy(carry), 16.0)


def test_compiled_updates_variables_at_every_call(counter):
    for calls in (1, 2, 3):
        np.testing.assert_allclose(numpy(counter.add(np.ones(2, "float32"))), [2.0, 2.0])
        np.testing.assert_allclose(numpy(counter.total), 2.0 * calls)


def test_compiled_takes_other_shapes(counter):
    assert counter.add(np.ones(2, "float32")).shape == (2,)
    assert tuple(counter.add(np.ones((3, 2), "float32")).shape) == (3, 2)
    np.testing.assert_allclose(numpy(counter.total), 8.0)


class Loops(keras.layers.Layer):
    """Methods of small operations, which a backend may record and replay."""

    @backend.compiled_loops
    def fill(self, x, weight):
        """x (b, n, f): a row in which each column is the one before times the weight, plus x."""
        row = ops.zeros_like(x)
        first = row

        def body(i, row):
            at = (0, i, 0)
            size = (x.shape[0], 1, x.shape[2])
            before = ops.squeeze(ops.slice(row, (0, ops.maximum(i - 1, 0), 0), size), 1)
            value = ops.matmul(before, weight) + ops.squeeze(ops.slice(x, at, size), 1)
            return ops.slice_update(row, at, value[:, None])

        return backend.repeat(x.shape[1], body, row), first, x

    @backend.compiled_loops
    def products(self, a, b, c):
        product = ops.matmul(a, b)
        total = product + c
        again = product + 1.0
        return total, again, ops.relu(ops.matmul(a, c) + product)

    @backend.compiled_loops
    def overwritten(self, x):
        """A copy of what is still needed must stay a copy."""
        changed = ops.slice_update(x, (0, 0), ops.zeros((1, 1)))
        twice = ops.slice_update(changed, (0, 1), ops.ones((1, 1)))
        return x + 0.0, changed, twice, changed + twice

    @backend.compiled_loops
    def depends(self, x):
        return x if x[0] > 0 else -x


@pytest.mark.parametrize("seed", [0, 1])
def test_compiled_loops_give_what_numpy_gives(seed):
    rng = np.random.default_rng(seed)
    loops, x, weight = Loops(), rng.normal(size=(2, 5, 3)), rng.normal(size=(3, 3))
    for scale in (1.0, -2.0):  # the second call replays the first one's program
        inputs = [ops.convert_to_tensor(scale * a, "float32") for a in (x, weight)]
        filled, first, same = (ops.convert_to_numpy(a) for a in loops.fill(*inputs))
        expected = np.zeros_like(x)
        for i in range(5):
            expected[:, i] = expected[:, max(i - 1, 0)] @ (scale * weight) + scale * x[:, i]
        np.testing.assert_allclose(filled, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(first, 0)
        np.testing.assert_array_equal(same, ops.convert_to_numpy(inputs[0]))


def test_compiled_loops_keep_products_that_are_used_again():
    rng, loops = np.random.default_rng(0), Loops()
    a, b, c = (rng.normal(size=(3, 3)).astype("float32") for _ in range(3))
    expected = a @ b + c, a @ b + 1, np.maximum(a @ c + a @ b, 0)
    for _ in range(2):
        for result, value in zip(loops.products(a, b, c), expected, strict=True):
            np.testing.assert_allclose(ops.convert_to_numpy(result), value, rtol=1e-5, atol=1e-6)
    square = ops.convert_to_tensor(a)
    total, _, _ = loops.products(square, square, square)  # one tensor, given three times
    np.testing.assert_allclose(ops.convert_to_numpy(total), a @ a + a, rtol=1e-5, atol=1e-6)
    total, _, _ = loops.products(a, b, c)
    np.testing.assert_allclose(ops.convert_to_numpy(total), expected[0], rtol=1e-5, atol=1e-6)


def test_compiled_loops_copy_what_is_still_needed():
    loops = Loops()
    for x in ([[5.0, 6.0]], [[7.0, 8.0]]):
        x = np.array(x, "float32")
        given, changed, twice, total = (ops.convert_to_numpy(a) for a in loops.overwritten(x))
        np.testing.assert_array_equal(given, x)
        np.testing.assert_array_equal(changed, [[0, x[0, 1]]])
        np.testing.assert_array_equal(twice, [[0, 1]])
        np.testing.assert_array_equal(total, [[0, x[0, 1] + 1]])


class Rows(keras.Model):
    """A weight of three rows, for what changes or reads one of them."""

    def __init__(self):
        super().__init__()
        self.rows = self.add_weight(shape=(3, 2), initializer="ones")

    @backend.compiled
    def assign(self, index, value):
        backend.assign_row(self.rows, index, value)

    @backend.compiled
    def plus_sums(self, x, start=0):
        return backend.map_batches(lambda part: part + ops.sum(part), x, 2, start)


def test_rows_are_assigned():
    model = Rows()
    for index, value in ((2, 5.0), (0, 7.0), (2, 6.0)):
        model.assign(ops.convert_to_tensor(index, "int32"), ops.full((2,), value))
    np.testing.assert_array_equal(numpy(model.rows), [[7, 7], [1, 1], [6, 6]])
    row = backend.row(model.rows, ops.convert_to_tensor(2, "int32"))
    np.testing.assert_array_equal(numpy(row), [6, 6])


@pytest.mark.parametrize("start", [0, 1, 3])
def test_batches_are_mapped_in_their_order(start):
    x = np.arange(12, dtype="float32").reshape(6, 2)
    expected = x + np.repeat(x.reshape(3, 4).sum(1), 2)[:, None]
    expected[: 2 * start] = x[: 2 * start]
    first = ops.convert_to_tensor(start, "int32")
    for result in (
        Rows().plus_sums(ops.convert_to_tensor(x), start),
        Rows().plus_sums(ops.convert_to_tensor(x), first),
        backend.map_batches(lambda part: part + ops.sum(part), ops.convert_to_tensor(x), 2, first),
    ):
        np.testing.assert_array_equal(numpy(result), expected)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="is about TensorFlow's XLA")
def test_batches_are_mapped_under_xla():
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def mapped(x, start):
        return backend.map_batches(lambda part: part + tf.reduce_sum(part), x, 2, start)

    result = mapped(tf.ones((6, 1)), tf.constant(1))
    np.testing.assert_array_equal(numpy(result)[:, 0], [1, 1, 3, 3, 3, 3])


@pytest.mark.skipif(keras.backend.backend() == "torch" and not fast.ON, reason="is eager")
def test_compiled_loops_do_not_depend_on_values():
    with pytest.raises(TypeError):
        Loops().depends(ops.ones((1,)))
