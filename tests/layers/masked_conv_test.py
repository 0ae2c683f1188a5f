"""Masks by perturbing every input, values by a direct sum, pixels against whole images."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.layers import MaskedConv2D

HEIGHT, WIDTH = 4, 5


def built_layer(filters, kernel_size, mask_type, groups=1, features=1):
    layer = MaskedConv2D(filters, kernel_size, mask_type, groups)
    layer.build((None, HEIGHT, WIDTH, features))
    rng = np.random.default_rng(0)
    # Positive weights cannot cancel, so that an output changes whenever it may.
    layer.kernel.assign(rng.uniform(0.5, 1.5, layer.kernel.shape))
    layer.bias.assign(rng.normal(size=layer.bias.shape))
    return layer


def group_of(feature, features, groups):
    """Group by counting: the first features belong to the first channel, and so on."""
    edges = [-(-features * g // groups) for g in range(groups + 1)]
    return next(g for g in range(groups) if edges[g] <= feature < edges[g + 1])


CASES = [  # mask_type, kernel_size, groups, features, filters
    ("A", 3, 1, 1, 2),
    ("B", 3, 1, 2, 1),
    ("A", 7, 3, 3, 6),
    ("B", 3, 3, 6, 6),
    ("B", 1, 3, 6, 9),
    ("A", 5, 2, 2, 3),
    ("B", 3, 3, 7, 5),
]


@pytest.mark.parametrize("mask_type, kernel_size, groups, features, filters", CASES)
def test_an_output_depends_on_exactly_what_comes_before(
    mask_type, kernel_size, groups, features, filters
):
    layer = built_layer(filters, kernel_size, mask_type, groups, features)
    places = list(itertools.product(range(HEIGHT), range(WIDTH), range(features)))
    x = np.random.default_rng(1).normal(size=(1, HEIGHT, WIDTH, features)).astype("float32")
    perturbed = np.repeat(x, len(places), axis=0)
    for i, place in enumerate(places):
        perturbed[(i, *place)] += 1.0
    change = ops.convert_to_numpy(layer(perturbed)) - ops.convert_to_numpy(layer(x))

    margin = kernel_size // 2
    for (i, (row, column, feature)), out_row, out_column, out_feature in itertools.product(
        enumerate(places), range(HEIGHT), range(WIDTH), range(filters)
    ):
        source = group_of(feature, features, groups)
        target = group_of(out_feature, filters, groups)
        near = abs(row - out_row) <= margin and abs(column - out_column) <= margin
        if (row, column) == (out_row, out_column):
            earlier = source < target or (mask_type == "B" and source == target)
        else:
            earlier = (row, column) < (out_row, out_column)
        changed = abs(change[i, out_row, out_column, out_feature]) > 0.1
        assert changed == (near and earlier), (places[i], out_row, out_column, out_feature)


def test_values_are_the_sum_over_the_window():
    layer = built_layer(filters=4, kernel_size=3, mask_type="B", groups=2, features=2)
    x = np.random.default_rng(1).normal(size=(3, HEIGHT, WIDTH, 2)).astype("float32")
    kernel, bias = (ops.convert_to_numpy(w) for w in (layer.kernel, layer.bias))
    row, column = 2, 3
    # The three pixels above, the one to the left, and the pixel itself.
    taps = [(-1, -1, 0, 0), (-1, 0, 0, 1), (-1, 1, 0, 2), (0, -1, 1, 0)]
    expected = bias + sum(x[:, row + r, column + c] @ kernel[i, j] for r, c, i, j in taps)
    expected[:, :2] += x[:, row, column, :1] @ kernel[1, 1, :1, :2]  # group 0 sees itself only
    expected[:, 2:] += x[:, row, column] @ kernel[1, 1, :, 2:]
    y = ops.convert_to_numpy(layer(x))
    np.testing.assert_allclose(y[:, row, column], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kernel_size", [3, 7])
def test_pixels_from_the_cache_equal_the_whole_convolution(kernel_size):
    layer = built_layer(filters=4, kernel_size=kernel_size, mask_type="B", groups=2, features=3)
    x = np.random.default_rng(1).normal(size=(2, HEIGHT, WIDTH, 3)).astype("float32")
    y = ops.convert_to_numpy(layer(x))
    rows = layer.initial_rows(2, WIDTH)
    assert tuple(rows.shape) == (2, kernel_size // 2, WIDTH, 3)
    for row in range(HEIGHT):
        row_cache, pixels = layer.row_cache(rows), layer.initial_row(2, WIDTH)
        for column in range(WIDTH):
            pixels = layer.store(pixels, ops.convert_to_tensor(x[:, row, column]), column)
            pixel = ops.convert_to_numpy(layer.step(row_cache, pixels, column))
            np.testing.assert_allclose(pixel, y[:, row, column], rtol=1e-5, atol=1e-5)
        rows = layer.next_rows(rows, pixels)


def test_pointwise_convolution_of_single_pixels():
    layer = built_layer(filters=4, kernel_size=1, mask_type="B", groups=2, features=3)
    x = np.random.default_rng(1).normal(size=(2, HEIGHT, WIDTH, 3)).astype("float32")
    y = ops.convert_to_numpy(layer(x))
    pixel = ops.convert_to_numpy(layer(x[:, 1, 2]))
    np.testing.assert_allclose(pixel, y[:, 1, 2], rtol=1e-5, atol=1e-5)


def test_config_round_trip():
    layer = MaskedConv2D(6, 5, "A", groups=3, kernel_initializer="zeros", name="first")
    copy = MaskedConv2D.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    inputs = keras.Input((HEIGHT, WIDTH, 3))
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, HEIGHT, WIDTH, 6)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"mask_type": "C"}, "mask_type must be one of .* got 'C'"),
        ({"kernel_size": 4}, "odd and positive, got 4"),
        ({"kernel_size": 0}, "odd and positive, got 0"),
        ({"kernel_size": "3"}, "odd and positive, got '3'"),
        ({"filters": "many"}, "filters must be a positive integer, got 'many'"),
        ({"groups": 9}, "got groups=9"),
        ({"groups": 0}, "got groups=0"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        MaskedConv2D(**{"filters": 8, "kernel_size": 3, "mask_type": "B", **arguments})


def test_wrong_inputs():
    with pytest.raises(ValueError, match="at least as many input features, got 2"):
        MaskedConv2D(8, 3, "B", groups=3)(np.zeros((1, 4, 4, 2), "float32"))
    with pytest.raises(ValueError, match="batch, height, width, features"):
        MaskedConv2D(8, 3, "B")(np.zeros((1, 4, 4), "float32"))
