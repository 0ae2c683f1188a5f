import subprocess
import sys

import keras
import numpy as np
import pytest

import kzoo.datasets


def numbered_images(n=10):
    """Images (n, 2, 2, 1) whose pixels all hold the image's number."""
    return np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None, None], (n, 2, 2, 1)).copy()


def numbers(dataset):
    return [batch[:, 0, 0, 0].tolist() for batch in dataset]


def test_unshuffled_batches():
    dataset = kzoo.datasets.from_arrays(numbered_images(), batch_size=4, shuffle=False)
    assert isinstance(dataset, keras.utils.PyDataset)
    assert numbers(dataset) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert (len(dataset), dataset.batch_size, dataset.num_examples) == (3, 4, 10)
    assert dataset.image_shape == (2, 2, 1)
    assert dataset[0].dtype == np.uint8


def test_drop_remainder():
    dataset = kzoo.datasets.from_arrays(numbered_images(), batch_size=4, drop_remainder=True)
    assert [len(batch) for batch in dataset] == [4, 4]


def test_every_epoch_is_a_new_order_of_all_images():
    dataset = kzoo.datasets.from_arrays(numbered_images(50), batch_size=8, seed=1)
    epochs = [sum(numbers(dataset), []) for _ in range(3)]
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_seed_fixes_every_epoch():
    a, b = (kzoo.datasets.from_arrays(numbered_images(), batch_size=3, seed=5) for _ in range(2))
    epochs = [numbers(a) for _ in range(3)]
    assert epochs == [numbers(b) for _ in range(3)]
    b.set_epoch(1)
    assert [numbers(b), numbers(b)] == epochs[1:]
    other = kzoo.datasets.from_arrays(numbered_images(50), batch_size=3, seed=6)
    assert numbers(other) != numbers(
        kzoo.datasets.from_arrays(numbered_images(50), None, 3, seed=5)
    )


@pytest.mark.parametrize("kind", ["arrays", "tensors"])
def test_endless_batches_are_passes(kind):
    dataset = kzoo.datasets.from_arrays(numbered_images(), batch_size=4, seed=5)
    passes = [*numbers(dataset), *numbers(dataset), *numbers(dataset)]
    if kind == "tensors":
        tf = pytest.importorskip("tensorflow")
        dataset = tf.data.Dataset.from_tensor_slices(numbered_images()).batch(4)
        passes = [batch.numpy()[:, 0, 0, 0].tolist() for batch in dataset] * 3
    for _ in range(2):
        batches = iter(kzoo.datasets.endless(dataset))
        assert numbers(np.asarray(next(batches)) for _ in range(9)) == passes


@pytest.mark.parametrize("given", [(batch for batch in numbered_images()[:, None]), []])
def test_endless_needs_batches_in_every_pass(given):
    batches = kzoo.datasets.endless(given)
    with pytest.raises(ValueError, match="several times, got a .* without batches in pass"):
        list(batches)


def test_labels_stay_with_their_images():
    dataset = kzoo.datasets.from_arrays(numbered_images(), np.arange(10) * 3, batch_size=4)
    for images, labels in dataset:
        np.testing.assert_array_equal(images[:, 0, 0, 0] * 3, labels)


def test_dynamic_binarization_is_fresh_each_epoch_and_fixed_by_the_seed():
    grey = np.full((64, 8, 8, 1), 100, "uint8")
    a, b = (
        kzoo.datasets.from_arrays(grey, batch_size=16, binarize="dynamic", seed=2) for _ in range(2)
    )
    first, second = kzoo.datasets.to_arrays(a)[0], kzoo.datasets.to_arrays(a)[0]
    assert set(np.unique(first)) == {0, 255}
    assert abs((first == 255).mean() - 100 / 255) < 4 * 0.5 / 64
    assert (first != second).any()
    np.testing.assert_array_equal(first, kzoo.datasets.to_arrays(b)[0])
    assert len(np.unique(first.reshape(64, -1), axis=0)) == 64  # no batch repeats another


