import gc

import keras
import numpy as np
import pytest

import kzoo.datasets
from kzoo.datasets.preprocessing import Preprocessing
from kzoo.models import batches
from tests.small_models import small as small_model

from . import tfds_files

tf = pytest.importorskip("tensorflow")
pytest.importorskip("tensorflow_datasets")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """(folder, its 50 grey images, its 6 photos)."""
    folder = tmp_path_factory.mktemp("tfds")
    tfds_files.write_pairs(folder)
    return folder, *tfds_files.write_examples(folder)


@pytest.fixture
def load(small, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(small[0]))
    return kzoo.datasets.load


def arrays(dataset):
    return kzoo.datasets.to_arrays(dataset)


def test_batches_and_element_spec(load, small):
    dataset = load("grey_squares", "test", 4)
    assert isinstance(dataset, tf.data.Dataset)
    assert dataset.element_spec == tf.TensorSpec((None, 12, 12, 1), tf.uint8)
    assert [len(batch) for batch in dataset] == [4, 4, 2]
    images, labels = arrays(dataset)
    np.testing.assert_array_equal(images, small[1][40:])  # a test split keeps its order
    assert labels is None


def test_pipelines_are_not_tuned_while_they_run(load):
    """At the end of an epoch `fit` would wait for the thread that does it, up to seconds."""
    dataset = load("grey_squares", batch_size=2)
    assert dataset.options().autotune.enabled is False
    both = kzoo.datasets.zip_domains(dataset, load("grey_squares", batch_size=2), batch_size=2)
    assert both.options().autotune.enabled is False


def test_a_pass_that_is_ended_early_does_not_shorten_the_next(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    images = np.random.default_rng(0).integers(0, 256, (1000, 32, 32, 3), dtype=np.uint8)
    tfds_files.write(tmp_path, "noise", {"test": list(images)}, (32, 32, 3))
    dataset = kzoo.datasets.load("noise", "test", batch_size=64)
    iterator = iter(dataset)
    next(iterator)
    del iterator
    gc.collect()
    assert [sum(1 for _ in dataset) for _ in range(2)] == [16, 16]


def test_number_of_batches_is_known(load):
    assert load("grey_squares", batch_size=16).cardinality() == 3
    assert load("grey_squares", batch_size=16, drop_remainder=True).cardinality() == 2
    assert load("grey_squares", batch_size=16, pad_to=16, binarize="static").cardinality() == 3


def test_every_pass_is_a_new_order_of_all_images_with_their_labels(load, small):
    dataset = load("grey_squares", batch_size=16, labels=True, seed=0)
    orders = []
    for _ in range(3):
        images, labels = arrays(dataset)
        np.testing.assert_array_equal(images, small[1][labels])
        assert sorted(labels) == list(range(40))
        orders.append(tuple(labels))
    assert len(set(orders)) == 3


@pytest.mark.parametrize("binarize", [None, "dynamic", "static"])
def test_seed_fixes_every_pass(load, binarize):
    options = {"batch_size": 16, "binarize": binarize, "labels": True}
    a, b, c = (load("grey_squares", seed=seed, **options) for seed in (3, 3, 4))
    for number in range(3):
        first, second, other = arrays(a), arrays(b), arrays(c)
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(first[1], second[1])
        assert (first[0] != other[0]).any()
        keras.utils.set_random_seed(number)
    again = load("grey_squares", seed=3, **options)
    again.set_epoch(2)
    for before, after in zip(first, arrays(again), strict=True):
        np.testing.assert_array_equal(before, after)


def test_fit_sets_the_epoch(load):
    """As Keras gets the data: with what the model does not use taken out, and joined."""
    passes = []
    for name in ("GAN", "CFGGAN"):
        data = load("grey_squares", batch_size=8, features=("label", "image"), image_size=8, seed=3)
        data = batches.prepare(small_model(name), data, grouped=True)["x"]
        for epoch in (2, 1, 2):
            data.set_epoch(epoch)
            passes.append(np.concatenate([batch[0] for batch in data]))
        np.testing.assert_array_equal(passes[-3], passes[-1])
        assert (passes[-2] != passes[-1]).any()
    np.testing.assert_array_equal(passes[0][: len(passes[-1])], passes[-1])


def test_dynamic_binarization_is_bernoulli_and_fresh_in_every_pass(load, small):
    dataset = load("grey_squares", "test", 4, binarize="dynamic", seed=0)
    passes = np.stack([arrays(dataset)[0] for _ in range(100)])  # (100, 10, 12, 12, 1)
    assert set(np.unique(passes)) == {0, 255}
    p = small[1][40:] / 255
    error = ((passes == 255).mean(0) - p)[(p > 0.2) & (p < 0.8)]
    assert np.abs(error).max() < 5 * 0.5 / 10  # five standard deviations
    assert abs(error.mean()) < 5 * 0.5 / np.sqrt(100 * error.size)
    # Independent passes: a pixel differs between two passes with probability 2 p (1 - p).
    differ = (passes[0] != passes[1]).mean()
    assert abs(differ - (2 * p * (1 - p)).mean()) < 0.05


def test_static_and_threshold_binarization(load, small):
    static = load("grey_squares", "test", 4, binarize="static", seed=7)
    first = arrays(static)[0]
    np.testing.assert_array_equal(first, arrays(static)[0])
    np.testing.assert_array_equal(
        first, Preprocessing(binarize="static", seed=7).apply(small[1][40:])
    )
    threshold = arrays(load("grey_squares", "test", binarize="threshold"))[0]
    np.testing.assert_array_equal(threshold, (small[1][40:] >= 128) * 255)


def test_images_of_different_sizes_are_cropped_and_resized(load, small):
    dataset = load("colour_photos", batch_size=6, image_size=8, pad_to=10, shuffle=False)
    assert dataset.element_spec.shape == (6, 10, 10, 3)  # 6 divides the number of photos
    options = Preprocessing(image_size=8, pad_to=10)
    expected = np.concatenate([options.apply(photo[None]) for photo in small[2]])
    np.testing.assert_array_equal(arrays(dataset)[0], expected)


def test_split_notation_and_uncached(load, small):
    images = arrays(load("grey_squares", "train[10:20]+test", 8, shuffle=False, cache=False))[0]
    np.testing.assert_array_equal(images, np.concatenate([small[1][10:20], small[1][40:]]))


def test_same_pixels_from_npz(load, tmp_path):
    path = tmp_path / "deep" / "grey.npz"
    kzoo.datasets.save_npz(path, "grey_squares", pad_to=14)
    assert [file.name for file in path.parent.iterdir()] == ["grey.npz"]
    for split in ("train", "test"):
        options = {"labels": True, "shuffle": False, "binarize": "static", "seed": 1}
        from_tfds = arrays(load("grey_squares", split, pad_to=14, **options))
        from_file = arrays(kzoo.datasets.from_arrays(path, split=split, **options))
        np.testing.assert_array_equal(from_tfds[0], from_file[0])
        np.testing.assert_array_equal(from_tfds[1], from_file[1])


def test_save_npz_leaves_nothing_behind_when_it_fails(load, tmp_path):
    with pytest.raises(ValueError, match="unknown split 'validation'"):
        kzoo.datasets.save_npz(tmp_path / "x.npz", "grey_squares", ("train", "validation"))
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="end in .npz, got .*x.zip"):
        kzoo.datasets.save_npz(tmp_path / "x.zip", "grey_squares")


