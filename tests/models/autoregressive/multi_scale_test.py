import keras
import numpy as np
import pytest

from kzoo import GatedPixelCNN, MultiScale, MultiScalePixelRNN, PixelCNN, PixelCNNPlusPlus
from tests.models.autoregressive import pixel_checks
from tests.models.autoregressive.pixel_checks import numpy

TINY = {"filters": 4, "num_layers": 1, "head_filters": 4}


def random_model(shape=(4, 4, 1), levels=2, ratio=2, **options):
    small = (shape[0] // ratio, shape[1] // ratio, shape[2])
    models = [
        GatedPixelCNN(small, levels=levels, **TINY, **options),
        GatedPixelCNN(shape, levels=levels, **TINY, **options, context_features=3),
    ]
    return pixel_checks.randomize(MultiScale(models))


@pytest.mark.parametrize(
    ("shape", "levels", "ratio"), [((2, 4, 1), 2, 2), ((2, 2, 2), 3, 2), ((3, 3, 1), 2, 3)]
)
def test_likelihoods_of_all_images_sum_to_one(shape, levels, ratio):
    pixel_checks.check_sum_of_likelihoods(random_model(shape, levels, ratio))


def test_the_likelihood_is_that_of_the_scales():
    model = random_model()
    images = pixel_checks.random_images(5, model)
    small, large = model.models
    log_p = small.log_likelihood(images[:, ::2, ::2])
    context = numpy(model.context_of(1, images[:, ::2, ::2]))
    logits = numpy(large(images, context=context))[..., 0]
    values = -np.log1p(np.exp(np.where(images[..., 0] == 255, -logits, logits)))
    known = np.zeros((4, 4), bool)
    known[::2, ::2] = True
    expected = log_p + np.where(known, 0.0, values).sum(axis=(1, 2))
    np.testing.assert_allclose(model.log_likelihood(images), expected, rtol=1e-5)


def test_the_small_image_influences_the_large_one():
    model = random_model()
    images = np.zeros((2, 4, 4, 1), "uint8")
    images[1, 2, 2] = 255  # the last pixel of the small image, seen by all of the large one
    black, other = numpy(model(images))[..., 0]
    assert (abs(black - other)[:2] > 1e-6).any()


def test_samples_follow_the_likelihood():
    model = random_model((2, 2, 1))
    count = 4000
    drawn = model.generate(count, seed=0).reshape(count, 4) // 255
    frequencies = np.bincount(drawn @ [8, 4, 2, 1], minlength=16) / count
    probabilities = np.exp(model.log_likelihood(pixel_checks.all_images(model)))
    error = np.sqrt(probabilities * (1 - probabilities) / count)
    assert (abs(frequencies - probabilities) < 5 * error).all()


@pytest.mark.once
def test_models_that_train_otherwise_than_they_draw():
    """Those of PixelCNN++ drop features in training, and are initialized from the first batch."""
    tiny = {"filters": 2, "num_resnets": 1, "num_mixtures": 2, "num_resolutions": 1}
    models = [
        PixelCNNPlusPlus((2, 2, 1), **tiny, dropout=0.9),
        PixelCNNPlusPlus((4, 4, 1), **tiny, dropout=0.9, context_features=2),
    ]
    model = MultiScale(models)
    images = np.random.default_rng(0).integers(0, 256, (8, 4, 4, 1), dtype="uint8")
    model.compile(keras.optimizers.SGD(0.0))
    training = model.fit(images, batch_size=8, epochs=10, verbose=0).history["nll"]
    assert all(numpy(part.initialized) for part in models)
    nll = model.evaluate(images, verbose=0, return_dict=True)["nll"]
    assert np.abs(np.array(training) / nll - 1).max() > 1e-3  # other features drop every time
    values = numpy(model.pixel_log_prob(keras.ops.convert_to_tensor(images)))
    np.testing.assert_allclose(values.sum(axis=(1, 2)), model.log_likelihood(images), rtol=1e-5)


@pytest.mark.once
def test_three_scales_learn_and_complete(tmp_path):
    shapes = [(2, 2, 1), (4, 4, 1), (8, 8, 1)]
    models = [
        PixelCNN(
            shape, filters=4, num_blocks=1, head_filters=4, context_features=None if i == 0 else 2
        )
        for i, shape in enumerate(shapes)
    ]
    model = MultiScale(models)
    model.compile(keras.optimizers.Adam(0.02))
    bright = np.random.default_rng(0).random((64, 1, 1, 1)) < 0.5
    images = np.broadcast_to(bright * np.uint8(255), (64, 8, 8, 1)).astype("uint8")
    model.fit(images, batch_size=16, epochs=15, verbose=0)
    assert -model.log_likelihood(images).mean() < 15.0  # 44 without learning
    mask = np.zeros((8, 8), bool)
    mask[4:] = True
    completed = model.complete(images[:16], mask, seed=0)
    np.testing.assert_array_equal(completed[:, :4], images[:16, :4])
    assert (completed[:, 4:] == images[:16, 4:]).mean() > 0.7  # chance: .5

    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        copy.log_likelihood(images[:4]), model.log_likelihood(images[:4]), rtol=1e-5
    )
    np.testing.assert_array_equal(copy.generate(2, seed=0), model.generate(2, seed=0))


def test_multi_scale_pixelrnn(tmp_path):
    model = MultiScalePixelRNN(
        (4, 4, 1), levels=2, units=4, num_layers=1, head_filters=4, num_classes=2
    )
    pixel_checks.randomize(model)
    assert [m.image_shape for m in model.models] == [(2, 2, 1), (4, 4, 1)]
    images = model.generate(3, seed=0)
    log_p = model.log_likelihood(images, labels=[0, 1, 0])
    assert log_p.shape == (3,) and np.isfinite(log_p).all()
    copy = MultiScalePixelRNN.from_config(model.get_config())
    assert copy.get_config() == model.get_config()
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy.log_likelihood(images, labels=[0, 1, 0]), log_p, rtol=1e-5)


def gated(shape, **options):
    return GatedPixelCNN(shape, **TINY, **options)


@pytest.mark.once
@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: MultiScale([gated((4, 4, 1))]), "at least two pixel models"),
        (
            lambda: MultiScale([gated((3, 4, 1)), gated((6, 6, 1), context_features=2)]),
            r"whole multiple.* got \(3, 4, 1\) and \(6, 6, 1\)",
        ),
        (
            lambda: MultiScale([gated((2, 2, 1)), gated((4, 4, 1))]),
            r"same context_features; got \[None, None\]",
        ),
        (
            lambda: MultiScale([gated((2, 2, 1)), gated((4, 4, 1), levels=4, context_features=2)]),
            "same levels, got 2 and 4",
        ),
        (lambda: MultiScalePixelRNN((6, 4, 1), num_scales=3), r"multiples of 4 .*\(6, 4, 1\)"),
        (lambda: MultiScalePixelRNN((4, 4, 1), num_scales=1), "at least 2, got num_scales=1"),
    ],
)
def test_wrong_models(build, message):
    with pytest.raises(ValueError, match=message):
        build()