def test_static_binarization_is_the_same_in_every_epoch():
    grey = np.full((6, 8, 8, 1), 100, "uint8")
    dataset = kzoo.datasets.from_arrays(grey, batch_size=4, binarize="static", shuffle=False)
    first, second = kzoo.datasets.to_arrays(dataset)[0], kzoo.datasets.to_arrays(dataset)[0]
    np.testing.assert_array_equal(first, second)
    assert set(np.unique(first)) == {0, 255}


def test_grey_images_get_a_channel_and_floats_become_float32():
    dataset = kzoo.datasets.from_arrays(np.linspace(-1, 1, 32).reshape(2, 4, 4), shuffle=False)
    assert dataset.image_shape == (4, 4, 1)
    assert dataset[0].dtype == np.float32
    assert (dataset[0].min(), dataset[0].max()) == (-1, 1)


def test_with_batch_size():
    dataset = kzoo.datasets.from_arrays(numbered_images(), np.arange(10), batch_size=2, seed=1)
    larger = dataset.with_batch_size(4)
    assert (len(larger), larger.batch_size, dataset.batch_size) == (2, 4, 2)
    assert len(dataset.with_batch_size(4, drop_remainder=False)) == 3
    assert larger.images is dataset.images
    together = np.concatenate([dataset[0][0], dataset[1][0]])
    np.testing.assert_array_equal(larger[0][0], together)
    with pytest.raises(ValueError, match="batch_size 11 .* 10 images"):
        dataset.with_batch_size(11)


def test_split():
    images, labels = numbered_images(10), np.arange(10) * 2
    dataset = kzoo.datasets.from_arrays(images, labels, batch_size=4, shuffle=False)
    training, held_out = (
        [(x[:, 0, 0, 0].tolist(), y.tolist()) for x, y in part]
        for part in dataset.split(0.3, seed=1)
    )
    assert [len(x) for x, _ in training] == [4, 3] and [len(x) for x, _ in held_out] == [3]
    assert sorted(sum((x for x, _ in training + held_out), [])) == list(range(10))
    assert all(y == [2 * number for number in x] for x, y in training + held_out)
    again = [part.images[:, 0, 0, 0].tolist() for part in dataset.split(0.3, seed=1)]
    assert again[1] == held_out[0][0]
    assert dataset.split(0.3, seed=2)[1].images.tolist() != dataset.split(0.3)[1].images.tolist()
    for fraction in (0, 1, 0.01, 0.99, -1):
        with pytest.raises(ValueError, match="leave examples in both parts"):
            dataset.split(fraction)


