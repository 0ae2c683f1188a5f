"""Masks by perturbing every input, pixels against whole images."""

import itertools

import numpy as np
import pytest
from keras import ops

from kzoo.layers import MaskedRowConv2D

WIDTH = 5


def built_layer(features, **options):
    layer = MaskedRowConv2D(**options)
    layer.build((None, None, None, features))
    rng = np.random.default_rng(0)
    # Positive weights cannot cancel, so that an output changes whenever it may.
    layer.kernel.assign(rng.uniform(0.5, 1.5, layer.kernel.shape))
    layer.bias.assign(rng.normal(size=layer.bias.shape))
    return layer


@pytest.mark.parametrize(
    "mask_type, kernel_size, groups, blocks, features, filters",
    [("A", 3, 1, 1, 2, 2), ("B", 3, 1, 2, 1, 2), ("A", 7, 3, 2, 3, 6), ("B", 1, 2, 4, 4, 16)],
)
def test_an_output_depends_on_exactly_what_comes_before(
    mask_type, kernel_size, groups, blocks, features, filters
):
    layer = built_layer(
        features,
        filters=filters,
        kernel_size=kernel_size,
        mask_type=mask_type,
        groups=groups,
        blocks=blocks,
    )
    places = list(itertools.product(range(2), range(WIDTH), range(features)))
    x = np.zeros((len(places) + 1, 2, WIDTH, features), "float32")
    for i, place in enumerate(places):
        x[(i, *place)] = 1.0
    y = ops.convert_to_numpy(layer(x))
    changed = abs(y[:-1] - y[-1]) > 0.1
    size = filters // blocks
    for (i, (row, column, feature)), out_row, out_column, out_feature in itertools.product(
        enumerate(places), range(2), range(WIDTH), range(filters)
    ):
        source = feature * groups // features
        target = (out_feature % size) * groups // size  # each block has all groups
        earlier = column < out_column or (
            column == out_column and (source < target or (mask_type == "B" and source == target))
        )
        near = out_column - column <= kernel_size // 2
        expected = row == out_row and earlier and near
        assert changed[i, out_row, out_column, out_feature] == expected


@pytest.mark.parametrize("width_of_addend", [1, WIDTH])
def test_pixels_of_a_row_equal_the_whole_convolution(width_of_addend):
    layer = built_layer(3, filters=4, kernel_size=5, mask_type="B", groups=2, blocks=2)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2, 1, WIDTH, 3)).astype("float32")
    addend = rng.normal(size=(2, width_of_addend, 4)).astype("float32")
    y = ops.convert_to_numpy(layer(x))[:, 0] + addend
    row_cache, row = layer.row_cache(ops.convert_to_tensor(addend)), layer.initial_row(2, WIDTH)
    for column in range(WIDTH):
        row = layer.store(row, ops.convert_to_tensor(x[:, 0, column]), column)
        pixel = ops.convert_to_numpy(layer.step(row_cache, row, column))
        np.testing.assert_allclose(pixel, y[:, column], rtol=1e-5, atol=1e-5)


def test_config_round_trip():
    layer = MaskedRowConv2D(6, 5, "A", groups=3, blocks=2, use_bias=False, name="gates")
    assert MaskedRowConv2D.from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"mask_type": "C"}, "mask_type must be one of .* got 'C'"),
        ({"kernel_size": 4}, "odd and positive, got 4"),
        ({"blocks": 4}, "multiple of `blocks`=4, .* got 6"),
        ({"groups": 4, "blocks": 2}, "at least `groups`=4 features in each, got 6"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        MaskedRowConv2D(**{"filters": 6, "kernel_size": 3, "mask_type": "A", **arguments})
