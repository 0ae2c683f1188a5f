"""What a preset's `config.json` may name, checked before anything in it is instantiated.

A config says which classes to build, so loading one must not run code of its author. Allowed are
layers and the like of Keras, classes registered with Keras as `kzoo>...`, and models with presets
that the running program has registered itself. The lookup follows the order in which
`keras.saving.deserialize_keras_object` resolves names, and refuses wherever the two could disagree;
Keras's own `safe_mode` stays on as well.
"""

import sys
from typing import Any

import keras

import kzoo
from kzoo.presets.limits import LARGEST_NUMBER, MOST_OBJECTS
from kzoo.presets.sources import short

PACKAGE = "kzoo>"

_KERAS_BASES = (
    keras.Operation,  # layers, models and the operations of a functional model
    keras.constraints.Constraint,
    keras.dtype_policies.DTypePolicy,
    keras.initializers.Initializer,
    keras.losses.Loss,
    keras.metrics.Metric,
    keras.optimizers.Optimizer,
    keras.optimizers.schedules.LearningRateSchedule,
    keras.random.SeedGenerator,
    keras.regularizers.Regularizer,
)

# Layers of Keras that run a program from their config, or read a file that it names.
_REFUSED_LAYERS = tuple(
    getattr(keras.layers, name)
    for name in (
        "FlaxLayer",
        "IntegerLookup",
        "JaxLayer",
        "Lambda",
        "StringLookup",
        "TFSMLayer",
        "TextVectorization",
        "TorchModuleWrapper",
    )
)

# Keras's marks for values that are not classes. The others (`__lambda__`, `__numpy__`,
# `__tensor__`, `__typespec__`, `__bytes__`) have no use in a config of kzoo.
_VALUES = ("__ellipsis__", "__keras_tensor__", "__slice__")

_FUNCTION_MODULES = (
    "activations",
    "constraints",
    "initializers",
    "losses",
    "metrics",
    "regularizers",
)
_NOT_LOSSES_AND_THE_LIKE = ("deserialize", "get", "serialize")


class HasPresets:
    """Base of the classes that a preset may name, no matter which package registered them."""


def check_config(config: Any, location: str) -> None:
    """Checks that a config names nothing but classes of Keras and kzoo, and no absurd numbers.

    Args:
        config: what `config.json` holds: dicts, lists, strings, numbers, booleans, `None`.
        location: where it came from, for the message.

    Raises:
        ValueError: naming the class, function or number that is refused.
    """
    pending, objects = [("", config)], 0
    while pending:
        key, node = pending.pop()
        if isinstance(node, dict):
            if "class_name" in node:
                _check_object(node, location)
                objects += 1
            pending.extend(node.items())
        elif isinstance(node, list | tuple):
            pending.extend((key, part) for part in node)
        elif isinstance(node, str):
            _check_string(node, location)
        elif isinstance(node, int) and abs(node) > LARGEST_NUMBER and key != "seed":
            raise ValueError(
                f"{location} has {short(key)}={short(node)}, expected whole numbers of at most "
                f"{LARGEST_NUMBER:,}."
            )
    if objects > MOST_OBJECTS:
        raise ValueError(
            f"{location} names {objects:,} classes and functions, expected at most "
            f"{MOST_OBJECTS:,}."
        )


def object_class(config: dict) -> type | None:
    """The class that a serialized object names, or `None` where it may not be instantiated."""
    class_name, module = config.get("class_name"), config.get("module")
    registered_name = config.get("registered_name")
    if registered_name is None:
        registered_name = class_name
    if not (isinstance(class_name, str) and isinstance(registered_name, str)):
        return None
    if not isinstance(module, str | None):  # `None`: the class is of the running script or notebook
        return None
    if registered_name.startswith(PACKAGE):
        kzoo.register_classes()
        found = keras.saving.get_registered_object(registered_name)
        return found if isinstance(found, type) else None
    if _has_presets(registered_name):
        return keras.saving.get_registered_object(registered_name)
    if any(map(keras.saving.get_registered_object, (registered_name, class_name))):
        return None  # Keras would take the class registered by another package
    if registered_name != class_name or module is None:
        return None
    found = _keras_attribute(module, class_name)
    if not isinstance(found, type) or not issubclass(found, _KERAS_BASES):
        return None
    return None if issubclass(found, _REFUSED_LAYERS) else found


def _has_presets(name: str) -> bool:
    found = keras.saving.get_registered_object(name)
    if not (isinstance(found, type) and issubclass(found, HasPresets)):
        return False
    return keras.saving.get_registered_name(found) == name  # a scope may give it another name


def _keras_attribute(module: str, name: str) -> Any:
    """`name` in an already imported module of Keras (some are lazy aliases), or `None`."""
    if module.split(".")[0] != "keras" or name.startswith("_"):
        return None
    found = sys.modules.get(module)
    if found is None:
        found = keras
        for part in module.split(".")[1:]:
            found = getattr(found, part, None)
    return getattr(found, name, None)


def _check_object(node: dict, location: str) -> None:
    name = node["class_name"]
    if name in _VALUES:
        return
    allowed = _is_known_function(node) if name == "function" else object_class(node) is not None
    if not allowed:
        shown = name if name != "function" else f"function {node.get('config')}"
        raise ValueError(
            f"{location} names {short(repr(shown))} (module={short(repr(node.get('module')))}, "
            f"registered_name={short(repr(node.get('registered_name')))}), which a preset may not "
            "create: expected only classes of Keras, and of kzoo (registered as 'kzoo>...'), "
            "without Lambda layers or other code."
        )


def _is_known_function(node: dict) -> bool:
    name, module = node.get("config"), node.get("module")
    if not isinstance(name, str):
        return False
    registered = keras.saving.get_registered_object(name)
    if registered is not None or name.startswith(PACKAGE):
        return name.startswith(PACKAGE) and callable(registered)
    modules = _FUNCTION_MODULES if module == "builtins" else (str(module).removeprefix("keras."),)
    return name not in _NOT_LOSSES_AND_THE_LIKE and any(
        part in _FUNCTION_MODULES and callable(getattr(getattr(keras, part), name, None))
        for part in modules
    )


def _check_string(value: str, location: str) -> None:
    # Keras takes the name of a registered object, such as an activation, for the object.
    if value.startswith(PACKAGE) or _has_presets(value):
        return
    if keras.saving.get_registered_object(value) is not None:
        raise ValueError(
            f"{location} names {short(value)!r}, which another package registered with Keras: "
            "expected only classes and functions of Keras and kzoo."
        )
