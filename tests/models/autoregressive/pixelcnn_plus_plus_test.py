"""PixelCNN++: the network's causality, the mixture, initialization from data, cached sampling."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from kzoo import PixelCNNPlusPlus, backend, losses
from kzoo.images import to_float
from kzoo.layers.weight_norm import WeightNorm, WeightNormDense, initializing
from kzoo.models.autoregressive.pixel_model import PixelModel

SHAPE = (8, 4, 3)  # for the three resolutions of the paper
SMALL = (4, 4, 3)  # for two
# XLA takes long to compile the training; TensorFlow can do without.
JIT = keras.backend.backend() == "jax"
COUNT = 1 + 8 * 4  # one number of images: eager JAX compiles every operation per shape
TINY = {
    "filters": 4,
    "num_resnets": 1,
    "num_mixtures": 2,
    "dropout": 0.0,
    "num_resolutions": 2,
}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def random_images(count=COUNT, shape=SMALL, seed=1):
    return np.random.default_rng(seed).integers(256, size=(count, *shape)).astype("uint8")


def random_model(image_shape, **options):
    """A tiny model whose weights are all random."""
    model = PixelCNNPlusPlus(image_shape, **{**TINY, **options})
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        values = rng.normal(size=variable.shape)
        if variable.name == "g":
            values = 0.7 + 0.2 * values
        variable.assign(values * (0.3 if variable.name == "b" else 1.0))
    return model


# The distribution


def test_a_pixel_depends_on_exactly_the_pixels_before_it():
    model = random_model(SHAPE, num_resolutions=3)
    places = list(np.ndindex(*SHAPE[:2]))
    images = np.repeat(random_images(1, SHAPE), len(places) + 1, axis=0)
    for i, place in enumerate(places):
        images[(i, *place)] ^= 128
    parameters = numpy(model(images)).reshape(len(images), len(places), -1)
    change = abs(parameters[:-1] - parameters[-1]).max(axis=-1)
    before = np.triu(np.ones_like(change), k=1)  # no blind spot, and not the pixel itself
    np.testing.assert_array_equal(change > 1e-6, before)


def test_channels_depend_linearly_on_those_before_them():
    """With one component, channels are discretized logistics around shifted means (eq. 3)."""
    model = random_model(SMALL, num_mixtures=1)
    images = random_images()
    logits, means, log_scales, coefficients = map(numpy, model.mixture(model(images)))
    assert logits.shape == (COUNT, 4, 4, 1)
    assert means.shape == log_scales.shape == coefficients.shape == (COUNT, 4, 4, 3, 1)
    assert abs(coefficients).max() < 1.0
    x = images / 127.5 - 1.0
    a, b, c = np.moveaxis(coefficients[..., 0], -1, 0)
    shifts = [0.0, a * x[..., 0], b * x[..., 0] + c * x[..., 1]]
    shifted = means[..., 0] + np.stack([np.zeros_like(a), *shifts[1:]], axis=-1)
    expected = losses.discretized_logistic_log_likelihood(
        ops.convert_to_tensor(x, "float32"),
        ops.convert_to_tensor(shifted, "float32"),
        ops.convert_to_tensor(log_scales[..., 0], "float32"),
    )
    expected = numpy(expected).astype("float64").sum(axis=(1, 2, 3))
    np.testing.assert_allclose(model.log_likelihood(images), expected, rtol=1e-4)


def test_bytes_and_floats_are_the_same_images():
    model = random_model(SMALL)
    images = random_images()
    floats = images.astype("float32") / 127.5 - 1.0
    np.testing.assert_array_equal(numpy(model(images)), numpy(model(floats)))


def random_conditions(count, shape=SMALL):
    context = np.random.default_rng(3).normal(size=(count, *shape)).astype("float32")
    return {"labels": np.arange(count) % 2, "context": context}


def test_conditions():
    """Labels and context change the distribution."""
    model = random_model(SMALL, num_classes=2, context_features=3)
    images, given = random_images(), random_conditions(COUNT)
    expected = numpy(model(images, **given))
    other = numpy(model(images, labels=1 - given["labels"], context=given["context"]))
    assert (abs(other - expected).max(axis=(1, 2, 3)) > 1e-3).all()
    context = given["context"].copy()
    context[0, 1, 2] += 1.0  # a place that the lower resolutions leave out
    other = numpy(model(images, labels=given["labels"], context=context))
    assert abs(other[0, 1, 2] - expected[0, 1, 2]).max() > 1e-3
    np.testing.assert_array_equal(other[1:], expected[1:])
    with pytest.raises(ValueError, match="needs labels"):
        model.log_likelihood(images, context=context)


# Sampling


@pytest.mark.parametrize("shape, num_resolutions", [(SHAPE, 3), ((3, 2, 3), 1)])
def test_sampler_sees_the_parameters_of_the_whole_network(shape, num_resolutions):
    options = {"num_classes": 2, "context_features": 3, "num_resolutions": num_resolutions}
    model = random_model(shape, **options)
    images, given = random_images(2, shape), random_conditions(2, shape)
    expected = numpy(model(images, **given))
    condition = model.condition_maps(**given)
    pixels = model.scale(model.to_levels(ops.convert_to_tensor(images)))
    rows = model.initial_rows(2)
    block = model.sampling_block
    for row in range(shape[0]):
        row_cache, pixel_cache = model.start_row(rows, row, condition[:, row], row % block)
        for column in range(shape[1]):
            parameters, pixel_cache = model.step(row_cache, pixel_cache, column, column % block)
            np.testing.assert_allclose(
                numpy(parameters), expected[:, row, column], atol=1e-5, rtol=1e-5
            )
            pixel_cache = model.store(pixels[:, row, column], pixel_cache, column)
        rows = model.end_row(rows, row_cache, pixel_cache)


def test_cached_sampling_draws_what_the_whole_network_draws(monkeypatch):
    model = random_model(SMALL)
    model.trainable = False  # no gradients where the programs are not compiled
    options = {"seed": 0, "temperature": 0.7}
    expected = model.generate(2, cached=False, **options)
    assert expected.shape == (2, *SMALL) and expected.dtype == np.uint8
    assert len(np.unique(expected)) > 20

    def draw_row(self, *args):  # compiling the programs of all rows takes long
        temperature = ops.convert_to_tensor(args[-1])
        return PixelModel._draw_row.__wrapped__(self, *args[:-1], temperature)

    with monkeypatch.context() as patch:
        patch.setattr(PixelCNNPlusPlus, "_draw_row", draw_row)
        np.testing.assert_array_equal(model.generate(2, **options), expected)

    noise = numpy(model.draw_noise(2, keras.random.SeedGenerator(0)))[:, 0]
    rows, _ = model._prepare(2, {})
    given, missing = np.zeros((2, 4, 3), "float32"), np.ones((2, 4), bool)
    temperature = np.asarray(0.7, "float32")
    row = np.asarray(0, "int32")
    levels, _ = model._draw_row(rows, None, row, 0, noise, given, missing, temperature)
    np.testing.assert_array_equal(numpy(levels), expected[:, 0])


def test_drawn_levels_follow_the_mixture():
    """The frequencies of the levels that evenly spaced numbers draw are their probabilities."""
    model = random_model((4, 4, 2), num_mixtures=3)
    parameters = np.random.default_rng(4).normal(size=(1, 1, 1, model.num_outputs))
    parameters[..., 9:15] -= 2.0  # log scales
    parameters = ops.convert_to_tensor(parameters, "float32")
    count = 40
    grid = (np.arange(count) + 0.5) / count
    uniforms = np.stack(np.meshgrid(grid, grid, grid, indexing="ij"), axis=-1).reshape(-1, 3)
    drawn = numpy(
        model.draw_channel(
            0,
            None,
            ops.repeat(parameters[0, 0], len(uniforms), axis=0),
            ops.convert_to_tensor(uniforms, "float32"),
            ops.zeros((len(uniforms), 2)),
            ops.ones((len(uniforms), 1)),
            1.0,
        )
    )
    assert drawn.min() >= 0 and drawn.max() <= 255 and (drawn == np.round(drawn)).all()
    every = np.stack(np.meshgrid(*[np.arange(256)] * 2, indexing="ij"), axis=-1) * 2 / 255 - 1
    log_p = losses.discretized_logistic_mixture_log_likelihood(
        ops.convert_to_tensor(every, "float32"), *model.mixture(parameters)
    )
    probabilities = np.exp(numpy(log_p).astype("float64"))
    np.testing.assert_allclose(probabilities.sum(), 1.0, rtol=1e-4)
    for statistic in (every[..., 0], every[..., 1], every[..., 0] * every[..., 1]):
        values = statistic[tuple(drawn.astype(int).T)]
        np.testing.assert_allclose(values.mean(), (probabilities * statistic).sum(), atol=0.02)


def test_given_channels_shift_the_means_of_drawn_pixels():
    """`complete` keeps given pixels; drawing a pixel with all channels given returns them."""
    model = random_model(SMALL)
    parameters = ops.convert_to_tensor(np.ones((2, model.num_outputs)), "float32")
    given = ops.convert_to_tensor([[1.0, 128.0, 255.0], [7.0, 8.0, 9.0]])
    uniforms = ops.ones((2, 4)) * 0.5
    missing = ops.zeros((2, 1))
    levels = model.draw_channel(0, None, parameters, uniforms, given, missing, 1.0)
    np.testing.assert_array_equal(numpy(levels), numpy(given))


# Weights, training and saving


def test_weight_normalization():
    layer = WeightNormDense(3, init_scale=0.1)
    layer.build((None, 5))
    layer.g.assign([1.0, 2.0, -3.0])
    layer.b.assign([0.5, 0.0, 1.0])
    kernel, v = numpy(layer.kernel()), numpy(layer.v)
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), [1.0, 2.0, 3.0], rtol=1e-5)
    np.testing.assert_allclose(kernel, numpy(layer.g) * v / np.linalg.norm(v, axis=0), rtol=1e-5)
    x = np.random.default_rng(0).normal(3.0, 2.0, size=(50, 5)).astype("float32")
    expected = x @ kernel + numpy(layer.b)
    np.testing.assert_allclose(numpy(layer(x)), expected, rtol=1e-4, atol=1e-5)
    with initializing():
        layer(x)
    y = numpy(layer(x))
    np.testing.assert_allclose(y.mean(axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(y.std(axis=0), 0.1, rtol=1e-4)
    copy = WeightNormDense.from_config(layer.get_config())
    assert copy.filters == 3 and copy.init_scale == 0.1


def test_initialization_from_data(monkeypatch):
    """Every layer's features then have mean 0 and its own standard deviation."""
    model = PixelCNNPlusPlus(SMALL, **TINY)
    assert numpy(model.initialized) == 0.0
    images = random_images()
    model.initialize_from(images)
    assert numpy(model.initialized) == 1.0
    seen = {}
    call = WeightNorm.call

    def spy(layer, x):
        seen[layer] = numpy(call(layer, x))
        return ops.convert_to_tensor(seen[layer])

    monkeypatch.setattr(WeightNorm, "call", spy)
    model(images)
    assert len(seen) == sum(variable.name == "v" for variable in model.weights)
    for layer, y in seen.items():
        axes = tuple(range(y.ndim - 1))
        np.testing.assert_allclose(y.mean(axis=axes), 0.0, atol=1e-3 * layer.init_scale)
        np.testing.assert_allclose(y.std(axis=axes), layer.init_scale, rtol=1e-2)
    scales = {layer.name: layer.init_scale for layer in seen}
    assert scales.pop("conv_out") == 0.1 and set(scales.values()) == {1.0}