def test_fit_and_evaluate():
    """A regression that only an unshuffled pairing of images and labels solves."""
    images = np.random.default_rng(0).uniform(-1, 1, (96, 2, 2, 1)).astype("float32")
    labels = images.sum((1, 2, 3))
    dataset = kzoo.datasets.from_arrays(images, labels, batch_size=32, seed=0)
    model = keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.1), "mse")
    model.fit(dataset, epochs=60, verbose=0)
    assert model.evaluate(dataset, verbose=0) < 1e-2


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((4, 2), "uint8"), r"shape .*got \(4, 2\)"),
        (np.zeros((4, 2, 2, 1, 1), "uint8"), r"got \(4, 2, 2, 1, 1\)"),
        (np.zeros((0, 2, 2, 1), "uint8"), r"empty, got shape \(0, 2, 2, 1\)"),
        (np.zeros((4, 2, 2, 1), "int64"), "uint8.*got int64"),
        (np.full((4, 2, 2, 1), "text"), "uint8.*got <U4"),
        (np.zeros((4, 2, 2, 1), bool), "uint8.*got bool"),
        (np.full((4, 2, 2, 1), 255.0), r"\[-1, 1\], got values in \[255.0, 255.0\]"),
        (np.full((4, 2, 2, 1), np.nan), r"\[-1, 1\], got values in \[nan, nan\]"),
    ],
)
def test_wrong_images(images, message):
    with pytest.raises(ValueError, match=message):
        kzoo.datasets.from_arrays(images)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size .*got 0"),
        ({"batch_size": 2.0}, "batch_size .*got 2.0"),
        ({"batch_size": 11, "drop_remainder": True}, "batch_size 11 .*10 images"),
        ({"labels": np.arange(9)}, r"\(10\), got \(9,\)"),
        ({"labels": True}, "labels=True"),
        ({"pad_to": 1}, r"pad_to .*\(2, 2\), got \(1, 1\)"),
        ({"binarize": "always"}, "got 'always'"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        kzoo.datasets.from_arrays(numbered_images(), **options)


def test_binarization_takes_uint8():
    with pytest.raises(ValueError, match="'static' takes uint8 images, got float32"):
        kzoo.datasets.from_arrays(np.zeros((1, 2, 2, 1)), binarize="static")


def test_without_a_seed_the_order_follows_keras():
    """Also of a data set that was made, and read, before."""
    options = {"batch_size": 50, "binarize": "dynamic"}
    dataset = kzoo.datasets.from_arrays(numbered_images(50), **options)
    runs = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        runs.append([kzoo.datasets.to_arrays(dataset)[0].tolist() for _ in range(2)])
    assert runs[0] == runs[1] != runs[2]
    assert runs[0][0] != runs[0][1]  # every epoch is another
    keras.utils.set_random_seed(1)
    new = kzoo.datasets.from_arrays(numbered_images(50), **options)
    assert kzoo.datasets.to_arrays(new)[0].tolist() == runs[0][0]


def test_a_seed_does_not_follow_keras():
    dataset = kzoo.datasets.from_arrays(numbered_images(50), seed=0)
    keras.utils.set_random_seed(1)
    first = numbers(dataset)
    keras.utils.set_random_seed(1)
    assert numbers(dataset) != first


def named(n=10):
    words = np.array(["a", "small", "picture", "\N{SNOWMAN}"])[np.arange(n) % 4]
    source = np.stack([numbered_images(n)[..., 0]] * 3, -1) + np.uint8(100)
    return {"image": numbered_images(n), "source": source, "caption": words, "label": np.arange(n)}


def test_named_arrays():
    arrays = named()
    dataset = kzoo.datasets.ArrayDataset(arrays, batch_size=4, pad_to=4, seed=0)
    assert dataset.image_shapes == {"image": (4, 4, 1), "source": (4, 4, 3)}
    assert (dataset.image_shape, dataset.num_examples, len(dataset)) == ((4, 4, 1), 10, 3)
    for batch in dataset:
        assert list(batch) == ["image", "source", "caption", "label"]
        label = batch["label"]
        np.testing.assert_array_equal(batch["image"][:, 1, 1, 0], label)
        np.testing.assert_array_equal(batch["source"][:, 1, 1, 2], label + 100)
        assert (batch["image"][:, 0] == 0).all() and (batch["source"][:, 0] == 0).all()
        assert batch["caption"].tolist() == arrays["caption"][label].tolist()
    unshuffled = kzoo.datasets.from_arrays(arrays, batch_size=4, shuffle=False)
    for name, array in kzoo.datasets.to_arrays(unshuffled).items():
        np.testing.assert_array_equal(array, arrays[name])


def test_each_image_of_an_example_is_binarized_on_its_own():
    grey = np.full((6, 8, 8, 1), 128, "uint8")
    for binarize in ("static", "dynamic"):
        dataset = kzoo.datasets.from_arrays({"a": grey, "b": grey}, binarize=binarize, seed=0)
        batch = dataset[0]
        assert set(np.unique([batch["a"], batch["b"]])) == {0, 255}
        assert 0.3 < (batch["a"] == batch["b"]).mean() < 0.7


def test_text_becomes_unicode():
    for texts in (["a", "bc"], np.array(["a", "bc"], object), np.array([b"a", b"bc"])):
        dataset = kzoo.datasets.from_arrays(
            {"image": numbered_images(2), "caption": texts}, shuffle=False
        )
        assert dataset[0]["caption"].dtype.kind == "U"
        assert dataset[0]["caption"].tolist() == ["a", "bc"]


def test_feature_maps_are_no_images():
    maps = np.full((10, 2, 2, 8), 7.0, "float32")
    dataset = kzoo.datasets.from_arrays({"image": numbered_images(), "map": maps}, pad_to=4)
    assert list(dataset.image_shapes) == ["image"]
    assert dataset[0]["map"].shape == (10, 2, 2, 8)


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ({"caption": ["a"]}, {}, "expected images .*'caption': .'str"),
        (named() | {"caption": ["a"]}, {}, r"caption must have one entry per image \(10\), .*1,"),
        (named() | {"caption": [None] * 10}, {}, "caption must .* numbers or of text"),
        (named(), {"labels": np.arange(10)}, "put the labels in the dict"),
        (named(), {"features": ("image",)}, "goes with an .npz file"),
        (named() | {"source": np.zeros((10, 4, 4, 3), "uint8")}, {"pad_to": 8}, "same size, got"),
        (named() | {"source": np.zeros((10, 2, 2, 3))}, {"binarize": "static"}, "'source': 'float"),
        (named() | {"source": np.full((10, 2, 2, 3), 9.0)}, {}, r"'source' .*\[-1, 1\]"),
    ],
)
def test_wrong_named_arrays(arrays, options, message):
    with pytest.raises(ValueError, match=message):
        kzoo.datasets.from_arrays(arrays, **options)


