import argparse

import pytest

from kzoo.cli.defaults import Defaults

MNIST = {"trained_on": {"data": "mnist", "split": "train", "num_images": 60_000}}


def given(**values):
    return argparse.Namespace(**{"data": None, "classifier": None, "judge": None, **values})


@pytest.mark.parametrize(
    "metadata, values, expected",
    [
        (MNIST, {}, "mnist"),
        ({"dataset": "svhn_cropped"}, {}, "svhn"),
        ({"dataset": "lsun/bedroom"}, {}, "rooms"),
        ({**MNIST, "classifier": "mine"}, {}, "mine"),
        ({**MNIST, "classifier": "mine"}, {"classifier": "other"}, "other"),
        (MNIST, {"data": "svhn_cropped"}, "svhn"),
        ({}, {"data": "mnist"}, "mnist"),
    ],
)
def test_the_classifier_is_that_of_the_data(metadata, values, expected):
    assert Defaults(metadata, (32, 32, 3)).classifier(given(**values)) == expected


@pytest.mark.parametrize(
    "metadata, values, message",
    [
        ({}, {}, "records neither data nor a classifier: name one with --classifier"),
        ({"dataset": "cifar10"}, {}, "names no classifier of cifar10"),
        (MNIST, {"data": "mine.npz"}, "names no classifier of mine.npz"),
    ],
)
@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (48, 48, 3)])
def test_no_classifier_is_guessed_from_the_image_shape(metadata, values, message, shape):
    with pytest.raises(ValueError, match=message):
        Defaults(metadata, shape).classifier(given(**values))


@pytest.mark.parametrize("value", ["https://a/b", "../svhn", "/svhn", 3, "", ["svhn"]])
def test_metadata_name_presets_and_no_places(value):
    with pytest.raises(ValueError, match="metadata.json: expected a name as 'classifier'"):
        Defaults({"classifier": value}, (32, 32, 3)).classifier(given())


def test_arguments_that_are_the_default_are_known():
    own = Defaults(MNIST, (32, 32, 3))
    assert own.gives(given(classifier="mnist"), "classifier")
    assert not own.gives(given(classifier="mine"), "classifier")
    assert not Defaults({}, (8, 8, 1)).gives(given(classifier="mine"), "classifier")


@pytest.mark.parametrize("size", [32, 64])
def test_colour_images_have_a_judge(size):
    assert Defaults({}, (size, size, 3)).judge(given()) == "images64"
    assert Defaults({}, (size, size, 3)).judge(given(judge="mine")) == "mine"
    assert Defaults({}, (size, size, 1)).judge(given()) == "none"
    assert Defaults({}, (size, size, 3), by_pixel=True).judge(given()) == "none"
    asked = given(judge="images64")
    assert Defaults({}, (size, size, 3)).gives(asked, "judge")
    assert not Defaults({}, (size, size, 3), by_pixel=True).gives(asked, "judge")
