import keras
import numpy as np
import pytest
from keras import ops

from kzoo import backend
from kzoo.layers import SpectralNormalization, SymmetricConv2D

RNG = np.random.default_rng(0)


def numpy(x):
    return ops.convert_to_numpy(x)


def built(layer, *shape, **kwargs):
    """The layer, wrapped and built, with a random kernel and bias; and random inputs."""
    layer = SpectralNormalization(layer, **kwargs)
    layer.build((None, *shape))
    for variable in layer.layer.weights:
        variable.assign(RNG.normal(size=variable.shape))
    return layer, RNG.normal(size=(2, *shape)).astype("float32")


def largest(kernel):
    matrix = np.asarray(numpy(kernel), "float64").reshape(-1, kernel.shape[-1])
    return np.linalg.svd(matrix, compute_uv=False)[0]


@pytest.mark.parametrize(
    "layer, shape",
    [
        (lambda: keras.layers.Dense(5), (7,)),
        (lambda: keras.layers.Dense(1), (7,)),
        (lambda: keras.layers.Conv2D(6, 4, strides=2, padding="same"), (8, 8, 3)),
        (lambda: SymmetricConv2D(6, 5, strides=2), (8, 8, 3)),
    ],
)
def test_it_is_the_layer_with_a_kernel_of_norm_1(layer, shape):
    layer, x = built(layer(), *shape, power_iterations=40)
    for _ in range(5):
        layer(x, training=True)
    kernel, bias = map(numpy, layer.layer.get_weights())
    sigma = largest(kernel)
    outputs = numpy(layer(x))
    layer.layer.kernel.assign(kernel / sigma)
    np.testing.assert_allclose(outputs, numpy(layer.layer(x)), rtol=1e-3, atol=1e-3)
    assert abs(largest(layer.layer.kernel) - 1) < 1e-5
    np.testing.assert_array_equal(numpy(layer.layer.bias), bias)


def test_one_iteration_per_call_in_training_and_none_else():
    layer, x = built(keras.layers.Dense(5), 7)
    kernel = numpy(layer.layer.kernel)
    u = numpy(layer.u)
    layer(x)
    np.testing.assert_array_equal(numpy(layer.u), u)
    layer(x, training=True)
    v = kernel @ u / np.linalg.norm(kernel @ u)
    u = v @ kernel / np.linalg.norm(v @ kernel)
    np.testing.assert_allclose(numpy(layer.v), v, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(numpy(layer.u), u, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(numpy(layer.layer.kernel), kernel)


def test_several_iterations_per_call():
    once, x = built(keras.layers.Dense(5), 7)
    thrice, _ = built(keras.layers.Dense(5), 7, power_iterations=3)
    thrice.set_weights(once.get_weights())
    for _ in range(3):
        once(x, training=True)
    thrice(x, training=True)
    np.testing.assert_allclose(numpy(once.u), numpy(thrice.u), rtol=1e-5)


def test_the_gradient_is_equation_12():
    layer, x = built(keras.layers.Dense(5), 7)
    upstream = RNG.normal(size=(2, 5)).astype("float32")
    loss = lambda: ops.sum(layer(x, training=True) * ops.array(upstream))  # noqa: E731
    _, (gradient, of_bias) = backend.value_and_grad(loss, layer.trainable_variables)
    kernel, u, v = (np.asarray(numpy(a), "float64") for a in (layer.layer.kernel, layer.u, layer.v))
    sigma = v @ kernel @ u
    plain = np.asarray(x, "float64").T @ upstream  # the gradient with respect to W / sigma
    expected = (plain - np.sum(plain * kernel) / sigma * np.outer(v, u)) / sigma
    np.testing.assert_allclose(numpy(gradient), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(numpy(of_bias), upstream.sum(0), rtol=1e-5)


def test_the_gradient_of_the_gradient_of_the_input():
    layer, x = built(keras.layers.Dense(1), 7)
    layer(x, training=True)

    def penalty():
        _, gradient = backend.input_gradient(lambda x: layer(x, training=False), ops.array(x))
        return ops.sum(ops.square(gradient))

    (value, _), (gradient, _) = backend.value_and_grad(penalty, layer.trainable_variables)
    kernel, u, v = (np.asarray(numpy(a), "float64") for a in (layer.layer.kernel, layer.u, layer.v))
    sigma = v @ kernel @ u
    np.testing.assert_allclose(float(value), 2 * np.sum((kernel / sigma) ** 2), rtol=1e-5)
    expected = 4 * (kernel / sigma**2 - np.sum(kernel**2) / sigma**3 * np.outer(v, u))
    np.testing.assert_allclose(numpy(gradient), expected, rtol=1e-4, atol=1e-5)


def test_sigma_is_positive_before_the_first_training_step():
    layer = SpectralNormalization(keras.layers.Dense(5))
    layer.build((None, 7))
    kernel = numpy(layer.layer.kernel)
    sigma = numpy(layer.v) @ kernel @ numpy(layer.u)
    assert 0.9 * largest(layer.layer.kernel) < sigma < 1.001 * largest(layer.layer.kernel)


def test_mixed_precision():
    layer, x = built(keras.layers.Dense(5, dtype="mixed_bfloat16"), 7, dtype="mixed_bfloat16")
    outputs = layer(x, training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    assert keras.backend.standardize_dtype(layer.u.dtype) == "float32"
    np.testing.assert_allclose(np.linalg.norm(numpy(layer.u)), 1, rtol=1e-5)


def test_a_kernel_of_zeros():
    layer, x = built(keras.layers.Dense(5, use_bias=False), 7)
    layer.layer.kernel.assign(np.zeros((7, 5)))
    np.testing.assert_array_equal(numpy(layer(x, training=True)), 0)


def test_save_and_load(tmp_path):
    inputs = keras.Input((8, 8, 3))
    x = SpectralNormalization(keras.layers.Conv2D(4, 3), power_iterations=2)(inputs)
    model = keras.Model(inputs, x)
    x = RNG.normal(size=(2, 8, 8, 3)).astype("float32")
    model(x, training=True)
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    assert copy.layers[1].power_iterations == 2
    np.testing.assert_allclose(numpy(copy(x)), numpy(model(x)), rtol=1e-6)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: SpectralNormalization(3), "layer must be a Keras layer, got 3"),
        (lambda: SpectralNormalization(keras.layers.Dense(1), 0), "power_iterations"),
        (lambda: built(keras.layers.ReLU(), 3), "got ReLU"),
        (lambda: built(keras.layers.Conv2DTranspose(3, 3), 8, 8, 1), "got Conv2DTranspose"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