def test_fit_takes_named_features():
    class Regression(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, batch):
            return self.dense(keras.ops.cast(batch["image"][:, 0, 0], "float32") / 10)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return keras.ops.mean((y_pred[:, 0] - keras.ops.cast(x["label"], "float32") / 10) ** 2)

    arrays = {name: array for name, array in named(32).items() if name != "caption"}
    model = Regression()
    model.compile(keras.optimizers.Adam(0.1))
    model.fit(kzoo.datasets.from_arrays(arrays, batch_size=8, seed=0), epochs=30, verbose=0)
    assert abs(model.dense.get_weights()[0].item() - 1) < 0.1


@pytest.fixture
def npz(tmp_path):
    path = tmp_path / "digits.npz"
    images = numbered_images(30)
    np.savez_compressed(
        path, x_train=images[:20, ..., 0], y_train=range(20), x_test=images[20:], y_test=range(10)
    )
    return path


def test_npz_splits_as_keras_names_them(npz):
    train = kzoo.datasets.from_arrays(npz, labels=True, shuffle=False)
    assert train.image_shape == (2, 2, 1)
    assert train.labels.tolist() == list(range(20))
    test = kzoo.datasets.from_arrays(str(npz), split="test", shuffle=False)
    assert numbers(test) == [list(range(20, 30))]


def test_npz_of_images_and_npy(tmp_path):
    np.savez(tmp_path / "a.npz", images=numbered_images(), labels=np.arange(10))
    dataset = kzoo.datasets.from_arrays(tmp_path / "a.npz", True, shuffle=False)
    assert dataset.labels.tolist() == list(range(10))
    np.save(tmp_path / "a.npy", numbered_images())
    dataset = kzoo.datasets.from_arrays(tmp_path / "a.npy", batch_size=10, shuffle=False)
    assert numbers(dataset) == [list(range(10))]
    assert type(dataset[0]) is np.ndarray  # not a memory map any more
    with pytest.raises(ValueError, match="holds no labels"):
        kzoo.datasets.from_arrays(tmp_path / "a.npy", True)


