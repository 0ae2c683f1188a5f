"""The parts of one batch, as a user gives it and as Keras takes it: images, condition, weights."""

import keras
import numpy as np

from kzoo.conditions import Labels
from kzoo.images import check_images
from kzoo.models.regrouping import numpy_of

IMAGE_KEYS = ("image", "images")


def split(model, data):
    """The parts of one batch, of arrays, or of the types of batches.

    Args:
        model: a model with `conditioned_on` and `image_keys`.
        data: images, a tuple or list of images, condition and weights, or a dict of features. A
            feature may be a batch itself, a dict or a tuple; it then stands for its images.

    Returns:
        `(images, condition, weights)`: the condition is a dict, `{name: values}`.

    Raises:
        ValueError: if the images or a condition are missing.
    """
    x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
    if not isinstance(x, dict):
        return x, _condition(model, y), weights
    if y is not None:
        raise ValueError(
            f"{type(model).__name__} got a dict of features and y; expected the condition in the "
            f"dict, whose names are {', '.join(map(repr, x))}."
        )
    return _feature(model, x, "images", model.image_keys), _condition(model, x), weights


def _condition(model, y):
    conditions = model.conditioned_on
    if not conditions:
        return {}
    if isinstance(y, dict):
        return {c.name: _feature(model, y, c.name, (c.name, *c.keys)) for c in conditions}
    names = ", ".join(c.name for c in conditions)
    if y is None:
        keys = ", ".join(repr(key) for c in conditions for key in c.keys)
        raise ValueError(
            f"This {type(model).__name__} is fitted and evaluated on (images, {names}), or on a "
            f"dict with the features {keys}; got no {names}."
        )
    if len(conditions) > 1:
        raise ValueError(
            f"This {type(model).__name__} has several conditions: expected a dict of {names}, got "
            f"{type(y).__name__}."
        )
    return {conditions[0].name: y}


def _feature(model, features, name, keys):
    for key in keys:
        if key in features:
            return _own_images(model, features[key], keys)
    raise ValueError(
        f"{type(model).__name__} found no {name} among the features "
        f"{', '.join(map(repr, features))}: expected one of {', '.join(map(repr, keys))}."
    )


def _own_images(model, feature, keys):
    """The images of a feature that is a batch itself, as `zip_domains` yields two."""
    if isinstance(feature, dict):
        return _feature(model, feature, "images", (*IMAGE_KEYS, *keys))
    return feature[0] if isinstance(feature, tuple) else feature


def packed(images, condition, weights=None):
    """The parts of a batch as a tuple for Keras."""
    y = None
    if condition:
        y = condition if len(condition) > 1 else next(iter(condition.values()))
    return as_tuple(images, y, weights)


def as_tuple(x, y, weights):
    """Without the last parts, where they are `None`; Keras's own function keeps a bare array."""
    if weights is not None:
        return x, placeholder(x) if y is None else y, weights
    return (x,) if y is None else (x, y)


def placeholder(x):
    """What stands for the labels that a model does not use: Keras drops weights without any."""
    return np.zeros(len(x), "int32")


def weighed_labels(model, data):
    """The labels of one batch, which `class_weight` weighs.

    Args:
        model: as in `split`.
        data: as in `split`.

    Raises:
        ValueError: if there are none, or the model is conditioned on something else.
    """
    names = [c.name for c in model.conditioned_on]
    if names not in ([], [Labels.name]):
        raise ValueError(
            f"class_weight weighs classes, and this {type(model).__name__} is conditioned on "
            f"{', '.join(names)}: give sample_weight instead."
        )
    x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
    if isinstance(x, dict):
        y = next((x[key] for key in Labels.keys if key in x), None)
    if y is None:
        raise ValueError(
            "class_weight weighs classes: expected the images' labels as y or as the feature "
            "'label', got none."
        )
    return y


def converter(model, keep_labels=False):
    """A function of one batch of NumPy arrays that checks it and returns a tuple for Keras.

    Args:
        model: as in `split`.
        keep_labels: whether labels that an unconditional model does not use stay, for
            `class_weight`.
    """

    def convert(batch):
        images, condition, weights = split(model, batch)
        images = numpy_of(images)
        check_images(model, images)
        for c in model.conditioned_on:
            condition[c.name] = c.check_batch(numpy_of(condition[c.name]))
        check_weights(model, weights)
        weights = None if weights is None else numpy_of(weights)
        if keep_labels:
            labels = numpy_of(weighed_labels(model, batch))
            return as_tuple(images, condition.get(Labels.name, labels), weights)
        return packed(images, condition, weights)

    return convert


def check_weights(model, *weights):
    """`ValueError` if there are weights, and the model has no loss per example."""
    if not model.weighs_examples and any(w is not None for w in weights):
        raise ValueError(
            f"A {type(model).__name__} has no loss per example: expected no sample_weight and no "
            "class_weight."
        )
