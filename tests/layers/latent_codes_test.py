import keras
import numpy as np
import pytest
from keras import ops

from kzoo.layers import LatentCodes


def test_code_is_the_largest_of_the_first_latents():
    latents = np.array([[0.5, -1.0, 2.0, 7.0], [3.0, 1.0, 2.5, -4.0]], "float32")
    layer = LatentCodes(3, scale=2.0)
    outputs = ops.convert_to_numpy(layer(latents))
    np.testing.assert_array_equal(outputs, [[0, 0, 2, 7], [2, 0, 0, -4]])
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.labels(latents)), [2, 0])


def test_codes_of_gaussian_latents_are_uniform():
    latents = np.random.default_rng(0).standard_normal((50_000, 12)).astype("float32")
    outputs = ops.convert_to_numpy(LatentCodes(5)(latents))
    assert np.all((outputs[:, :5] != 0).sum(axis=1) == 1)
    np.testing.assert_allclose((outputs[:, :5] != 0).mean(axis=0), 0.2, atol=0.01)
    np.testing.assert_array_equal(outputs[:, 5:], latents[:, 5:])


def test_codes_occur_as_often_as_they_should():
    latents = np.random.default_rng(0).standard_normal((50_000, 4)).astype("float32")
    layer = LatentCodes(3, probabilities=[0.5, 0.3, 0.2], scale=1.0)
    layer = LatentCodes.from_config(layer.get_config())
    outputs = ops.convert_to_numpy(layer(latents))
    np.testing.assert_allclose(outputs[:, :3].mean(axis=0), [0.5, 0.3, 0.2], atol=0.01)
    np.testing.assert_array_equal(outputs[:, 3:], latents[:, 3:])
    # The quantiles of the first latent: below 0, below .8416, above.
    few = np.array(
        [[-0.01, 0, 0, 0], [0.01, 9, 0, 0], [0.84, 0, 0, 0], [0.843, 0, 9, 0]], "float32"
    )
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.labels(few)), [0, 1, 1, 2])


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        ([0.5, 0.5], "codes=3 positive numbers"),
        ([0.5, 0.5, 0.0], "positive"),
        ([1, 1, 1], "sum to 1"),
        ("thirds", "codes=3 positive numbers"),
        (0.3, "codes=3 positive numbers"),
    ],
)
def test_wrong_probabilities(probabilities, message):
    with pytest.raises(ValueError, match=message):
        LatentCodes(3, probabilities=probabilities)


def test_computes_in_float32_whatever_the_policy():
    """Rounded to bfloat16, the two latents would tie."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer = LatentCodes(2)
    finally:
        keras.config.set_dtype_policy("float32")
    outputs = ops.convert_to_numpy(layer(np.array([[1.0, 1.0001]], "float32")))
    assert outputs[0, 0] == 0 and outputs[0, 1] > 1


def test_config():
    layer = LatentCodes.from_config(LatentCodes(np.int64(4), scale=1.5).get_config())
    assert (layer.codes, layer.scale) == (4, 1.5)


@pytest.mark.parametrize("codes", [1, -3, 2.5, True])
def test_wrong_number_of_codes(codes):
    with pytest.raises(ValueError, match=f"codes must be an int of at least 2, got {codes}"):
        LatentCodes(codes)


def test_wrong_scale():
    with pytest.raises(ValueError, match="scale must be positive, got 0"):
        LatentCodes(4, scale=0)
    with pytest.raises(ValueError, match="scale must be positive, got 'long'"):
        LatentCodes(4, scale="long")


def test_more_codes_than_latents():
    with pytest.raises(ValueError, match="codes=5 needs as many latents, got latent_dim=4"):
        LatentCodes(5)(np.zeros((1, 4), "float32"))
