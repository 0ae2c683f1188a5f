import math

import keras
import numpy as np
import pytest
from keras import ops

from kzoo import PixelRNN, backend
from kzoo.models.autoregressive.pixelrnn.diagonal_bilstm import skew, unskew
from tests.models.autoregressive import pixel_checks as checks

VARIANTS = ["row_lstm", "diagonal_bilstm"]


def tiny(variant, image_shape=(3, 4, 1), levels=2, num_layers=2, **options):
    size = max(4, 2 * image_shape[-1])
    return PixelRNN(
        image_shape,
        levels,
        variant,
        units=size,
        num_layers=num_layers,
        head_filters=size,
        **options,
    )


# The distribution


def triangle(image_shape, num_layers):
    """What the Row LSTM's network sees [j, i]: by the first convolution, then layer by layer."""
    height, width, channels = image_shape
    rows, columns, values = (a.ravel() for a in np.indices(image_shape))
    dy, dx = rows - rows[:, None], columns - columns[:, None]  # from j to i
    before = np.triu(np.ones((rows.size,) * 2, bool), k=1)
    seen = before & (dy <= 3) & (abs(dx) <= 3)
    # A layer: one pixel to the left; or rows up, each one column to either side.
    one = (dy == 0) & (dx >= 0) & (dx <= 1) & ((dx > 0) | (values[:, None] <= values))
    up = (dy > 0) & (dx >= -dy) & (dx <= dy + 1)
    for _ in range(num_layers):
        seen = seen @ (one | up)
    return seen


def all_but_the_end_of_the_row_above(image_shape):
    """What the Diagonal BiLSTM's network sees [j, i].

    A row's features do not know the row's last value, which mask A hides from its own pixel: the
    next row has it from the first convolution only, 3 columns to either side.
    """
    rows, columns, _ = (a.ravel() for a in np.indices(image_shape))
    dy, dx = rows - rows[:, None], columns - columns[:, None]
    last = columns[:, None] == image_shape[1] - 1
    return np.triu(~(last & (dy == 1) & (dx < -3)), k=1)


@pytest.mark.parametrize(
    "variant, image_shape",
    [
        ("row_lstm", (3, 8, 1)),
        ("row_lstm", (2, 4, 3)),
        ("diagonal_bilstm", (3, 6, 1)),
        ("diagonal_bilstm", (2, 4, 3)),
    ],
)
def test_a_value_depends_on_exactly_the_values_before_it(variant, image_shape):
    model = tiny(variant, image_shape, num_layers=1, position_bias=False)
    # Small positive weights: nothing cancels, and neither a gate nor a ReLU is flat.
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        fan_in = max(1, math.prod(variable.shape[:-1]))
        variable.assign(rng.uniform(0.5, 0.8, variable.shape) / fan_in)
    model.first.bias.assign(np.full(model.first.bias.shape, 1.0))
    for layer in model.lstm_layers:  # what passes along many states has to show
        layer.expand.kernel.assign(ops.convert_to_tensor(layer.expand.kernel) * 20.0)
    if variant == "row_lstm":
        expected = triangle(image_shape, 1)
    else:
        expected = all_but_the_end_of_the_row_above(image_shape)
    np.testing.assert_array_equal(checks.dependence(model), expected)


