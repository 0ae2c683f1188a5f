import keras
import numpy as np
import pytest
from keras import ops

from kzoo import backend
from kzoo.layers import VectorQuantizer


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def quantizer(**options):
    layer = VectorQuantizer(**{"num_codes": 5, "seed": 0, **options})
    layer.build((None, 3))
    return layer


def vectors(count=40, seed=0):
    return np.random.default_rng(seed).standard_normal((count, 3)).astype("float32")


def test_the_nearest_code_is_taken():
    layer, x = quantizer(), vectors()
    codes = numpy(layer.codebook.value)
    expected = np.argmin(((x[:, None] - codes) ** 2).sum(axis=-1), axis=1)
    maps = x.reshape(2, 5, 4, 3)
    passed, quantized, indices = layer(maps)
    assert indices.shape == (2, 5, 4)
    np.testing.assert_array_equal(numpy(indices).ravel(), expected)
    np.testing.assert_allclose(numpy(quantized).reshape(-1, 3), codes[expected], atol=1e-6)
    np.testing.assert_allclose(numpy(passed), numpy(quantized), atol=1e-6)
    np.testing.assert_array_equal(numpy(layer.nearest(codes)), np.arange(5))


def test_the_gradient_passes_straight_through():
    layer, x = quantizer(), vectors()
    weight = ops.convert_to_tensor(vectors(seed=1))
    through = keras.Variable(x)

    def loss(quantized):
        return ops.sum(ops.sin(quantized) * weight)

    _, (gradient,) = backend.value_and_grad(lambda: loss(layer(through.value)[0]), [through])
    constant = keras.Variable(numpy(layer(x)[1]))
    _, (expected,) = backend.value_and_grad(lambda: loss(constant.value), [constant])
    np.testing.assert_allclose(numpy(gradient), numpy(expected), atol=1e-5)
    # The codes themselves have no gradient: only the second term has one.
    _, (rest,) = backend.value_and_grad(
        lambda: loss(layer(through.value)[1]) + ops.sum(through.value), [through]
    )
    np.testing.assert_array_equal(numpy(rest), np.ones_like(x))


def test_moving_averages_are_those_of_appendix_a1():
    layer = quantizer(decay=0.9)
    codes = numpy(layer.codebook.value).astype("float64")
    counts, sums = np.ones(5), codes.copy()
    for step in range(5):
        x = vectors(seed=step)
        nearest = np.argmin(((x[:, None] - codes) ** 2).sum(axis=-1), axis=1)
        for i in range(5):
            mine = x[nearest == i]
            counts[i] = 0.9 * counts[i] + 0.1 * len(mine)
            sums[i] = 0.9 * sums[i] + 0.1 * mine.sum(axis=0)
        codes = sums / counts[:, None]
        layer(x, training=True)
    np.testing.assert_allclose(numpy(layer.counts.value), counts, rtol=1e-4)
    np.testing.assert_allclose(numpy(layer.codebook.value), codes, atol=1e-4)


def test_the_codebook_rests_outside_of_training_and_without_gradients():
    layer = quantizer()
    before = layer.get_weights()
    layer(vectors())
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert layer.trainable_variables == []


def test_a_dead_code_starts_anew_at_a_vector_of_the_batch():
    layer = quantizer(restart_below=1.0)
    codes = numpy(layer.codebook.value).copy()
    codes[3] = 100.0
    layer.codebook.assign(codes)
    x = vectors()
    layer(x, training=True)
    restarted = numpy(layer.codebook.value)[3]
    assert np.abs(x - restarted).sum(axis=1).min() < 1e-6
    assert numpy(layer.counts.value)[3] == 1
    layer = quantizer()  # without restarts
    layer.codebook.assign(codes)
    layer.sums.assign(codes)
    layer(x, training=True)
    np.testing.assert_allclose(numpy(layer.codebook.value)[3], 100.0, rtol=1e-5)


def test_a_code_that_is_used_often_enough_stays():
    rng = np.random.default_rng(0)
    layer = quantizer(num_codes=2, decay=0.9, restart_below=3.0)
    x = np.concatenate([rng.normal(c, 0.1, (20, 3)) for c in (-5, 5)]).astype("float32")
    codes = np.full((2, 3), [[-5.0], [100.0]], "float32")
    layer.codebook.assign(codes)
    layer.counts.assign([3.0, 0.1])
    layer.sums.assign(codes * [[3.0], [0.1]])
    layer(x[:20], training=True)  # the second code is dead, and starts anew at one of these
    np.testing.assert_allclose(numpy(layer.counts.value), [0.9 * 3 + 0.1 * 20, 3.0], rtol=1e-6)
    layer.codebook.assign(np.full((2, 3), [[-5.0], [5.0]], "float32"))
    layer.sums.assign(layer.counts.value[:, None] * layer.codebook.value)
    for _ in range(3):  # 20 uses of each per batch
        layer(x, training=True)
    assert np.abs(numpy(layer.codebook.value) - [[-5.0], [5.0]]).max() < 0.1
    assert (numpy(quantizer(restart_below=3.0).counts.value) == 3).all()  # at first, none is dead


def test_a_codebook_finds_clusters():
    rng = np.random.default_rng(0)
    centres = 5.0 * rng.standard_normal((5, 3))
    layer = quantizer(num_codes=20, decay=0.8, restart_below=0.5)
    for _ in range(60):
        x = centres[rng.integers(0, 5, 64)] + 0.01 * rng.standard_normal((64, 3))
        layer(x.astype("float32"), training=True)
    codes = numpy(layer.codebook.value)
    distances = np.linalg.norm(centres[:, None] - codes, axis=-1)
    assert distances.min(axis=1).max() < 0.1


def test_perplexity_counts_the_codes_in_use():
    layer = quantizer()
    assert float(layer.perplexity(np.array([[2, 2], [2, 2]]))) == pytest.approx(1)
    assert float(layer.perplexity(np.array([0, 1, 2, 3, 4]))) == pytest.approx(5, rel=1e-5)
    frequencies = np.array([0.75, 0.25])
    expected = np.exp(-np.sum(frequencies * np.log(frequencies)))
    assert float(layer.perplexity(np.array([0, 0, 0, 4]))) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_codes": 0}, "num_codes.*0"),
        ({"decay": 1.0}, "decay.*1.0"),
        ({"restart_below": -1}, "restart_below.*-1"),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        quantizer(**arguments)


def test_a_saved_layer_is_the_same():
    layer = quantizer(decay=0.9, restart_below=2.0)
    copy = VectorQuantizer.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