def test_dropout_is_for_training_only():
    model = random_model(SMALL, dropout=0.5)
    images = ops.convert_to_tensor(random_images())
    still = numpy(model(images))
    np.testing.assert_array_equal(numpy(model(images)), still)
    assert (numpy(model(images, training=True)) != still).any()


def test_default_optimizer():
    optimizer = PixelCNNPlusPlus((4, 4, 1), **TINY).default_optimizer()
    assert (optimizer.beta_1, optimizer.beta_2) == (0.95, 0.9995)
    assert optimizer.use_ema and optimizer.ema_momentum == 0.9995
    rate = optimizer.get_config()["learning_rate"]["config"]
    assert (rate["initial_learning_rate"], rate["decay_rate"]) == (1e-3, 0.999995)


@pytest.mark.once
def test_training_initializes_once_learns_averages_and_saves(tmp_path, monkeypatch):
    model = PixelCNNPlusPlus(SMALL, **{**TINY, "dropout": 0.1})
    optimizer = keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.5)
    model.compile(optimizer, jit_compile=JIT)
    images = np.repeat(random_images()[:, :1, :1], 4, axis=1).repeat(4, axis=2)  # of one colour
    initialize = model.initialize_from
    seen = []

    def spy(*batch):
        seen.append(batch)
        initialize(*batch)
        seen.append(-numpy(model.log_prob(ops.convert_to_tensor(images))).mean())

    monkeypatch.setattr(model, "initialize_from", spy)
    batches = ((images,) for _ in range(8))
    history = model.fit(batches, steps_per_epoch=8, verbose=0).history  # the first is not lost
    assert set(history) == {"nll", "bits_per_dim"} and len(seen) == 2
    np.testing.assert_array_equal(seen[0][0], images)
    x = ops.convert_to_tensor(images)
    nll = -numpy(model.log_prob(x)).mean()
    assert nll < seen[1] - 10
    for average, weight in zip(
        backend.weight_averages(optimizer), model.trainable_variables, strict=True
    ):
        np.testing.assert_array_equal(numpy(average), numpy(weight))
    scores = {name: numpy(value) for name, value in model.evaluation(to_float(x), {}).items()}
    np.testing.assert_allclose(scores["nll"], nll, rtol=1e-4)  # without dropout
    np.testing.assert_allclose(scores["bits_per_dim"], nll / (48 * math.log(2)), rtol=1e-4)
    monkeypatch.setattr(PixelModel, "fit", lambda *args, **kwargs: None, raising=False)
    model.fit(images)
    assert len(seen) == 2  # not initialized a second time

    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    assert copy.get_config() == model.get_config()
    assert numpy(copy.initialized) == 1.0
    for part, loaded in ((model, copy), (model.optimizer, copy.optimizer)):
        weights = (getattr(x, "weights", x.variables) for x in (part, loaded))
        for ours, theirs in zip(*weights, strict=True):
            np.testing.assert_array_equal(numpy(ours), numpy(theirs))