# The layers


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cell_in_numpy(z, c):
    o, f, i, g = np.split(z, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def row_lstm_in_numpy(layer, x):
    """Section 3.1, pixel by pixel; x (h, w, 2 units)."""
    height, width, _ = x.shape
    units, margin = layer.units, layer.kernel_size // 2
    of_input = checks.numpy(layer.input_to_state.masked_kernel())
    bias = checks.numpy(layer.input_to_state.bias)
    of_state = checks.numpy(layer.state_to_state[0])
    h, c = np.zeros((2, height + 1, width, units))  # row 0 is above the image
    for i in range(height):
        for j in range(width):
            z = bias.copy()
            for tap in range(margin + 1):
                if j - margin + tap >= 0:
                    z += x[i, j - margin + tap] @ of_input[tap]
            for tap in range(2 * margin + 1):
                if 0 <= j - margin + tap < width:
                    z += h[i, j - margin + tap] @ of_state[tap]
            h[i + 1, j], c[i + 1, j] = cell_in_numpy(z, c[i, j])
    return h[1:]


def diagonal_lstm_in_numpy(kernel, bias, of_state, x):
    """Section 3.2, one direction, pixel by pixel."""
    height, width, _ = x.shape
    units = len(bias) // 4
    h, c = np.zeros((2, height + 1, width + 1, units))  # above the image and to its left
    for i in range(height):
        for j in range(width):
            z = x[i, j] @ kernel + bias + h[i + 1, j] @ of_state[0] + h[i, j + 1] @ of_state[1]
            h[i + 1, j + 1], c[i + 1, j + 1] = cell_in_numpy(z, c[i + 1, j])
    return h[1:, 1:]


def diagonal_bilstm_in_numpy(layer, x):
    units = layer.units
    kernel = checks.numpy(layer.input_to_state.masked_kernel())[0]
    bias = checks.numpy(layer.input_to_state.bias)
    of_state = [checks.numpy(a) for a in layer.state_to_state]
    first, second = slice(None, 4 * units), slice(4 * units, None)
    h = diagonal_lstm_in_numpy(kernel[:, first], bias[first], of_state[0], x)
    back = diagonal_lstm_in_numpy(kernel[:, second], bias[second], of_state[1], x[:, ::-1])
    h[1:] += back[:-1, ::-1]
    return h


@pytest.mark.parametrize("variant", VARIANTS)
def test_layer_computes_the_equations(variant):
    model = checks.randomize(tiny(variant, (3, 4, 2), num_layers=1))
    (layer,) = model.lstm_layers
    batch = 16 if variant == "diagonal_bilstm" else 3  # 16: two chained images
    x = np.random.default_rng(1).normal(size=(3, 4, batch, 2 * layer.units)).astype("float32")
    run = row_lstm_in_numpy if variant == "row_lstm" else diagonal_bilstm_in_numpy
    states = np.stack([run(layer, x[:, :, k]) for k in range(batch)], axis=2)
    expected = x + states @ checks.numpy(layer.expand.masked_kernel())[0, 0]
    expected += checks.numpy(layer.expand.bias)
    np.testing.assert_allclose(checks.numpy(layer(x)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("chain", [1, 2])
def test_skewed_map(chain):
    x = np.random.default_rng(0).normal(size=(3, 5, 4, 2)).astype("float32")
    skewed = checks.numpy(skew(ops.convert_to_tensor(x), chain))
    assert skewed.shape == (5 * chain + 2, 3, 4 // chain, 2)
    for i, j, k in np.ndindex(3, 5, 4):
        image, lane = divmod(k, 4 // chain)
        np.testing.assert_array_equal(skewed[image * 5 + j + i, i, lane], x[i, j, k])
    back = unskew(ops.convert_to_tensor(skewed), 5, chain)
    np.testing.assert_array_equal(checks.numpy(back), x)


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradient_is_the_derivative(variant):
    """Along a random direction of all weights, against a difference quotient."""
    model = checks.randomize(tiny(variant, (3, 4, 1), num_layers=1), scale=0.7)
    images = checks.random_images(16, model)
    weights = model.trainable_variables

    @backend.compiled
    def gradients_of(model, images):
        return backend.value_and_grad(lambda: model.nll(images, {}), weights)[1]

    gradients = gradients_of(model, images)
    rng = np.random.default_rng(5)
    start = [checks.numpy(w) for w in weights]
    direction = [rng.normal(size=w.shape) for w in weights]
    expected = sum((checks.numpy(g) * d).sum() for g, d in zip(gradients, direction, strict=True))

    def value(step):
        for w, a, d in zip(weights, start, direction, strict=True):
            w.assign(a + step * d)
        return -model.log_likelihood(images).astype("float64").mean()

    slope = (value(1e-3) - value(-1e-3)) / 2e-3
    np.testing.assert_allclose(slope, expected, rtol=1e-2)


def test_a_new_model_is_uniform():
    model = tiny("row_lstm", (4, 5, 2), levels=3)
    log_likelihood = model.log_likelihood(checks.random_images(3, model))
    np.testing.assert_allclose(log_likelihood, -40 * math.log(3), rtol=1e-5)


@pytest.mark.parametrize(
    "variant, shape, levels", [("row_lstm", (2, 2, 2), 2), ("diagonal_bilstm", (2, 3, 1), 3)]
)
def test_likelihoods_of_all_images_sum_to_one(variant, shape, levels):
    checks.check_sum_of_likelihoods(checks.randomize(tiny(variant, shape, levels)))


# Sampling


CONDITIONAL = {"num_classes": 3, "context_features": 2}


@pytest.mark.parametrize("variant", VARIANTS)
def test_sampler_sees_the_network(variant):
    model = checks.randomize(tiny(variant, (3, 3, 2), 3, num_layers=1, **CONDITIONAL))
    checks.check_sampler_sees_the_network(model)


@pytest.mark.parametrize("variant", VARIANTS)
def test_cached_draws_as_the_network(variant):
    checks.check_cached_draws_as_the_network(checks.randomize(tiny(variant, (2, 3, 2))))


@pytest.mark.once
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_half_precision_model_computes_nearly_the_same(variant):
    half = checks.randomize(tiny(variant, (2, 3, 1), dtype="mixed_bfloat16", **CONDITIONAL))
    full = PixelRNN.from_config({**half.get_config(), "dtype": "float32"})
    full.set_weights(half.get_weights())
    images, given = checks.random_images(3, half), checks.context_for(3, half)
    log_likelihood = half.log_likelihood(images, **given)
    np.testing.assert_allclose(log_likelihood, full.log_likelihood(images, **given), rtol=0.03)
    assert half.generate(3, seed=0, **given).shape == (3, 2, 3, 1)


def test_classes_have_distributions_of_their_own():
    model = checks.randomize(tiny("diagonal_bilstm", num_classes=2))
    images = checks.random_images(2, model)
    first, second = (model.log_likelihood(images, labels=label) for label in (0, 1))
    assert (abs(first - second) > 1e-3).all()


# Training and saving


def test_fit_and_saving(tmp_path):
    model = tiny("diagonal_bilstm", num_classes=2, num_layers=1)
    model.compile(keras.optimizers.Adam(0.03))
    labels = (np.arange(64) % 2).astype("int32")
    images = np.broadcast_to(labels[:, None, None, None], (64, 3, 4, 1)).astype("uint8") * 255
    history = model.fit(images, labels, batch_size=16, epochs=8, verbose=0).history
    assert history["nll"][0] > 7.0 and history["nll"][-1] < 2.5
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    assert copy.get_config() == model.get_config()
    given = {"labels": labels[:3]}
    np.testing.assert_allclose(
        checks.numpy(copy(images[:3], **given)), checks.numpy(model(images[:3], **given)), rtol=1e-6
    )


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"variant": "row"}, "variant must be one of \['row_lstm', 'diagonal_bilstm'\], got 'row'"),
        ({"levels": 1}, "levels must be in 2..256, got 1"),
        (
            {"units": 2},
            "units and head_filters must be at least the number of channels .3.*units=2",
        ),
        ({"num_layers": 0}, "num_layers must be a positive integer, got 0"),
        ({"kernel_size": 4}, "kernel_size must be odd and positive, got 4"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        PixelRNN(**{"image_shape": (4, 4, 3), "units": 4, "head_filters": 4, **arguments})
