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
