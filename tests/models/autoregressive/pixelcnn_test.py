import math
import warnings

import keras
import numpy as np
import pytest
from keras import ops

from kzoo import PixelCNN
from tests.models.autoregressive import pixel_checks
from tests.models.autoregressive.pixel_checks import all_images, numpy, random_images
from tests.once import once

TINY = {"filters": 6, "num_blocks": 2, "head_filters": 6}
CASES = [((3, 4, 1), 2), ((2, 3, 3), 2), ((3, 3, 2), 256)]


def random_model(image_shape, levels, **options):
    return pixel_checks.randomize(PixelCNN(image_shape, levels=levels, **TINY, **options))


def uniforms(count, model):
    return np.random.default_rng(2).random((count, *model.image_shape)).astype("float32")


def drawn_levels(model, noise):
    return numpy(model.to_levels(model.transform_noise(noise))).astype("int64")


# The distribution


@pytest.mark.parametrize("image_shape, levels", CASES)
def test_a_value_depends_on_exactly_the_values_before_it(image_shape, levels):
    model = random_model(image_shape, levels)
    # Positive weights and units that are all active: no change can cancel or be cut off.
    for variable in model.trainable_variables:
        fan_in = max(1, math.prod(variable.shape[:-1]))
        variable.assign(ops.abs(variable.value) / fan_in**0.5)
    model.first.bias.assign(np.full(model.first.bias.shape, 3.0))

    dependence = pixel_checks.dependence(model)
    # The first layer sees 3 pixels in every direction: here, all that come before.
    np.testing.assert_array_equal(dependence, np.triu(np.ones_like(dependence), k=1))


@pytest.mark.parametrize(
    "image_shape, levels", [((2, 3, 1), 2), ((3, 3, 1), 2), ((1, 2, 3), 2), ((1, 3, 2), 3)]
)
def test_likelihoods_of_all_images_sum_to_one(image_shape, levels):
    model = random_model(image_shape, levels)
    pixel_checks.check_sum_of_likelihoods(model)


@pytest.mark.parametrize("image_shape, levels", CASES)
def test_log_likelihood_reads_the_logits(image_shape, levels):
    model = random_model(image_shape, levels)
    images = random_images(5, model)
    logits = numpy(model(images)).astype("float64")
    if levels == 2:
        assert logits.shape == (5, *image_shape)
        logits = np.stack([np.zeros_like(logits), logits], axis=-1)
    assert logits.shape == (5, *image_shape, levels)
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    index = np.floor(images.astype("int64") * levels / 256).astype("int64")
    expected = np.take_along_axis(log_p, index[..., None], axis=-1).sum(axis=(1, 2, 3, 4))
    np.testing.assert_allclose(model.log_likelihood(images, batch_size=2), expected, rtol=1e-5)


@pytest.mark.parametrize("levels", [2, 5, 256])
def test_a_new_model_is_uniform(levels):
    model = PixelCNN((4, 5, 2), levels=levels, **TINY)
    log_likelihood = model.log_likelihood(random_images(3, model))
    np.testing.assert_allclose(log_likelihood, -40 * math.log(levels), rtol=1e-5)


def test_position_bias_tells_pixels_apart():
    """Without it, pixels with equal surroundings have equal distributions."""
    black = np.zeros((1, 9, 16, 1), "uint8")
    for position_bias in (False, True):
        model = random_model((9, 16, 1), 2, position_bias=position_bias)
        logits = numpy(model(black))[0, 8, :, 0]
        # 3 + num_blocks pixels from both sides, the padding is out of sight.
        spread = np.ptp(logits[5:11])
        assert (spread > 1e-3) if position_bias else (spread < 1e-5)