def test_features_are_a_dict(load):
    names = ("image", "label")
    dataset = load("grey_squares", "test", 4, features=names)
    assert dataset.element_spec["image"] == tf.TensorSpec((None, 12, 12, 1), tf.uint8)
    got = arrays(dataset)
    images, labels = arrays(load("grey_squares", "test", 4, labels=True))
    assert tuple(got) == names
    np.testing.assert_array_equal(got["image"], images)
    np.testing.assert_array_equal(got["label"], labels)


@pytest.mark.parametrize("options", [{}, {"image_size": 6, "pad_to": 7}, {"cache": False}])
def test_images_of_an_example_stay_together(load, options):
    names = ("photo", "caption", "sketch", "attributes")
    dataset = load("pairs", batch_size=4, features=names, seed=0, **options)
    assert set(dataset.element_spec) == set(names)
    got = arrays(dataset)
    np.testing.assert_array_equal(got["photo"][..., :1], got["sketch"])
    number = np.array([int(text.split()[1]) for text in got["caption"]])
    assert sorted(number) == list(range(10)) and number.tolist() != list(range(10))
    assert got["caption"][0].endswith(" \N{SNOWMAN}")
    np.testing.assert_array_equal(got["attributes"]["odd"], number % 2 == 1)
    photos = arrays(load("pairs", features=("photo",), shuffle=False, **options))["photo"]
    np.testing.assert_array_equal(got["photo"], photos[number])


def test_images_of_different_sizes_stay_as_they_are(load):
    got = arrays(load("pairs", features=("photo", "small"), shuffle=False))
    np.testing.assert_array_equal(got["photo"][:, :4, :6], got["small"])


@pytest.mark.parametrize("binarize", ["static", "dynamic"])
def test_each_image_of_an_example_is_binarized_on_its_own(load, binarize):
    got = arrays(load("pairs", features=("photo", "sketch"), binarize=binarize, seed=0))
    assert set(np.unique(got["photo"])) == set(np.unique(got["sketch"])) == {0, 255}
    assert 0.5 < (got["photo"][..., :1] == got["sketch"]).mean() < 0.8  # 2/3 of uniform pixels


@pytest.mark.parametrize(
    ("features", "options", "message"),
    [
        (("photo", "picture"), {}, r"no feature 'picture', only \['attributes', 'caption'"),
        (("caption",), {}, r"must name an image, one of \['deep', 'photo', 'sketch', 'small'\]"),
        ("photo", {}, "tuple of different names, got 'photo'"),
        (("photo", "photo"), {}, "tuple of different names"),
        ((), {}, "tuple of different names"),
        (("photo",), {"labels": True}, "put the label into features"),
        (("photo", "words"), {}, "'words' differs in length between examples"),
        (("deep",), {}, "'deep': expected uint8 images, got uint16"),
        (("photo", "small"), {"image_size": 4}, r"same size, got .*'small': \(4, 6\)"),
        (("photo", "small"), {"augment": lambda x: x}, "same size in an example, got .*'small'"),
        (None, {}, r"got 'pairs' with .*; name what you want with features"),
    ],
)
def test_wrong_features(load, features, options, message):
    with pytest.raises(ValueError, match=message):
        load("pairs", features=features, **options)


