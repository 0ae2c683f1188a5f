import keras
import numpy as np
import pytest
from keras import ops

from kzoo import backend
from kzoo.layers import DiffAugment, DiffColor, DiffCutout, DiffTranslation
from kzoo.layers.diff_augment import _Spread

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (40, 16, 24, 3)).astype("float32")
LAYERS = (DiffColor, DiffTranslation, DiffCutout, DiffAugment)


def augmented(layer, images=IMAGES):
    return ops.convert_to_numpy(layer(images, training=True))


def test_translation_shifts_by_up_to_an_eighth_and_fills_with_zeros():
    outputs = augmented(DiffTranslation(seed=0))
    padded = np.pad(IMAGES, ((0, 0), (2, 2), (3, 3), (0, 0)))
    seen = set()
    for one, source in zip(outputs, padded, strict=True):
        shifts = [
            (i, j)
            for i in range(5)
            for j in range(7)
            if np.array_equal(one, source[i : i + 16, j : j + 24])
        ]
        assert len(shifts) == 1
        seen.update(shifts)
    assert {i for i, _ in seen} == set(range(5)) and {j for _, j in seen} == set(range(7))


def test_cutout_sets_half_the_sides_to_zero():
    outputs = augmented(DiffCutout(seed=0), np.ones((200, 16, 24, 3), "float32"))
    assert set(np.unique(outputs)) == {0.0, 1.0}
    rows, columns = (outputs == 0).any((2, 3)), (outputs == 0).any((1, 3))
    np.testing.assert_array_equal(outputs[..., 0] == 0, rows[:, :, None] & columns[:, None])
    # The centre is one of the pixels 0 .. side; at its ends a half of the rectangle lies outside.
    assert rows.sum(1).min() == 4 and rows.sum(1).max() == 8
    assert columns.sum(1).min() == 6 and columns.sum(1).max() == 12


def test_color_keeps_the_image_but_for_three_numbers():
    images = np.repeat(IMAGES[:1], 500, axis=0)
    outputs = np.asarray(augmented(DiffColor(seed=0), images), "float64")
    image = np.asarray(IMAGES[0], "float64")
    grey = image.mean(-1, keepdims=True)
    # Of every output: brightness, contrast and saturation as it was made of them.
    brightness = outputs.mean((1, 2, 3)) - image.mean()
    contrast = (outputs.mean(-1) * (grey[..., 0] - grey.mean())).sum((1, 2)) / np.sum(
        (grey - grey.mean()) ** 2
    )
    colour = outputs - outputs.mean(-1, keepdims=True)
    saturation = (colour * (image - grey)).sum((1, 2, 3)) / np.sum((image - grey) ** 2) / contrast
    ranges = ((brightness, -0.5, 0.5), (contrast, 0.5, 1.5), (saturation, 0, 2))
    for values, low, high in ranges:
        assert low - 1e-4 <= values.min() and values.max() <= high + 1e-4
        deviation = (high - low) / 12**0.5
        assert abs(values.mean() - (low + high) / 2) < 5 * deviation / 500**0.5
        assert abs(values.std() / deviation - 1) < 0.15
    rest = [a.reshape(-1, 1, 1, 1) for a in (brightness, contrast, saturation)]
    expected = (grey - grey.mean() + rest[2] * (image - grey)) * rest[1] + image.mean() + rest[0]
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


@pytest.mark.parametrize("layer", LAYERS)
def test_only_in_training_and_by_the_seed(layer):
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(seed=0)(IMAGES)), IMAGES)
    first, again, other = (augmented(layer(seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


@pytest.mark.parametrize("layer", (DiffTranslation, DiffCutout))
def test_the_gradient_is_the_transpose(layer):
    """Of a linear map A: <A x, y> = <x, A' y>."""
    layer = layer(seed=keras.random.SeedGenerator(0))
    state = ops.convert_to_numpy(layer.seed_generator.state.value)
    other = RNG.normal(size=IMAGES.shape).astype("float32")
    fn = lambda x: ops.sum(layer(x, training=True) * ops.array(other))  # noqa: E731
    value, gradient = map(ops.convert_to_numpy, backend.input_gradient(fn, ops.array(IMAGES)))
    np.testing.assert_allclose(float(value), np.sum(IMAGES * gradient), 1e-3)
    layer.seed_generator.state.assign(state)
    np.testing.assert_allclose(float(value), np.sum(augmented(layer) * other), 1e-3)


def test_the_gradient_flows_through_all():
    layer = DiffAugment(seed=0)
    fn = lambda x: ops.sum(ops.square(layer(x, training=True)))  # noqa: E731
    _, gradient = backend.input_gradient(fn, ops.array(IMAGES))
    gradient = ops.convert_to_numpy(gradient)
    assert np.isfinite(gradient).all() and (gradient != 0).mean() > 0.4


def test_the_order_is_that_of_the_names():
    outputs = augmented(DiffAugment("cutout,color", seed=0))
    layers = DiffCutout(seed=keras.random.SeedGenerator(0)), DiffColor()
    layers[1].seed_generator = layers[0].seed_generator
    np.testing.assert_array_equal(outputs, augmented(layers[1], augmented(layers[0])))


@pytest.mark.parametrize("layer", [*(layer(seed=3) for layer in LAYERS), DiffCutout(0.25, seed=1)])
def test_config_round_trip(layer):
    copy = type(layer).from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    np.testing.assert_array_equal(augmented(layer), augmented(copy))


def test_in_a_model(tmp_path):
    inputs = keras.Input((16, 24, 3))
    model = keras.Model(inputs, DiffAugment("color,translation", seed=0)(inputs))
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    assert copy(IMAGES, training=True).shape == IMAGES.shape
    assert copy.layers[1].policies == ["color", "translation"]


def test_float32_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        outputs = DiffAugment(seed=0)(IMAGES, training=True)
    finally:
        keras.config.set_dtype_policy("float32")
    assert keras.backend.standardize_dtype(outputs.dtype) == "float32"


@pytest.mark.parametrize("ratio", [0, 1, -0.5])
def test_wrong_ratio(ratio):
    with pytest.raises(ValueError, match="ratio must be between 0 and 1"):
        DiffTranslation(ratio)


@pytest.mark.parametrize("policies", ["colour", ["color", 3]])
def test_wrong_policies(policies):
    with pytest.raises(ValueError, match="policies must name policies of 'color', 'translation'"):
        DiffAugment(policies)


@pytest.mark.parametrize("layer", LAYERS)
def test_spread_numbers_are_the_same_each_time(layer):
    first, again, other = (
        ops.convert_to_numpy(layer(seed=0).spread(IMAGES, key)) for key in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_spread_numbers_by_hand():
    """Brightness of image i and key t: frac((i + 1) sqrt 2 + t sqrt 3) - .5, in grey images."""
    grey = np.full((5, 4, 4, 1), 0.25, "float32")
    outputs = ops.convert_to_numpy(DiffColor().spread(grey, 7))
    numbers = (np.arange(1, 6) * np.sqrt(2) + 7 * np.sqrt(3)) % 1
    np.testing.assert_allclose(outputs[:, 0, 0, 0], 0.25 + numbers - 0.5, atol=1e-5)


def test_spread_numbers_are_spread_evenly():
    numbers = _Spread(2)
    for _ in range(7):  # all that the three policies take
        values = np.sort(
            ops.convert_to_numpy(numbers.uniform(np.zeros((256, 1)), 0.0, 1.0)).ravel()
        )
        assert np.abs(values - (np.arange(256) + 0.5) / 256).max() < 0.03
