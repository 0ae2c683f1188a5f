import json

import keras
import numpy as np
import pytest

import kzoo
from kzoo.configs import Configured
from tests import small_models


class Scaled(Configured, keras.layers.Layer):
    def __init__(self, sizes, initializer=None, hidden=0, **kwargs):
        super().__init__(**kwargs)
        self.sizes = tuple(sizes)
        self.initializer = keras.initializers.get(initializer)


def test_every_attribute_of_an_argument_is_a_key():
    layer = Scaled([1, 2], "zeros", name="a")
    config = layer.get_config()
    assert config["sizes"] == [1, 2] and config["name"] == "a"
    assert config["initializer"]["class_name"] == "Zeros"
    assert "hidden" not in config  # no attribute
    assert Scaled.from_config(config).get_config() == config


def test_what_a_base_class_takes_is_in_its_config():
    layer = kzoo.layers.MaskedConv2D(4, 3, "A", groups=2, dtype="float64")
    config = layer.get_config()
    assert (config["groups"], config["dtype"]["config"]["name"]) == (2, "float64")
    model = kzoo.GatedPixelCNN((8, 8, 1), filters=2, num_layers=1, num_classes=3)
    assert model.get_config()["num_classes"] == 3


@pytest.mark.parametrize("name", small_models.PUBLIC)
def test_integers_of_numpy_are_integers(name):
    names = small_models.parameters_of(getattr(kzoo, name))
    given = {n: v for n, v in small_models.SMALL.items() if type(v) is int and n in names}
    given.pop("context_features", None)
    given = {name: np.int64(value) for name, value in given.items()}
    config = json.loads(json.dumps(small_models.small(name, **given).get_config()))
    assert all(config[key] == value for key, value in given.items() if key in config)
