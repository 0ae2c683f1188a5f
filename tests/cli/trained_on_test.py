"""What a preset records of its training images, and what follows from it."""

import argparse
import sys

import numpy as np
import pytest

import kzoo
from kzoo.cli import data, trained_on
from kzoo.cli.trained_on import HELD_OUT, NOT_KNOWN, TRAINING, TrainedOn, fingerprint
from kzoo.presets import read_metadata
from kzoo.presets.shipped import shipped_presets
from tests.cli.conftest import squares


@pytest.fixture
def files(tmp_path):
    """`own.npz`, whose training images are also in `one.npz`, `own.npy` and the folder `photos`."""
    (train, labels), (test, _) = squares(0, 20), squares(1, 8)
    np.savez("own.npz", x_train=train, y_train=labels, x_test=test)
    np.savez("one.npz", images=train, labels=labels)
    np.save("own.npy", train[..., 0])
    for i, image in enumerate(train):
        (tmp_path / "photos" / f"class_{i % 2}").mkdir(parents=True, exist_ok=True)
        kzoo.visualization.grid.write_png(f"photos/class_{i % 2}/{i:02}.png", image)


def trained(source, earlier=None, **options):
    """The `TrainedOn` of a training on a source."""
    defaults = {"split": "train", "sources": None, "validation_split": None, "seed": 3}
    args = argparse.Namespace(data=source, **{**defaults, **options})
    images = data.of_training(args)
    dataset = None
    if data.is_file(source):
        dataset = data.open_data(source, args.split, part=images.part)
    entry = trained_on.record(args, dataset, earlier=earlier)
    return TrainedOn({"trained_on": entry}), entry


def test_the_hash_is_that_of_the_images_whatever_they_are_called(files, tmp_path):
    assert fingerprint("own.npz", "train") == fingerprint("own.npy", "train")
    assert fingerprint("own.npz", "test") != fingerprint("own.npz", "train")
    before = fingerprint("photos", "train")
    (tmp_path / "photos").rename(tmp_path / "moved")
    assert fingerprint("moved", "train") == before
    (tmp_path / "moved" / "class_0" / "00.png").rename(tmp_path / "moved" / "class_0" / "99.png")
    assert fingerprint("moved", "train") != before


@pytest.mark.parametrize(
    "source, options, given, expected",
    [
        ("own.npz", {}, {}, ("own.npz", "test", HELD_OUT)),
        ("own.npz", {}, {"split": "train"}, ("own.npz", "train", TRAINING)),
        ("own.npz", {}, {"training": True}, ("own.npz", "train", TRAINING)),
        ("own.npz", {}, {"source": "own.npy"}, ("own.npy", "train", TRAINING)),
        ("own.npz", {}, {"source": "photos"}, ("photos", "train", NOT_KNOWN)),
        ("own.npz", {"split": "test"}, {"split": "train"}, ("own.npz", "train", HELD_OUT)),
        ("own.npy", {}, {"source": "own.npz"}, ("own.npz", "test", HELD_OUT)),
        ("photos", {}, {}, ("photos", "train", TRAINING)),
        ("one.npz", {}, {}, ("one.npz", "train", TRAINING)),
        ("one.npz", {}, {"source": "own.npz"}, ("own.npz", "test", HELD_OUT)),
        ("photos", {"validation_split": 0.2}, {}, ("photos", "train", HELD_OUT)),
        ("photos", {"validation_split": 0.2}, {"training": True}, ("photos", "train", TRAINING)),
        ("own.npz", {"validation_split": 0.2}, {}, ("own.npz", "train", HELD_OUT)),
        ("own.npz", {"validation_split": 0.2}, {"split": "test"}, ("own.npz", "test", HELD_OUT)),
        ("own.npz", {"validation_split": 0.2}, {"split": "train"}, ("own.npz", "train", TRAINING)),
    ],
)
def test_what_is_known_of_images(files, source, options, given, expected):
    images = trained(source, **options)[0].images(**given)
    assert (images.source, images.split, images.known) == expected


def test_the_parts_are_remembered(files):
    """What was held out is disjoint from what was trained on, and found again."""
    own, _ = trained("own.npy", validation_split=0.2)
    parts = [own.images(training=training) for training in (True, False)]
    training, held_out = (
        data.open_data("own.npy", "train", part=part.part).images[..., 0] for part in parts
    )
    assert (len(training), len(held_out)) == (16, 4)
    both = np.concatenate([training, held_out])
    rows = np.lexsort(both.reshape(20, -1).T)
    everything = np.load("own.npy")
    order = np.lexsort(everything.reshape(20, -1).T)
    np.testing.assert_array_equal(both[rows], everything[order])
    expected = kzoo.datasets.from_arrays("own.npy", shuffle=False).split(0.2, seed=3)[1].images
    np.testing.assert_array_equal(held_out, expected[..., 0])
    other, _ = trained("own.npy", validation_split=0.2, seed=4)
    assert other.known(parts[1]) == NOT_KNOWN


