import argparse

import pytest

from kzoo.cli.defaults import Defaults, held_out_split


@pytest.mark.parametrize(
    "shape, data, classifier",
    [
        ((28, 28, 1), "mnist", "mnist"),
        ((32, 32, 1), "mnist", "mnist"),
        ((32, 32, 3), "svhn_cropped", "svhn"),
        ((64, 64, 3), "lsun/bedroom", "rooms"),
    ],
)
def test_by_image_shape(shape, data, classifier):
    own = Defaults({}, list(shape))
    assert (own.data, own.classifier) == (data, classifier)


def test_metadata_come_first():
    assert Defaults({"dataset": "mnist"}, (64, 64, 3)).data == "mnist"
    # The classifier of the recorded data set, not that of the shape.
    assert Defaults({"dataset": "svhn_cropped"}, (64, 64, 3)).classifier == "svhn"
    own = Defaults({"dataset": "cifar10", "classifier": "mine"}, (32, 32, 3))
    assert (own.data, own.classifier) == ("cifar10", "mine")


def test_nothing_fits():
    own = Defaults({}, (48, 48, 3))
    with pytest.raises(ValueError, match=r"no data set belongs to images of shape \(48, 48, 3\)"):
        own.data  # noqa: B018
    with pytest.raises(ValueError, match="no classifier belongs to images.* with --classifier"):
        own.classifier  # noqa: B018
    with pytest.raises(ValueError, match="no classifier belongs to the data set cifar10, only to"):
        Defaults({"dataset": "cifar10"}, (32, 32, 3)).classifier  # noqa: B018


@pytest.mark.parametrize("value", ["https://a/b", "../svhn", "/svhn", 3, "", ["svhn"]])
def test_metadata_name_presets_and_no_places(value):
    with pytest.raises(ValueError, match="metadata.json: expected a name as 'classifier'"):
        Defaults({"classifier": value}, (32, 32, 3)).classifier  # noqa: B018


def test_splits():
    assert held_out_split("mnist") == held_out_split("mine.npz") == "test"
    assert held_out_split("lsun/bedroom") == "validation"


def test_fill_keeps_what_the_user_gave():
    args = argparse.Namespace(data=None, split=None, classifier="mine")
    own = Defaults({}, (64, 64, 3))
    assert own.gives(argparse.Namespace(classifier="rooms"), "classifier")
    assert not own.gives(args, "classifier")
    own.fill(args, "data", "split", "classifier")
    assert vars(args) == {"data": "lsun/bedroom", "split": "validation", "classifier": "mine"}
    args = argparse.Namespace(data="mnist", split=None)
    own.fill(args, "data", "split")
    assert args.split == "test"
    # Without any default nothing is needed of it, and nothing given equals it.
    assert not Defaults({}, (8, 8, 1)).gives(argparse.Namespace(data="mnist"), "data")


@pytest.mark.parametrize("size", [32, 64])
def test_colour_images_have_a_judge(size):
    assert Defaults({}, (size, size, 3)).judge == "images64"
    assert Defaults({}, (size, size, 1)).judge == "none"
    assert Defaults({}, (size, size, 3), by_pixel=True).judge == "none"
    asked = argparse.Namespace(judge="images64")
    assert Defaults({}, (size, size, 3)).gives(asked, "judge")
    assert not Defaults({}, (size, size, 3), by_pixel=True).gives(asked, "judge")