def test_npz_of_named_features(npz, tmp_path):
    dataset = kzoo.datasets.from_arrays(npz, features=("image", "label"), shuffle=False)
    assert dataset[0]["label"].tolist() == list(range(20))
    np.savez(tmp_path / "a.npz", **named(), caption_test=["b"], image_test=numbered_images(1))
    features = ("image", "caption", "source")
    train = kzoo.datasets.from_arrays(tmp_path / "a.npz", features=features, shuffle=False)
    assert list(train[0]) == list(features)
    assert train[0]["caption"].tolist() == named()["caption"].tolist()
    options = {"features": features[:2], "split": "test"}
    assert kzoo.datasets.from_arrays(tmp_path / "a.npz", **options)[0]["caption"] == ["b"]
    with pytest.raises(ValueError, match="no array 'source_test' among"):
        kzoo.datasets.from_arrays(tmp_path / "a.npz", split="test", features=features)
    with pytest.raises(ValueError, match="without labels"):
        kzoo.datasets.from_arrays(tmp_path / "a.npz", True, features=features)
    with pytest.raises(ValueError, match="tuple of different names, got 'image'"):
        kzoo.datasets.from_arrays(tmp_path / "a.npz", features="image")


@pytest.mark.parametrize("suffix", [".npz", ".npy"])
def test_a_text_file_gets_no_advice_to_unpickle_it(tmp_path, suffix):
    path = tmp_path / f"notes{suffix}"
    path.write_text("no arrays at all, only words")
    with pytest.raises(ValueError, match=f"cannot read images from .*notes{suffix}") as caught:
        kzoo.datasets.from_arrays(path)
    assert "pickle" not in str(caught.value)


def test_missing_arrays(npz, tmp_path):
    with pytest.raises(ValueError, match="digits.npz.*'x_extra' among .*'x_test'"):
        kzoo.datasets.from_arrays(npz, split="extra")
    np.savez(tmp_path / "a.npz", images=numbered_images())
    with pytest.raises(ValueError, match="a.npz.*'labels'"):
        kzoo.datasets.from_arrays(tmp_path / "a.npz", labels=True)
    with pytest.raises(ValueError, match="a.npz.*'x_test'"):  # not the training images
        kzoo.datasets.from_arrays(tmp_path / "a.npz", split="test")


@pytest.mark.parametrize("name", ["digits.npz", "digits.npy"])
@pytest.mark.parametrize("keep", [0.0, 0.1, 0.5, 0.99])
def test_truncated_files_are_named(npz, name, keep):
    path = npz.with_name(name)
    if name.endswith("npy"):
        np.save(path, numbered_images(30))
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(ValueError, match=f"cannot read images from .*{name}"):
        kzoo.datasets.from_arrays(path)


def test_damaged_file_is_named(npz):
    content = bytearray(npz.read_bytes())
    content[len(content) // 4] ^= 0xFF
    content[100] ^= 0xFF
    npz.write_bytes(content)
    with pytest.raises(ValueError, match="cannot read images from"):
        kzoo.datasets.from_arrays(npz)


def test_wrong_paths(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.npz"):
        kzoo.datasets.from_arrays(tmp_path / "none.npz")
    with pytest.raises(ValueError, match="expected a .npy or .npz file, got 'mnist'"):
        kzoo.datasets.from_arrays("mnist")


def test_to_arrays():
    dataset = kzoo.datasets.from_arrays(numbered_images(), np.arange(10), 4, shuffle=False)
    images, labels = kzoo.datasets.to_arrays(dataset)
    np.testing.assert_array_equal(images, numbered_images())
    np.testing.assert_array_equal(labels, np.arange(10))
    assert kzoo.datasets.to_arrays([numbered_images()])[1] is None
    with pytest.raises(ValueError, match="empty"):
        kzoo.datasets.to_arrays([])


@pytest.mark.skipif(keras.config.backend() == "tensorflow", reason="is about the other backends")
def test_works_without_tensorflow(npz):
    code = f"""
import sys
sys.modules["tensorflow"] = sys.modules["tensorflow_datasets"] = None  # import fails
import kzoo.datasets
images, labels = kzoo.datasets.to_arrays(kzoo.datasets.from_arrays({str(npz)!r}, labels=True))
assert images.shape == (20, 2, 2, 1) and len(labels) == 20
try:
    kzoo.datasets.load("mnist")
except ImportError as error:
    assert "pip install tensorflow tensorflow-datasets" in str(error), error
else:
    raise SystemExit("no ImportError")
"""
    subprocess.run([sys.executable, "-c", code], check=True)
