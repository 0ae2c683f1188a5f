"""Checks of what `compile` and `fit` take besides data, before anything is trained."""

import inspect

import keras

from kzoo.checks import check_keywords, check_name, check_natural, check_positive_int, check_rate

#: What `keras.Model.compile` takes and a model of kzoo says itself.
OWN = ("self", "optimizer", "loss", "loss_weights", "metrics", "weighted_metrics")
# Read once: a program may put another function in the place of Keras's later.
COMPILE = [n for n in inspect.signature(keras.Model.compile).parameters if n not in OWN]
FIT = [n for n in inspect.signature(keras.Model.fit).parameters if n != "self"]


def check_optimizer(name, optimizer):
    """`ValueError` unless an optimizer is one of Keras or its name; Keras itself checks configs."""
    if isinstance(optimizer, dict):
        return
    try:
        keras.optimizers.get(optimizer)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be an optimizer of Keras or the name of one, such as 'adam', got "
            f"{optimizer!r}."
        ) from None


def check_compile(owner, arguments):
    """`ValueError` for an argument that `keras.Model.compile` does not have, or a wrong value.

    Args:
        owner: the name of the model's class.
        arguments: dict of the arguments besides the optimizers.
    """
    check_keywords(f"{owner}.compile()", arguments, COMPILE, OWN)
    check_positive_int("steps_per_execution", arguments.get("steps_per_execution", 1))


def check_fit(owner, arguments):
    """`ValueError` for an argument that `keras.Model.fit` does not have, or a wrong value.

    Args:
        owner: the name of the model's class.
        arguments: dict of the arguments besides the data.
    """
    check_keywords(f"{owner}.fit()", arguments, FIT)
    check_natural("epochs", arguments.get("epochs", 1))
    check_natural("initial_epoch", arguments.get("initial_epoch", 0))
    for name in ("steps_per_epoch", "validation_steps", "validation_batch_size"):
        if arguments.get(name) is not None:
            check_positive_int(name, arguments[name])
    check_rate("validation_split", arguments.get("validation_split") or 0.0)
    check_name("verbose", arguments.get("verbose", "auto"), ("auto", 0, 1, 2))
    for callback in keras.tree.flatten(arguments.get("callbacks") or ()):
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(
                "callbacks must be a list of objects of keras.callbacks.Callback, got "
                f"{callback!r} among them."
            )
