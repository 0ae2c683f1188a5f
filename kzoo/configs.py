"""Configs by the rule of the house: a constructor argument is an attribute and a config key."""

import inspect

import keras
import numpy as np


def constructor_arguments(model_class, *without):
    """The names of a class's constructor arguments, with those it passes on to its base classes.

    Those of Keras's own classes are left out, and those of base classes that the class refuses.

    Args:
        model_class: a subclass of `keras.Model`.
        *without: further base classes to leave out.
    """
    own = [c for c in model_class.__mro__ if issubclass(c, keras.Model) and not _is_keras(c)]
    own = [c for c in own if c not in without]
    signatures = [inspect.signature(vars(c)["__init__"]) for c in own if "__init__" in vars(c)]
    names = dict.fromkeys(name for signature in signatures for name in signature.parameters)
    others = {"self", "args", "kwargs", *getattr(model_class, "refused_arguments", ())}
    return [name for name in names if name not in others]


def keras_arguments():
    """The names of the arguments that every layer of Keras takes."""
    parameters = inspect.signature(keras.Layer.__init__).parameters.values()
    return [p.name for p in parameters if p.kind == p.KEYWORD_ONLY]


def _is_keras(kind):
    return kind.__module__.partition(".")[0] == "keras"


def plain(value):
    """A value as JSON has it.

    Tuples become lists, NumPy's numbers those of Python, functions and objects of Keras configs.
    """
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        return value.item()
    if callable(value) or hasattr(value, "get_config"):
        return keras.saving.serialize_keras_object(value)
    return value


class Configured:
    """`get_config` of a layer, from the attributes that its constructor names (a mixin).

    What a class takes as `**kwargs` is left to the config of its base class.
    """

    def get_config(self):
        config = super().get_config()
        parameters = inspect.signature(self.__init__).parameters.values()
        names = [p.name for p in parameters if p.kind != p.VAR_KEYWORD and p.name not in config]
        return config | {name: plain(getattr(self, name)) for name in names if hasattr(self, name)}


class ConfiguredModel:
    """The config of a model: all its constructor arguments, those of base classes too (a mixin).

    The model has a dict `networks_by_name`: what a config has, such as a name, in the place of
    networks that the user did not give.
    """

    #: Arguments of base classes that mean nothing here: an error for the user who gives them.
    refused_arguments = ()

    def get_config(self):
        config = super().get_config()
        for name in constructor_arguments(type(self)):
            if name in self.networks_by_name:
                config[name] = self.networks_by_name[name]
            elif name not in config and hasattr(self, name):
                config[name] = plain(getattr(self, name))
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        objects = {
            name: keras.saving.deserialize_keras_object(value, custom_objects)
            for name, value in config.items()
            if isinstance(value, dict)
        }
        # A file that an older kzoo saved may hold an argument that was ignored then.
        config = {n: value for n, value in config.items() if n not in cls.refused_arguments}
        return cls(**{**config, **objects})