def test_a_training_that_went_on_from_another(files):
    """Images that either training saw are not held out."""
    _, entry = trained("photos")
    assert trained("photos", entry)[1] == entry
    assert trained("photos", entry, validation_split=0.2)[0].images().known == TRAINING
    assert trained("own.npz", entry)[0].images().known == NOT_KNOWN
    assert trained("own.npz", {})[0].images().known == NOT_KNOWN
    _, entry = trained("own.npz", validation_split=0.2)
    more, _ = trained("own.npz", entry)
    assert more.images().known == HELD_OUT
    assert more.images(training=True).known == TRAINING


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda folder: folder.rename("moved"), "'photos', which is not here: say with --data"),
        (lambda folder: (folder / "class_0" / "00.png").unlink(), "'photos' has changed since"),
    ],
)
def test_data_that_are_no_longer_what_they_were(files, tmp_path, change, message):
    own, _ = trained("photos", validation_split=0.2)
    change(tmp_path / "photos")
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        own.images()


def test_data_sets_by_name(monkeypatch, tmp_path):
    counts = {"train": 9_000, "train[:90%]": 8_100}
    monkeypatch.setattr(trained_on, "_num_examples", lambda source, split: counts[split])
    for split, expected in {
        None: ("test", HELD_OUT),
        "train": ("train", TRAINING),
        "train[:10%]": ("train[:10%]", NOT_KNOWN),
        "test+train": ("test+train", NOT_KNOWN),
        "all": ("all", NOT_KNOWN),
    }.items():
        images = trained("svhn_cropped")[0].images(split=split)
        assert (images.split, images.known) == expected
    assert trained("svhn_cropped", split="train[:90%]")[0].images().known == HELD_OUT
    assert trained("lsun/bedroom")[0].images().split == "validation"
    own, _ = trained("svhn_cropped")
    assert own.images("mnist").known == NOT_KNOWN
    counts["train"] = 73_257  # the same name, prepared otherwise
    assert own.images().known == own.images(split="train").known == NOT_KNOWN
    assert TrainedOn({"dataset": "svhn_cropped"}).images().known == NOT_KNOWN
    (tmp_path / "svhn_cropped").mkdir()
    with pytest.raises(ValueError, match="a file or folder of this name: say with --data"):
        own.images()


def test_records_of_the_same_data(files):
    own, entry = trained("own.npz")
    for other, same, known in (
        (trained("own.npy")[0], True, TRAINING),
        (trained("own.npy", validation_split=0.2)[0], True, TRAINING),
        (trained("photos")[0], False, NOT_KNOWN),
        (TrainedOn({"dataset": "mnist"}), False, NOT_KNOWN),
    ):
        assert own.is_same_data(other) == same and own.knows_training_images(other) == known
    part = trained("own.npy", validation_split=0.2)[0]
    assert part.knows_training_images(own) == NOT_KNOWN
    assert part.knows_training_images(part) == TRAINING
    mnist, other = (
        TrainedOn({"trained_on": {"data": "mnist", "split": "train", "num_images": n}})
        for n in (60_000, 9_000)
    )
    assert mnist.is_same_data(TrainedOn({"dataset": "mnist"}))
    assert not mnist.is_same_data(other) and not TrainedOn({}).is_same_data(TrainedOn({}))


def test_every_preset_that_comes_with_kzoo_records_its_data():
    for preset in shipped_presets():
        own = TrainedOn(read_metadata(preset.handle))
        if preset.handle != "classifier/images64":  # of three data sets
            assert own.num_images and own.split == "train" and own.sha256 is None, preset.handle


def test_a_data_set_without_tensorflow(monkeypatch):
    for name in ("tensorflow", "tensorflow_datasets"):
        monkeypatch.setitem(sys.modules, name, None)
    own = TrainedOn({"trained_on": {"data": "mnist", "split": "train", "num_images": 60_000}})
    with pytest.raises(ImportError, match="--data mnist: a TensorFlow data set needs TensorFlow"):
        own.images()


def test_nothing_is_recorded():
    with pytest.raises(ValueError, match="does not record what its model was trained on: name im"):
        TrainedOn({}).images()
    assert TrainedOn({}).images("mnist")[:2] == ("mnist", "test")


@pytest.mark.parametrize(
    "entry, message",
    [
        ([], r"expected str as 'data' .*, got \[\]"),
        ({"data": 3}, "expected str as 'data'"),
        ({"data": "mnist", "num_images": "all"}, "expected int as 'num_images'"),
        ({"data": "../mnist"}, "expected the name of a TensorFlow data set"),
        ({"data": "https://a/b"}, "expected the name of a TensorFlow data set"),
        ({"data": "mnist", "earlier": {"data": 3}}, "expected str as 'data'"),
    ],
)
def test_records_that_are_none(entry, message):
    with pytest.raises(ValueError, match=message):
        TrainedOn({"trained_on": entry})