@pytest.mark.once
def test_grey_values_stand_for_their_levels():
    grey = np.arange(256, dtype="uint8").reshape(1, 16, 16, 1)
    for levels in [2, 3, 5, 16, 100, 200, 255, 256]:
        model = PixelCNN((16, 16, 1), levels=levels, filters=1, num_blocks=1, head_filters=1)
        values = model.grey_values()
        assert values[0] == 0 and values[-1] == 255
        indices = numpy(model.to_levels(ops.convert_to_tensor(grey))).ravel()
        np.testing.assert_array_equal(indices, np.arange(256) * levels // 256)
        np.testing.assert_array_equal(indices[values.astype(int)], np.arange(levels))


def test_bytes_and_floats_are_the_same_images():
    model = random_model((3, 4, 1), 256)
    images = np.random.default_rng(3).integers(256, size=(4, 3, 4, 1)).astype("uint8")
    floats = images.astype("float32") / 127.5 - 1.0
    np.testing.assert_allclose(numpy(model(images)), numpy(model(floats)), rtol=1e-6)


# Sampling


@pytest.mark.parametrize("position_bias", [True, once(False)])
@pytest.mark.parametrize("image_shape, levels", CASES)
def test_sampler_sees_the_logits_of_the_whole_network(image_shape, levels, position_bias):
    model = random_model(image_shape, levels, position_bias=position_bias)
    pixel_checks.check_sampler_sees_the_network(model)


@pytest.mark.parametrize("image_shape, levels", CASES)
def test_sampler_draws_what_the_whole_network_draws(image_shape, levels):
    model = random_model(image_shape, levels)
    noise = uniforms(4, model)
    levels_drawn = np.zeros((4, *image_shape), "int64")
    for place in np.ndindex(*image_shape):  # the naive sampler: the whole network for every value
        images = model.grey_values()[levels_drawn].astype("uint8")
        logits = numpy(model(images))[(slice(None), *place)]
        if levels == 2:
            value = noise[(slice(None), *place)] < 1 / (1 + np.exp(-logits))
        else:
            p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
            value = (noise[(slice(None), *place)][:, None] >= p.cumsum(axis=-1)[:, :-1]).sum(-1)
        levels_drawn[(slice(None), *place)] = value
    np.testing.assert_array_equal(drawn_levels(model, noise), levels_drawn)


def test_samples_follow_the_likelihood():
    model = random_model((2, 2, 1), 2)
    count = 4000
    samples = drawn_levels(model, uniforms(count, model)).reshape(count, 4)
    frequencies = np.bincount(samples @ [8, 4, 2, 1], minlength=16) / count
    probabilities = np.exp(model.log_likelihood(all_images(model)))
    error = np.sqrt(probabilities * (1 - probabilities) / count)
    assert (abs(frequencies - probabilities) < 5 * error).all()


def test_generate():
    model = random_model((3, 4, 2), 3)
    images = model.generate(5, seed=0)
    assert images.shape == (5, 3, 4, 2) and images.dtype == np.uint8
    assert set(np.unique(images)) <= set(model.grey_values())
    np.testing.assert_array_equal(model.generate(5, seed=0, batch_size=2), images)
    assert (model.generate(5, seed=1) != images).any()


# Training and saving


def test_fit_learns_and_evaluate_reports_the_likelihood():
    model = PixelCNN((4, 4, 1), **TINY)
    model.compile(keras.optimizers.Adam(0.02))
    bright = np.random.default_rng(0).random((64, 1, 1, 1)) < 0.5
    images = np.broadcast_to(bright * np.uint8(255), (64, 4, 4, 1)).copy()  # all or nothing
    history = model.fit(images, batch_size=16, epochs=15, verbose=0).history
    assert history["nll"][0] > 4.0
    scores = model.evaluate(images, batch_size=24, verbose=0, return_dict=True)
    assert scores["nll"] < 5.0  # the entropy is .69; 11.1 without a look at other pixels
    nll = -model.log_likelihood(images).mean()
    np.testing.assert_allclose(scores["nll"], nll, rtol=1e-4)
    np.testing.assert_allclose(scores["bits_per_dim"], nll / (16 * math.log(2)), rtol=1e-4)


@pytest.mark.once
def test_saving(tmp_path):
    model = random_model((3, 4, 2), 3)
    model.compile()
    images = random_images(4, model)
    model.fit(images, verbose=0)
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    assert copy.get_config() == model.get_config()
    np.testing.assert_allclose(numpy(copy(images)), numpy(model(images)), rtol=1e-6)
    for ours, theirs in zip(model.optimizer.variables, copy.optimizer.variables, strict=True):
        np.testing.assert_array_equal(numpy(ours), numpy(theirs))

    model.save_to_preset(tmp_path / "preset")
    preset = PixelCNN.from_preset(tmp_path / "preset")
    np.testing.assert_array_equal(preset.generate(3, seed=0), model.generate(3, seed=0))


@pytest.mark.once
def test_a_half_precision_model_gives_its_weights_to_a_float32_one():
    half = PixelCNN((3, 4, 1), dtype="mixed_bfloat16", **TINY)
    half.compile()
    half.fit(random_images(8, half), verbose=0)
    full = PixelCNN.from_config({**half.get_config(), "dtype": "float32"})
    full.set_weights(half.get_weights())
    images = random_images(3, full)
    assert half.generate(2, seed=0).shape == (2, 3, 4, 1)
    np.testing.assert_allclose(full.log_likelihood(images), half.log_likelihood(images), rtol=0.02)


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"levels": 1}, "levels must be in 2..256, got 1"),
        ({"levels": 257}, "levels must be in 2..256, got 257"),
        ({"levels": 2.5}, "levels must be a positive integer, got 2.5"),
        ({"filters": 2}, "filters=2"),
        ({"num_blocks": 0}, "num_blocks must be a positive integer, got 0"),
        ({"image_shape": (28, 28)}, r"\(height, width, channels\), got \(28, 28\)"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        PixelCNN(**{"image_shape": (4, 4, 3), **TINY, **arguments})


@pytest.mark.once
def test_wrong_images():
    model = PixelCNN((4, 4, 1), **TINY)
    with pytest.raises(ValueError, match=r"shape \(n, 4, 4, 1\), got \(2, 5, 4, 1\)"):
        model.log_likelihood(np.zeros((2, 5, 4, 1), "uint8"))
    with pytest.raises(ValueError, match="got values from 0 to 255"):
        model.log_likelihood(255 * np.eye(4, dtype="float32").reshape(1, 4, 4, 1))


@pytest.mark.once
def test_grey_values_are_answered_by_a_warning():
    """Black and white pixels are cut from them: the likelihoods would look too good."""
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 1), dtype="uint8")
    arguments = {"filters": 2, "num_blocks": 1, "head_filters": 2}
    with pytest.warns(UserWarning, match="black or white, and the images have grey values"):
        grey = PixelCNN((4, 4, 1), **arguments).log_likelihood(images)
    assert grey.shape == (2,)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        PixelCNN((4, 4, 1), **arguments).log_likelihood(images // 128 * 255)
        PixelCNN((4, 4, 1), levels=256, **arguments).log_likelihood(images)
