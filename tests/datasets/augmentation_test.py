import keras
import numpy as np
import pytest

import kzoo.datasets

from . import tfds_files

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 4, 6, 3), dtype=np.uint8)


def mirror(images):
    return images[:, :, ::-1]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """A folder with the data set "pairs", and its photos."""
    pytest.importorskip("tensorflow_datasets")
    folder = tmp_path_factory.mktemp("tfds")
    return folder, tfds_files.write_pairs(folder)


def from_arrays(augment, **options):
    return kzoo.datasets.from_arrays(IMAGES, augment=augment, shuffle=False, **options)


def test_a_function_augments_every_batch():
    dataset = from_arrays(mirror, batch_size=3)
    np.testing.assert_array_equal(kzoo.datasets.to_arrays(dataset)[0], mirror(IMAGES))
    assert dataset[0].dtype == np.uint8
    np.testing.assert_array_equal(dataset.images, IMAGES)  # what is stored stays


def test_results_are_rounded_and_clipped():
    images = from_arrays(lambda x: x * 1.4 - 20.0)[0]
    np.testing.assert_array_equal(images, np.round(IMAGES * 1.4 - 20).clip(0, 255))
    floats = kzoo.datasets.from_arrays(IMAGES / 127.5 - 1, augment=lambda x: 2 * x, shuffle=False)
    assert floats[0].dtype == np.float32 and (floats[0].min(), floats[0].max()) == (-1, 1)


def test_dynamic_binarization_comes_after():
    images = from_arrays(lambda x: x * 0.0 + 127.5, binarize="dynamic", seed=0)[0]
    assert set(np.unique(images)) == {0, 255}


def test_keras_layers():
    """Every image is itself or its mirror image, some of both, and others in every epoch."""
    dataset = from_arrays(keras.layers.RandomFlip("horizontal", seed=0))
    epochs = [kzoo.datasets.to_arrays(dataset)[0] for _ in range(2)]
    for images in epochs:
        same = (images == IMAGES).all((1, 2, 3))
        assert (same | (images == mirror(IMAGES)).all((1, 2, 3))).all()
        assert 0 < same.sum() < len(IMAGES)
    assert (epochs[0] != epochs[1]).any()
    again = kzoo.datasets.to_arrays(from_arrays(keras.layers.RandomFlip("horizontal", seed=0)))[0]
    np.testing.assert_array_equal(again, epochs[0])


def test_a_layer_may_change_the_size():
    dataset = from_arrays(keras.layers.RandomCrop(3, 2, seed=0), batch_size=4)
    assert dataset.image_shape == dataset[0].shape[1:] == (3, 2, 3)


def test_images_of_an_example_change_together():
    arrays = {"image": IMAGES, "source": IMAGES[..., :1], "label": np.arange(8)}
    layer = keras.layers.RandomFlip("horizontal", seed=0)
    batch = kzoo.datasets.from_arrays(arrays, augment=layer, shuffle=False)[0]
    np.testing.assert_array_equal(batch["image"][..., :1], batch["source"])
    assert (batch["image"] != IMAGES).any()
    np.testing.assert_array_equal(batch["label"], np.arange(8))


def test_from_directory(tmp_path):
    keras.utils.save_img(tmp_path / "a.png", IMAGES[0], scale=False)
    batch = kzoo.datasets.from_directory(tmp_path, augment=mirror)[0]
    np.testing.assert_array_equal(batch[0], mirror(IMAGES)[0])


WRONG = [
    (lambda x: x[:1], r"shape \(2, .*\) it returned \(1, "),
    (lambda x: x[..., 0], "as many images, with as many channels"),
    (lambda x: x / 255, r"\[0, 255\], as it got them; it returned values in \[0, 1\]"),
    ("flip", "a Keras layer or a function of images, got 'flip'"),
]


@pytest.mark.parametrize(("augment", "message"), WRONG)
def test_wrong_augmentation_of_arrays(augment, message):
    with pytest.raises(ValueError, match=message):
        from_arrays(augment)


@pytest.mark.parametrize("binarize", ["static", "threshold"])
def test_fixed_binarization_does_not_go_with_it(binarize):
    with pytest.raises(ValueError, match=f"got '{binarize}'"):
        from_arrays(mirror, binarize=binarize)


def load(pairs, augment, **options):
    names = ("photo", "sketch", "caption")
    return kzoo.datasets.load(
        "pairs", batch_size=4, features=names, augment=augment, data_dir=pairs[0], **options
    )


@pytest.mark.parametrize("cache", [True, False])
def test_load(pairs, cache):
    def epochs():
        layer = keras.layers.RandomFlip("horizontal", seed=0)
        dataset = load(pairs, layer, shuffle=False, cache=cache)
        return [kzoo.datasets.to_arrays(dataset) for _ in range(2)]

    first, second = epochs()
    photos = pairs[1]
    same = (first["photo"] == photos).all((1, 2, 3))
    assert (same | (first["photo"] == mirror(photos)).all((1, 2, 3))).all()
    assert 0 < same.sum() < len(photos)
    np.testing.assert_array_equal(first["photo"][..., :1], first["sketch"])
    assert (first["photo"] != second["photo"]).any()
    for epoch, again in zip((first, second), epochs()):
        np.testing.assert_array_equal(epoch["photo"], again["photo"])


def test_load_with_a_function_and_another_size(pairs):
    dataset = load(pairs, lambda x: x[:, :4, ::-1], shuffle=False)
    assert dataset.element_spec["sketch"].shape[1:] == (4, 12, 1)
    np.testing.assert_array_equal(
        kzoo.datasets.to_arrays(dataset)["photo"], mirror(pairs[1])[:, :4]
    )


def fail(images):
    raise RuntimeError("not today")


@pytest.mark.parametrize(("augment", "message"), [*WRONG, (fail, "not today(.|\n)*tf.data")])
def test_wrong_augmentation_of_load(pairs, augment, message):
    with pytest.raises(ValueError, match=message):
        load(pairs, augment)


@pytest.mark.parametrize("name", ["RandomFlip", "RandAugment", "GridMask"])
def test_keras_cv(pairs, name):
    layers = pytest.importorskip("keras_cv").layers
    options = {"value_range": (0, 255)} if name == "RandAugment" else {}
    layer = getattr(layers, name)(**options)
    images = from_arrays(layer)[0]
    assert images.shape == IMAGES.shape and images.dtype == np.uint8
    dataset = kzoo.datasets.load("pairs", features=("photo",), augment=layer, data_dir=pairs[0])
    photos = kzoo.datasets.to_arrays(dataset)["photo"]
    assert photos.shape == pairs[1].shape and (photos != pairs[1]).any()
