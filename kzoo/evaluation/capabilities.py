"""What a model can do, asked of the model itself: a method that it has or lacks."""

import inspect


def can(model, *methods):
    """Whether a model has all of these methods."""
    return all(callable(getattr(model, name, None)) for name in methods)


def takes(model, name):
    """Whether `model.generate` takes an argument of this name: an option, or a condition."""
    if not can(model, "generate"):
        return False
    conditions = [condition.name for condition in conditions_of(model)]
    options = getattr(model, "sampling_options", ())
    return name in (*conditions, *options, *inspect.signature(model.generate).parameters)


def conditions_of(model):
    """What a model is conditioned on: a tuple of `kzoo.conditions`."""
    return tuple(getattr(model, "conditioned_on", ()))


def takes_pairs(model):
    """Whether a model, or a class of models, learns pairs: an image and the image it comes from."""
    return bool(getattr(model, "source_keys", ()))


def is_binary(model):
    """Whether a model is a distribution of black and white pixels only."""
    return bool(getattr(model, "is_binary", False))


def learns_labels(model):
    """Whether a model, or the prior of its latents, is class-conditional."""
    conditions = conditions_of(model) + conditions_of(getattr(model, "prior", None))
    return any(condition.name == "labels" for condition in conditions)
