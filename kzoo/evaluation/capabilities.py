"""What a model can do, asked of the model itself: a method that it has or lacks."""

import inspect


def can(model, *methods):
    """Whether a model has all of these methods."""
    return all(callable(getattr(model, name, None)) for name in methods)


def takes(model, name):
    """Whether `model.generate` takes an argument of this name: an option, or a condition."""
    return name in conditions_of(model) or (
        can(model, "generate") and name in inspect.signature(model.generate).parameters
    )


def conditions_of(model):
    """The names of what a model is conditioned on, such as `("labels",)`."""
    return tuple(condition.name for condition in getattr(model, "conditions", ()))


def is_binary(model):
    """Whether a model is a distribution of black and white pixels only."""
    return bool(getattr(model, "is_binary", False))


def learns_labels(model):
    """Whether a model, or the prior of its latents, is class-conditional."""
    return any("labels" in conditions_of(m) for m in (model, getattr(model, "prior", None)))