@pytest.mark.once
def test_a_half_precision_model_gives_its_weights_to_a_float32_one():
    half = random_model(SMALL, dtype="mixed_bfloat16")
    full = PixelCNNPlusPlus.from_config({**half.get_config(), "dtype": "float32"})
    full.set_weights(half.get_weights())
    images = random_images()
    rounded = half(images)
    assert keras.backend.standardize_dtype(rounded.dtype) == "float32"
    expected = numpy(full(images))
    assert abs(numpy(rounded) - expected).max() < 0.05 * abs(expected).max()


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            {"image_shape": (6, 4, 3), "num_resolutions": 3},
            r"multiples of 4.*got image_shape=\(6, 4, 3\)",
        ),
        ({"filters": 0}, "filters must be a positive integer, got 0"),
        ({"num_resnets": 1.5}, "num_resnets must be a positive integer, got 1.5"),
        ({"num_mixtures": -1}, "num_mixtures must be a positive integer, got -1"),
        ({"dropout": 1.0}, r"dropout must be at least 0 and below 1, got 1.0"),
        ({"num_classes": 0}, "num_classes must be a positive integer, got 0"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        PixelCNNPlusPlus(**{"image_shape": (4, 4, 3), **TINY, **arguments})


@pytest.mark.once
def test_wrong_images():
    model = PixelCNNPlusPlus((4, 4, 1), **TINY)
    with pytest.raises(ValueError, match=r"shape \(n, 4, 4, 1\), got \(2, 4, 4, 3\)"):
        model.initialize_from(random_images(2))
    with pytest.raises(ValueError, match="needs images, got shape"):
        model.initialize_from(np.zeros((0, 4, 4, 1), "uint8"))
    labelled = PixelCNNPlusPlus((4, 4, 1), num_classes=2, **TINY)
    labelled.compile()
    with pytest.raises(ValueError, match="fitted and evaluated on \\(images, labels\\)"):
        labelled.fit(np.zeros((2, 4, 4, 1), "uint8"), verbose=0)
