"""`apply_gradients` makes the updates of Keras's optimizers."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo import backend

SHAPES = ((3, 4), (4,), (2, 3, 2))


def variables():
    rng = np.random.default_rng(0)
    return [keras.Variable(rng.normal(size=shape).astype("float32")) for shape in SHAPES]


def gradients(step):
    rng = np.random.default_rng(step + 1)
    # The second variable has small ones, where epsilon counts.
    scales = (1.0, 1e-7, 10.0)
    return [
        ops.convert_to_tensor((scale * rng.normal(size=shape)).astype("float32"))
        for scale, shape in zip(scales, SHAPES, strict=True)
    ]


def trained(optimizer, apply, steps=5):
    values = variables()
    for step in range(steps):
        apply(optimizer, gradients(step), values)
    return [ops.convert_to_numpy(variable.value) for variable in values]


def adam(**options):
    return keras.optimizers.Adam(**{"learning_rate": 0.01, "beta_1": 0.5, **options})


OPTIMIZERS = {
    "adam": adam,
    "schedule": lambda: adam(learning_rate=keras.optimizers.schedules.CosineDecay(0.01, 6)),
    "clipped": lambda: adam(global_clipnorm=1.0),
    "averaged": lambda: adam(use_ema=True, ema_momentum=0.5),
    "amsgrad": lambda: adam(amsgrad=True),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01),
    "rmsprop of CFG": lambda: keras.optimizers.RMSprop(2.5e-4, rho=0.95, epsilon=1e-37),
    "momentum": lambda: keras.optimizers.RMSprop(0.01, momentum=0.5),
    "centered": lambda: keras.optimizers.RMSprop(0.01, centered=True),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update_is_that_of_keras(name):
    optimizers = [OPTIMIZERS[name](), OPTIMIZERS[name]()]
    ours = trained(optimizers[0], backend.apply_gradients)
    keras_own = trained(optimizers[1], lambda optimizer, *rest: optimizer.apply(*rest))
    for a, b in zip(ours, keras_own, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    for a, b in zip(optimizers[0].variables, optimizers[1].variables, strict=True):
        a, b = ops.convert_to_numpy(a.value), ops.convert_to_numpy(b.value)
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-12)


def test_adam_is_algorithm_1():
    """Kingma, Ba 2015 (arXiv:1412.6980), algorithm 1, with epsilon as at the end of section 2."""
    expected = [ops.convert_to_numpy(variable.value).astype("float64") for variable in variables()]
    first, second = [np.zeros(shape) for shape in SHAPES], [np.zeros(shape) for shape in SHAPES]
    for t in range(1, 6):
        rate = 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.5**t)
        for i, gradient in enumerate(gradients(t - 1)):
            g = ops.convert_to_numpy(gradient).astype("float64")
            first[i] = 0.5 * first[i] + 0.5 * g
            second[i] = 0.999 * second[i] + 0.001 * g**2
            expected[i] -= rate * first[i] / (np.sqrt(second[i]) + 1e-7)
    for a, b in zip(trained(adam(), backend.apply_gradients), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_rows_of_an_embedding_that_are_looked_up_several_times():
    """Adam's first step has the length of its rate, whatever the gradient."""
    layer = keras.layers.Embedding(3, 2, "zeros")
    layer.build((None,))
    labels = ops.convert_to_tensor([0, 0, 0, 0, 1], "int32")
    factors = ops.convert_to_tensor(np.arange(1, 11, dtype="float32").reshape(5, 2))
    variables, optimizer = [layer.embeddings], keras.optimizers.Adam(0.1)
    optimizer.build(variables)
    _, gradients = backend.value_and_grad(lambda: ops.sum(layer(labels) * factors), variables)
    assert tuple(gradients[0].shape) == (3, 2)
    np.testing.assert_allclose(ops.convert_to_numpy(gradients[0]), [[16, 20], [9, 10], [0, 0]])
    backend.apply_gradients(optimizer, gradients, variables)
    moved = ops.convert_to_numpy(layer.embeddings.value)
    np.testing.assert_allclose(moved, [[-0.1, -0.1], [-0.1, -0.1], [0, 0]], rtol=1e-4)


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_weights_that_are_transposed_in_memory(name):
    """An update goes by the order of the numbers, not by that in memory."""
    matrix = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    results = []
    for value in (ops.transpose(ops.array(matrix.T.copy())), ops.array(matrix)):
        variable = keras.Variable(value)
        optimizer = OPTIMIZERS[name]()
        optimizer.build([variable])
        for step in range(3):
            backend.apply_gradients(optimizer, gradients(step)[:1], [variable])
        results.append(ops.convert_to_numpy(variable.value))
    np.testing.assert_array_equal(*results)