def test_named_features_in_an_npz(load, tmp_path):
    features = ("photo", "sketch", "caption")
    kzoo.datasets.save_npz(tmp_path / "p.npz", "pairs", ("train",), features=features, image_size=4)
    from_file = kzoo.datasets.from_arrays(tmp_path / "p.npz", features=features, shuffle=False)
    from_tfds = arrays(load("pairs", features=features, image_size=4, shuffle=False))
    for name, array in arrays(from_file).items():
        np.testing.assert_array_equal(array, from_tfds[name])
    with pytest.raises(ValueError, match=r"got 'attributes' with \['odd'\]"):
        kzoo.datasets.save_npz(
            tmp_path / "q.npz", "pairs", ("train",), features=("photo", "attributes")
        )


def test_all_but_test_splits_have_a_new_order_every_time(load):
    for split, shuffled in (("train", True), ("train+test", True), ("test[:8]", False)):
        labels = arrays(load("grey_squares", split, labels=True, seed=0))[1]
        known = arrays(load("grey_squares", split, labels=True, shuffle=False))[1]
        assert sorted(labels) == sorted(known) and (list(labels) != list(known)) == shuffled


def test_without_a_seed_the_order_follows_keras(load):
    orders = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        orders.append(arrays(load("grey_squares", labels=True))[1].tolist())
    assert orders[0] == orders[1] != orders[2]


def test_fit(load):
    model = keras.Sequential(
        [keras.Input((12, 12, 1)), keras.layers.Flatten(), keras.layers.Dense(40)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    dataset = load("grey_squares", batch_size=10, labels=True, seed=0)
    history = model.fit(dataset, epochs=3, shuffle=False, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_to_arrays_refuses_an_endless_data_set(load):
    with pytest.raises(ValueError, match="for ever"):
        arrays(load("grey_squares").repeat())


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("grey_squares", "trian"), {}, r"unknown split 'trian' .*\['test', 'train'\]"),
        (("grey_squares", "train[:0]"), {}, r"'train\[:0\]' .*empty"),
        (
            ("grey_squares",),
            {"labels": "colour"},
            r"no feature 'colour', only \['image', 'label'\]",
        ),
        (("grey_squares",), {"pad_to": 8}, r"pad_to .*\(12, 12\), got \(8, 8\)"),
        (("grey_squares",), {"batch_size": 41, "drop_remainder": True}, "41 .*40 images"),
        (("grey_squares",), {"batch_size": -1}, "batch_size .*got -1"),
        (("grey_squares",), {"binarize": "yes"}, "got 'yes'"),
        (("colour_photos",), {}, "'colour_photos' may differ in size; pass image_size"),
    ],
)
def test_wrong_requests(load, arguments, options, message):
    with pytest.raises(ValueError, match=message):
        load(*arguments, **options)


def test_other_backends_keep_the_gpu(load, monkeypatch):
    hidden = []
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda *args: hidden.append(args))
    load("grey_squares")
    expected = [] if keras.config.backend() == "tensorflow" else [([], "GPU")]
    assert [*dict.fromkeys(map(str, hidden))] == [str(call) for call in expected]


def test_mnist(tfds_dir):
    options = {"labels": True, "data_dir": tfds_dir}
    train = kzoo.datasets.load("mnist", batch_size=64, pad_to=32, **options)
    assert train.cardinality() == 938
    head = kzoo.datasets.load("mnist", "train[:10]", shuffle=False, pad_to=32, **options)
    images, labels = arrays(head)
    assert labels.tolist() == [4, 1, 0, 7, 8, 1, 2, 7, 1, 6]
    assert images.shape == (10, 32, 32, 1)
    assert images[:, 2:30, 2:30].max() == 255
    assert images[:, :2].max() == images[:, 30:].max() == images[:, :, :2].max() == 0


def test_facades_and_captioned_flowers(tfds_dir):
    options = {"data_dir": tfds_dir, "shuffle": False}
    names = ("input_image", "real_image")
    pairs = kzoo.datasets.load("cmp_facades_pairs", "train[:4]", features=names, **options)
    assert {name: spec.shape[1:] for name, spec in pairs.element_spec.items()} == dict.fromkeys(
        names, (128, 128, 3)
    )
    flowers = kzoo.datasets.load(
        "oxford_flowers102_captions", "validation", features=("image", "caption"), **options
    )
    captions = arrays(flowers)["caption"]
    assert len(captions) == 818 and (captions != "").sum() == 89


def test_lsun_bedroom(tfds_dir):
    dataset = kzoo.datasets.load("lsun/bedroom", "train[:8]", image_size=32, data_dir=tfds_dir)
    assert arrays(dataset)[0].shape == (8, 32, 32, 3)
