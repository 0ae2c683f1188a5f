import keras
import numpy as np
import pytest

import kzoo.datasets

from . import tfds_files

KINDS = ["arrays", "tensors"]


def domain(kind, n, batch_size=4, shuffle=True, seed=None, first=0):
    """n images (2, 2, 1) whose pixels hold first, first + 1, ..."""
    images = (
        np.zeros((n, 2, 2, 1), "uint8")
        + np.arange(first, first + n, dtype=np.uint8)[:, None, None, None]
    )
    if kind == "arrays":
        return kzoo.datasets.from_arrays(images, None, batch_size, shuffle=shuffle, seed=seed)
    tf = pytest.importorskip("tensorflow")
    dataset = tf.data.Dataset.from_tensor_slices(images)
    if shuffle:
        dataset = dataset.shuffle(n, seed=seed)
    return dataset.batch(batch_size, drop_remainder=n % batch_size == 0)


def numbers(dataset):
    """The numbers of the images of one epoch, of a and of b."""
    batches = list(dataset)
    assert len(batches) == len(dataset)
    return [np.concatenate([b[name] for b in batches])[:, 0, 0, 0].tolist() for name in "ab"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_smaller_begins_anew(kind):
    a, b = domain(kind, 10, shuffle=False), domain(kind, 3, shuffle=False, first=100)
    zipped = kzoo.datasets.zip_domains(a, b, batch_size=4)
    first, second = numbers(zipped)
    assert first == [*range(10), 0, 1]  # the last batch is full, too
    assert second == [100, 101, 102] * 4
    assert numbers(kzoo.datasets.zip_domains(b, a, 4)) == [second, first]


@pytest.mark.parametrize("kind", KINDS)
def test_every_epoch_shuffles_both_on_their_own(kind):
    zipped = kzoo.datasets.zip_domains(domain(kind, 12, seed=1), domain(kind, 12, seed=2))
    epochs = [numbers(zipped) for _ in range(3)]
    orders = [tuple(order) for epoch in epochs for order in epoch]
    assert all(sorted(order) == list(range(12)) for order in orders)
    assert len(set(orders)) == 6


@pytest.mark.parametrize("kind", ["arrays", "load"])
def test_epochs_have_numbers(kind, tmp_path_factory):
    root = tmp_path_factory.mktemp("tfds")
    if kind == "load":
        pytest.importorskip("tensorflow_datasets")
        tfds_files.write_examples(root)

    def zipped():
        if kind == "arrays":
            parts = (domain(kind, n, seed=n) for n in (12, 5))
        else:
            parts = (
                kzoo.datasets.load("grey_squares", split, 4, shuffle=True, seed=1, data_dir=root)
                for split in ("train[:12]", "test[:5]")
            )
        return kzoo.datasets.zip_domains(*parts, batch_size=4)

    data = zipped(), zipped()
    numbers(data[1])
    for epoch in (2, 1):
        for one in data:
            one.set_epoch(epoch)
        assert numbers(data[0]) == numbers(data[1])


def test_arrays_of_the_same_seed_are_not_paired():
    a, b = domain("arrays", 12, seed=1), domain("arrays", 12, seed=1)
    first, second = numbers(kzoo.datasets.zip_domains(a, b))
    assert first != second
    again = numbers(kzoo.datasets.zip_domains(a, b))
    assert again == [first, second]
    assert numbers(kzoo.datasets.zip_domains(a, b, 5))[0][:12] == first  # in other batches


def test_batches_keep_their_labels_and_names():
    images = np.zeros((4, 2, 2, 1), "uint8")
    labelled = kzoo.datasets.from_arrays(images, np.arange(4), 2)
    named = kzoo.datasets.from_arrays({"image": images, "name": list("abcd")}, batch_size=2)
    batch = kzoo.datasets.zip_domains(labelled, named)[1]
    assert batch["a"][1].shape == batch["b"]["name"].shape == (2,)


@pytest.mark.parametrize("kind", KINDS)
def test_fit(kind):
    class Difference(keras.Model):
        def __init__(self):
            super().__init__()
            self.scale = self.add_weight(initializer="zeros")

        def call(self, batch):
            return self.scale * keras.ops.cast(batch["a"], "float32")

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return keras.ops.mean((y_pred - keras.ops.cast(x["b"], "float32")) ** 2) / 100

    model = Difference()
    model.compile(keras.optimizers.Adam(0.1))
    a, b = domain(kind, 8, first=10), domain(kind, 4, first=20)
    history = model.fit(kzoo.datasets.zip_domains(a, b), epochs=20, shuffle=False, verbose=0)
    assert history.history["loss"][-1] < 0.2 * history.history["loss"][0]


def test_wrong_domains():
    arrays = domain("arrays", 8)
    zip_domains = kzoo.datasets.zip_domains
    with pytest.raises(ValueError, match="one batch size, got 4 and 2"):
        zip_domains(arrays, domain("arrays", 8, batch_size=2))
    with pytest.raises(ValueError, match="batch_size .*got 0"):
        zip_domains(arrays, arrays, batch_size=0)
    with pytest.raises(ValueError, match="got ArrayDataset and ndarray"):
        zip_domains(arrays, arrays.images)
    tensors = domain("tensors", 8)
    with pytest.raises(ValueError, match="got ArrayDataset and .*Dataset"):
        zip_domains(arrays, tensors)
    with pytest.raises(ValueError, match="got 4 and None.*; pass batch_size"):
        zip_domains(tensors, domain("tensors", 7))
    with pytest.raises(ValueError, match="b must have a known, finite number of batches, got -1"):
        zip_domains(tensors, tensors.repeat())
    import tensorflow as tf

    with pytest.raises(tf.errors.InvalidArgumentError, match="not that which b was loaded with"):
        list(zip_domains(tensors, domain("tensors", 7), batch_size=2))
