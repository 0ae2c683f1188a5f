"""Configs by the rule of the house: a constructor argument is an attribute and a config key."""

import inspect

import keras


def arguments_of(instance, *without):
    """`{name: value}` of what the constructor of an object's class names, from its attributes.

    Tuples become lists, as JSON has them, and objects of Keras their configs.

    Args:
        instance: a layer or a model.
        *without: names to leave out.
    """
    parameters = inspect.signature(instance.__init__).parameters.values()
    names = [p.name for p in parameters if p.kind != p.VAR_KEYWORD and p.name not in without]
    return {name: _plain(getattr(instance, name)) for name in names if hasattr(instance, name)}


def constructor_arguments(model_class, *without):
    """The names of a class's constructor arguments, with those it passes on to its base classes.

    Those of Keras's own classes are left out.

    Args:
        model_class: a subclass of `keras.Model`.
        *without: further base classes to leave out.
    """
    own = [c for c in model_class.__mro__ if issubclass(c, keras.Model) and not _is_keras(c)]
    own = [c for c in own if c not in without]
    signatures = [inspect.signature(vars(c)["__init__"]) for c in own if "__init__" in vars(c)]
    names = dict.fromkeys(name for signature in signatures for name in signature.parameters)
    return [name for name in names if name not in ("self", "args", "kwargs")]


def keras_arguments():
    """The names of the arguments that every layer of Keras takes."""
    parameters = inspect.signature(keras.Layer.__init__).parameters.values()
    return [p.name for p in parameters if p.kind == p.KEYWORD_ONLY]


def _is_keras(kind):
    return kind.__module__.partition(".")[0] == "keras"


def _plain(value):
    if isinstance(value, tuple):
        return list(value)
    if hasattr(value, "get_config"):
        return keras.saving.serialize_keras_object(value)
    return value


class Configured:
    """`get_config` by `arguments_of`, a mixin before a layer or a model.

    What a class takes as `**kwargs` is left to the config of its base class.
    """

    def get_config(self):
        config = super().get_config()
        return {**config, **arguments_of(self, *config)}
