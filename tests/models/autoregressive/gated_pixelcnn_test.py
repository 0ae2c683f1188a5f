import math

import keras
import numpy as np
import pytest
from keras import ops

from kzoo import GatedPixelCNN
from tests.models.autoregressive import pixel_checks
from tests.models.autoregressive.pixel_checks import numpy, random_images
from tests.once import once

TINY = {"filters": 6, "num_layers": 2, "head_filters": 6}
CASES = [((4, 5, 1), 2), ((2, 3, 3), 2), ((3, 3, 2), 256)]


def random_model(image_shape, levels, **options):
    return pixel_checks.randomize(GatedPixelCNN(image_shape, levels=levels, **TINY, **options))


@pytest.mark.parametrize("image_shape, levels", CASES)
def test_a_value_depends_on_exactly_the_values_before_it(image_shape, levels):
    model = random_model(image_shape, levels)
    for variable in model.trainable_variables:
        fan_in = max(1, math.prod(variable.shape[:-1]))
        variable.assign(ops.abs(variable.value) * 0.3 / fan_in**0.5)
    dependence = pixel_checks.dependence(model)
    np.testing.assert_array_equal(dependence, np.triu(np.ones_like(dependence), k=1))


@pytest.mark.once
def test_no_blind_spot():
    """Within its reach, a pixel sees every pixel before it, also those above and to its right."""
    model = random_model((10, 17, 1), 2, position_bias=False)
    for variable in model.trainable_variables:
        variable.assign(ops.abs(variable.value) * 0.1)
    row, column = 8, 8
    reach = 3 + TINY["num_layers"]  # pixels to each side
    base = np.zeros((1, 10, 17, 1), "uint8")
    seen = np.zeros((10, 17), bool)
    for place in np.ndindex(10, 17):
        image = base.copy()
        image[(0, *place)] = 255
        change = numpy(model(image)) - numpy(model(base))
        seen[place] = change[0, row, column, 0] != 0
    expected = np.zeros((10, 17), bool)
    expected[row - 1 - reach : row, column - reach : column + reach + 1] = True
    expected[row, column - reach : column] = True
    np.testing.assert_array_equal(seen, expected)


@pytest.mark.parametrize("options", [{}, {"num_classes": 2}])
@pytest.mark.parametrize("image_shape, levels", [((3, 3, 1), 2), ((1, 2, 3), 2), ((1, 3, 2), 3)])
def test_likelihoods_of_all_images_sum_to_one(image_shape, levels, options):
    pixel_checks.check_sum_of_likelihoods(random_model(image_shape, levels, **options))


@pytest.mark.parametrize(
    "options",
    [
        {"position_bias": False},
        once({"num_classes": 3}),
        {"num_classes": 3, "context_features": 2},
        once({"context_features": 2}),
    ],
)
@pytest.mark.parametrize("image_shape, levels", CASES)
def test_sampler_sees_the_logits_of_the_whole_network(image_shape, levels, options):
    model = random_model(image_shape, levels, **options)
    pixel_checks.check_sampler_sees_the_network(model)


@pytest.mark.parametrize("options", [once({}), {"num_classes": 3, "context_features": 2}])
@pytest.mark.parametrize("image_shape, levels", CASES)
def test_sampler_draws_what_the_whole_network_draws(image_shape, levels, options):
    pixel_checks.check_cached_draws_as_the_network(random_model(image_shape, levels, **options))


def test_the_gates():
    """tanh(a) sigmoid(b) of the two halves of the features."""
    from kzoo.models.autoregressive.gated_pixelcnn.gated_layer import gate

    x = np.random.default_rng(0).normal(size=(2, 3, 8)).astype("float32")
    expected = np.tanh(x[..., :4]) / (1 + np.exp(-x[..., 4:]))
    np.testing.assert_allclose(numpy(gate(ops.convert_to_tensor(x))), expected, rtol=1e-5)


@pytest.mark.once
def test_a_class_conditional_model_learns_its_classes():
    model = GatedPixelCNN((3, 3, 1), **TINY, num_classes=2)
    model.compile(keras.optimizers.Adam(0.05))
    labels = np.arange(64) % 2
    pixels = (labels * 255).astype("uint8")[:, None, None, None]
    images = np.broadcast_to(pixels, (64, 3, 3, 1)).copy()
    model.fit(images, labels, batch_size=16, epochs=15, verbose=0)
    scores = model.evaluate(images, labels, verbose=0, return_dict=True)
    nll = -model.log_likelihood(images, labels=labels).mean()
    np.testing.assert_allclose(scores["nll"], nll, rtol=1e-4)
    assert nll < 0.3
    assert -model.log_likelihood(images, labels=1 - labels).mean() > 3
    np.testing.assert_array_equal(model.generate(4, seed=0)[:, 0, 0, 0], [0, 255, 0, 255])
    assert (model.generate(3, seed=0, labels=1) == 255).all()


@pytest.mark.once
def test_saving(tmp_path):
    model = random_model((3, 4, 2), 3, num_classes=4, context_features=1)
    images, given = random_images(4, model), pixel_checks.context_for(4, model)
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    assert copy.get_config() == model.get_config()
    np.testing.assert_allclose(
        numpy(copy(images, **given)), numpy(model(images, **given)), rtol=1e-5
    )


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"levels": 1}, "levels must be in 2..256, got 1"),
        ({"filters": 2}, "filters=2"),
        ({"kernel_size": 4}, "kernel_size must be odd and positive, got 4"),
        ({"num_layers": 0}, "num_layers must be a positive integer, got 0"),
        ({"num_classes": 0}, "num_classes must be a positive integer, got 0"),
        ({"context_features": -1}, "context_features must be a positive integer, got -1"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        GatedPixelCNN(**{"image_shape": (4, 4, 3), **TINY, **arguments})
