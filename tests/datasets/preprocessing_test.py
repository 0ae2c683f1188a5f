import numpy as np
import pytest

from kzoo.datasets import preprocessing
from kzoo.datasets.preprocessing import Preprocessing


def random_images(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_padding_centres_the_image_in_black():
    images = random_images(2, 28, 28, 1)
    padded = Preprocessing(pad_to=32).apply(images)
    assert padded.shape == (2, 32, 32, 1)
    np.testing.assert_array_equal(padded[:, 2:30, 2:30], images)
    assert padded.sum() == images.sum()


def test_odd_padding_goes_below_and_right():
    padded = Preprocessing(pad_to=(4, 6)).apply(np.full((1, 3, 3, 2), 7, "uint8"))
    np.testing.assert_array_equal(padded[0, 0:3, 1:4], np.full((3, 3, 2), 7))
    assert padded.sum() == 7 * 18


def test_floats_are_padded_with_minus_one():
    padded = Preprocessing(pad_to=4).apply(np.zeros((1, 2, 2, 1), "float32"))
    assert padded.dtype == np.float32
    assert padded.sum() == -12


@pytest.mark.parametrize(
    ("shape", "size", "window"),
    [
        ((6, 10), (4, 4), np.s_[:, 0:6, 2:8]),
        ((10, 6), (4, 4), np.s_[:, 2:8, 0:6]),
        ((10, 10), (4, 8), np.s_[:, 2:7, 0:10]),
        ((5, 10), (10, 20), np.s_[:, 0:5, 0:10]),
    ],
)
def test_crop_keeps_the_centre_with_the_aspect_ratio(shape, size, window):
    images = random_images(1, *shape, 3)
    np.testing.assert_array_equal(preprocessing.center_crop(images, size), images[window])


def test_resize_is_antialiased():
    """Stripes of one pixel become grey; without antialiasing they would stay black or white."""
    stripes = np.zeros((1, 64, 64, 1), "uint8")
    stripes[:, :, ::2] = 255
    small = Preprocessing(image_size=16).apply(stripes)
    assert small.shape == (1, 16, 16, 1)
    assert np.abs(small[:, :, 2:-2].astype(int) - 127.5).max() <= 2


def test_resize_keeps_constants_and_rounds_and_clips():
    constant = np.full((1, 9, 9, 2), 201, "uint8")
    np.testing.assert_array_equal(Preprocessing(image_size=5).apply(constant), 201)
    edge = np.zeros((1, 16, 16, 1), "float32") - 1
    edge[:, :, 8:] = 1
    resized = Preprocessing(image_size=64).apply(edge)
    assert resized.dtype == np.float32
    assert resized.min() == -1 and resized.max() == 1  # Lanczos overshoots an edge


def test_uint8_and_float_resize_agree():
    images = random_images(2, 20, 20, 3)
    options = Preprocessing(image_size=8)
    from_floats = (options.apply(images / np.float32(127.5) - 1) + 1) * 127.5
    assert np.abs(options.apply(images) - from_floats).max() <= 1.5  # rounding of both passes


def test_stretching_differs_from_cropping():
    images = random_images(1, 8, 16, 1)
    cropped = Preprocessing(image_size=8).apply(images)
    stretched = Preprocessing(image_size=8, crop_to_aspect_ratio=False).apply(images)
    np.testing.assert_array_equal(cropped, images[:, :, 4:12])
    assert (stretched != cropped).any()


def test_threshold():
    levels = np.array([0, 127, 128, 255], "uint8").reshape(1, 2, 2, 1)
    binary = Preprocessing(binarize="threshold").apply(levels)
    assert binary.dtype == np.uint8
    assert binary.ravel().tolist() == [0, 0, 255, 255]


def test_bernoulli_probability_is_pixel_over_255():
    levels = np.array([0, 1, 64, 200, 254, 255], "uint8")
    n = 40_000
    draws = preprocessing.bernoulli(np.tile(levels, (n, 1)), np.random.default_rng(0))
    assert set(np.unique(draws)) == {0, 255}
    p = levels / 255
    assert (np.abs((draws == 255).mean(0) - p) <= 4 * np.sqrt(p * (1 - p) / n)).all()
    assert (draws[:, 0] == 0).all() and (draws[:, -1] == 255).all()


def test_static_draw_depends_on_seed_and_position_only():
    images = np.repeat(random_images(1, 8, 8, 1), 6, axis=0)
    options = Preprocessing(binarize="static", seed=3)
    whole = options.apply(images)
    np.testing.assert_array_equal(options.apply(images[4:], first_index=4), whole[4:])
    assert len(np.unique(whole, axis=0)) == 6  # equal images, other draws
    assert (Preprocessing(binarize="static", seed=4).apply(images) != whole).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 0}, "image_size .*got 0"),
        ({"image_size": (3,)}, r"image_size .*got \(3,\)"),
        ({"image_size": True}, "image_size .*got True"),
        ({"pad_to": "32"}, "pad_to .*got '32'"),
        ({"image_size": 32, "pad_to": 28}, r"pad_to .*\(32, 32\), got \(28, 28\)"),
        ({"binarize": "random"}, "binarize .*got 'random'"),
        ({"seed": -1}, "seed .*got -1"),
        ({"seed": 1.5}, "seed .*got 1.5"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing(**options)
