import json
from pathlib import Path

import keras
import pytest

from kzoo.presets.safety import check_config
from tests.presets.tiny import Tiny, functional_network


def config_of(model):
    return json.loads(json.dumps(keras.saving.serialize_keras_object(model)))


def object_config(class_name, module="keras.layers", registered_name=None, config=None):
    return {
        "module": module,
        "class_name": class_name,
        "config": {} if config is None else config,
        "registered_name": registered_name,
    }


def test_models_of_keras_and_kzoo_pass():
    sequential = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, activation=keras.activations.gelu),
            keras.layers.LeakyReLU(0.2),
            keras.layers.BatchNormalization(),
        ]
    )
    for model in (Tiny(network=functional_network()), Tiny(network=sequential)):
        check_config(config_of(model), "test")


@pytest.mark.parametrize("package", ["kzoo", "mine"])
def test_models_of_a_script_or_a_notebook_pass(package):
    @keras.saving.register_keras_serializable(package)
    class OfMain(Tiny):
        __module__ = "__main__"  # for which Keras writes no module

    config = config_of(OfMain())
    assert config["module"] is None and config["registered_name"] == f"{package}>OfMain"
    check_config(config, "test")


REFUSED = {
    "a class without module that nobody registered": object_config("Lambda", None, "Lambda"),
    "lambda layer": object_config("Lambda", config={"function": "relu"}),
    "lambda layer by its private module": object_config(
        "Lambda", "keras.src.layers.core.lambda_layer", "Lambda"
    ),
    "a layer that runs a file": object_config("TFSMLayer", config={"filepath": "model"}),
    "a layer that unpickles": object_config("TorchModuleWrapper"),
    "a layer that reads a file": object_config("TextVectorization"),
    "python lambda": object_config("__lambda__", None, config={"value": ["4wAAAA==", None, None]}),
    "numpy": object_config("__numpy__", None, config={"value": [0], "dtype": "object"}),
    "tensor": object_config("__tensor__", None, config={"value": [0], "dtype": "float32"}),
    "type specification": object_config("__typespec__", "os"),
    "function of os": object_config("function", "os", "system", "system"),
    "function of builtins": object_config("function", "builtins", "function", "eval"),
    "function of Keras outside of modelling": object_config(
        "function", "keras.utils", "get_file", "get_file"
    ),
    "deserializer": object_config("function", "keras.layers", "deserialize", "deserialize"),
    "class of os": object_config("system", "os"),
    "class of subprocess": object_config("Popen", "subprocess"),
    "class of Keras outside of modelling": object_config("CSVLogger", "keras.callbacks"),
    "module that Keras imported": object_config("Popen", "keras.src.utils.file_utils.os"),
    "class of another package": object_config("Layer", "other.layers", "other>Layer"),
    "class of a Keras add-on": object_config("Backbone", "keras_hub.models"),
    "Keras class under a foreign name": object_config("Dense", registered_name="other>Dense"),
    "unknown class of kzoo": object_config("Nothing", "kzoo.models.latent.vae", "kzoo>Nothing"),
    "module of kzoo that does things": object_config("main", "kzoo.cli", "kzoo>main"),
    "class without a module": {"class_name": "Dense", "config": {}},
    "class name that is no name": object_config(["Dense"]),
    "unhashable name": object_config("Dense", registered_name={}),
    "module that is no name": object_config("Dense", module=["keras.layers"]),
}


@pytest.mark.parametrize("planted", REFUSED.values(), ids=REFUSED.keys())
def test_refused(planted):
    with pytest.raises(ValueError, match="here names .* a preset may not create"):
        check_config(planted, "here")


@pytest.mark.parametrize("planted", REFUSED.values(), ids=REFUSED.keys())
def test_refused_inside_a_layer_of_a_functional_model(planted):
    config = config_of(Tiny(network=functional_network()))
    layer = config["config"]["network"]["config"]["layers"][1]
    layer["config"]["activation"] = planted
    with pytest.raises(ValueError, match="may not create"):
        check_config(config, "here")


def test_message_names_the_class():
    with pytest.raises(ValueError, match="'Popen' .module='subprocess'"):
        check_config([{"x": REFUSED["class of subprocess"]}], "here")


def test_code_of_a_malicious_preset_does_not_run(tmp_path):
    trace = str(tmp_path / "trace")
    Tiny().save_to_preset(tmp_path / "preset")
    path = tmp_path / "preset" / "config.json"
    config = json.loads(path.read_text())
    lambda_layer = keras.layers.Lambda(lambda x: open(trace, "w").write("ran") and x)
    config["config"]["network"] = keras.saving.serialize_keras_object(lambda_layer)
    path.write_text(json.dumps(config))
    with pytest.raises(ValueError, match="'Lambda'"):
        Tiny.from_preset(tmp_path / "preset")
    assert not Path(trace).exists()


def test_names_that_other_packages_registered():
    @keras.saving.register_keras_serializable(package="other")
    def activation(x):
        return x

    @keras.saving.register_keras_serializable(package="other")
    class Layer(keras.layers.Layer):
        pass

    for planted in (
        {"activation": "other>activation"},
        object_config("function", "builtins", "function", "other>activation"),
        object_config("function", "builtins", "function", "activation"),
        object_config("Layer", "other", "other>Layer"),
    ):
        with pytest.raises(ValueError, match="here names"):
            check_config(planted, "here")


def test_a_scope_cannot_replace_a_class_of_keras():
    with keras.saving.custom_object_scope({"Dense": Tiny}):
        with pytest.raises(ValueError, match="'Dense'"):
            check_config(object_config("Dense"), "here")
    check_config(object_config("Dense"), "here")
