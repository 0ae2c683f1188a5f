"""Symmetric convolutions against their definition, and the transposed one as their adjoint."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo import backend
from kzoo.layers import SymmetricConv2D, SymmetricConv2DTranspose

# size of the image, kernel, strides
CASES = [(8, 5, 2), (7, 5, 2), (4, 5, 2), (9, 3, 3), (7, 7, 3), (6, 3, 2), (5, 3, 1), (6, 1, 1)]


def convolve(x, kernel, strides):
    """The definition: output pixel i is centred on input pixel strides * i."""
    size, margin = kernel.shape[0], kernel.shape[0] // 2
    padded = np.pad(x, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    rows, columns = (-(-side // strides) for side in x.shape[1:3])
    y = np.zeros((len(x), rows, columns, kernel.shape[3]))
    for i in range(rows):
        for j in range(columns):
            top, left = strides * i, strides * j
            patch = padded[:, top : top + size, left : left + size]
            y[:, i, j] = np.einsum("bijc,ijcf->bf", patch, kernel)
    return y


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


@pytest.mark.parametrize("features", [1, 3, 6])
@pytest.mark.parametrize("size, kernel, strides", CASES)
def test_convolution_is_its_definition(size, kernel, strides, features):
    x, weights = random(2, size, size + 1, features), random(kernel, kernel, features, 4, seed=1)
    y = backend.convolution(ops.convert_to_tensor(x), ops.convert_to_tensor(weights), strides)
    assert np.allclose(ops.convert_to_numpy(y), convolve(x, weights, strides), atol=1e-4)


@pytest.mark.parametrize("size, kernel, strides", CASES)
def test_transposed_convolution_is_the_adjoint(size, kernel, strides):
    x, weights = random(2, size, size, 4), random(kernel, kernel, 3, 4, seed=1)
    y = random(2, size * strides, size * strides, 3, seed=2)
    up = backend.transposed_convolution(
        ops.convert_to_tensor(x), ops.convert_to_tensor(weights), strides
    )
    up = ops.convert_to_numpy(up)
    assert up.shape == y.shape
    assert np.isclose((up * y).sum(), (convolve(y, weights, strides) * x).sum(), rtol=1e-4)


@pytest.mark.parametrize("features, size, strides", [(2, 4, 2), (6, 4, 2), (6, 3, 2), (6, 3, 3)])
def test_gradients_match_finite_differences(features, size, strides):
    up = SymmetricConv2DTranspose(features, 5, strides=strides, activation="tanh")
    down = SymmetricConv2D(3, 5, strides=2, activation="tanh")
    network = keras.Sequential([keras.Input((size, size, 2)), up, down])
    x = ops.convert_to_tensor(random(2, size, size, 2))
    variables = [up.kernel, down.kernel, up.bias, down.bias]
    _, gradients = backend.value_and_grad(lambda: ops.sum(network(x) ** 2), variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        value = np.array(ops.convert_to_numpy(variable.value))  # a copy
        direction = random(*value.shape, seed=3)
        ends = []
        for sign in (1, -1):
            variable.assign(value + sign * 2e-3 * direction)
            ends.append(float(ops.convert_to_numpy(ops.sum(network(x) ** 2))))
        variable.assign(value)
        slope = (ends[0] - ends[1]) / 4e-3
        gradient = ops.convert_to_numpy(gradient)
        atol = 1e-3 * np.linalg.norm(gradient)
        assert np.isclose(slope, (gradient * direction).sum(), rtol=1e-2, atol=atol)


@pytest.mark.parametrize("layer_class", [SymmetricConv2D, SymmetricConv2DTranspose])
@pytest.mark.parametrize("features", [3, 6])
def test_input_gradient_under_strides_can_be_differentiated(layer_class, features):
    """d/dw of sum((dy/dx)^2) under strides, against finite differences."""
    layer = layer_class(2, 5, strides=2, activation="tanh")
    layer.build((None, 4, 4, features))
    layer.bias.assign([0.3, -0.2])
    x = ops.convert_to_tensor(random(2, 4, 4, features))

    def penalty():
        _, gradient = backend.input_gradient(layer, x)
        return ops.sum(ops.square(gradient))

    _, gradients = backend.value_and_grad(penalty, [layer.kernel])
    value = np.array(ops.convert_to_numpy(layer.kernel.value))
    direction = random(*value.shape, seed=3)
    ends = []
    for sign in (1, -1):
        layer.kernel.assign(value + sign * 1e-3 * direction)
        ends.append(float(ops.convert_to_numpy(penalty())))
    slope = (ends[0] - ends[1]) / 2e-3
    assert np.isclose(slope, (ops.convert_to_numpy(gradients[0]) * direction).sum(), rtol=1e-2)


def test_input_gradient_can_be_differentiated():
    """As a gradient penalty needs it: d/dw of sum((dy/dx)^2) of a linear layer, by hand."""
    layer = SymmetricConv2D(1, 3, use_bias=False)
    layer.build((None, 3, 3, 1))

    def penalty():
        _, gradient = backend.input_gradient(layer, ops.zeros((1, 3, 3, 1)))
        return ops.sum(gradient**2)

    value, (gradient,) = backend.value_and_grad(penalty, [layer.kernel])
    kernel = ops.convert_to_numpy(layer.kernel.value)
    # dy/dx at pixel p sums the kernel over the outputs that see p: all but those outside.
    reach = np.zeros((3, 3, *kernel.shape))
    for i in range(3):
        for j in range(3):
            for row in range(3):
                for column in range(3):
                    if 0 <= i - row + 1 < 3 and 0 <= j - column + 1 < 3:
                        reach[i, j, row, column] = 1.0
    sums = (reach * kernel).sum(axis=(2, 3, 4, 5))
    assert np.isclose(float(value[0]), (sums**2).sum(), rtol=1e-4)
    expected = np.einsum("ij,ijrcxy->rcxy", 2 * sums, reach)
    assert np.allclose(ops.convert_to_numpy(gradient), expected, atol=1e-4)


@pytest.mark.parametrize("layer_class", [SymmetricConv2D, SymmetricConv2DTranspose])
def test_shape_and_config(layer_class):
    layer = layer_class(4, 5, strides=2, use_bias=False)
    model = keras.Sequential([keras.Input((6, 6, 3)), layer])
    copy = keras.Sequential.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    x = random(2, 6, 6, 3)
    outputs = ops.convert_to_numpy(model(x))
    assert outputs.shape[1:] == model.output_shape[1:]
    assert np.array_equal(outputs, ops.convert_to_numpy(copy(x)))


@pytest.mark.parametrize("layer_class", [SymmetricConv2D, SymmetricConv2DTranspose])
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"kernel_size": 4}, "kernel_size must be odd, got 4"),
        ({"kernel_size": (3, 5)}, "kernel_size must be one positive int"),
        ({"kernel_size": 1.5}, "kernel_size must be one positive int for both sides, got 1.5"),
        ({"kernel_size": 3, "strides": 0}, "strides must be one positive int"),
        ({"kernel_size": 3, "padding": "valid"}, "padding='same', got 'valid'"),
        ({"kernel_size": 3, "dilation_rate": 2}, "dilation_rate=1, got 2"),
        ({"kernel_size": 3, "data_format": "channels_first"}, "channels_first"),
    ],
)
def test_errors_name_the_value(layer_class, arguments, message):
    with pytest.raises(ValueError, match=message):
        layer_class(4, **arguments)
