"""What a model can be conditioned on: labels, an image, a text, a feature map.

A model lists its conditions in `model.conditioned_on`. Each one has a name, under which `generate`,
`call` and the model's own methods take it, one check of the user's values, and one conversion.
Nothing else in kzoo asks whether a model is conditional.

Inside a model the conditions of a batch are a dict, `{name: tensor}`; it is empty for a model
without conditions.
"""

import warnings

import keras
import numpy as np
from keras import ops

from kzoo.checks import as_array, as_floats
from kzoo.images import check_images, range_problem, to_float


class Condition:
    """One thing that a model is conditioned on.

    Attributes:
        name: how the model's methods call it.
        keys: under which names a batch of named features may hold it.
    """

    name = ""
    keys = ()

    def check(self, values, count=None):
        """What a user gave, as a NumPy array with one row per image.

        Args:
            values: what was given.
            count: the number of images, or `None` where the values decide it.

        Raises:
            ValueError: if they do not fit.
        """
        raise NotImplementedError

    def check_batch(self, values):
        """The values of one batch of data (NumPy), checked, as the model takes them."""
        return self.check(values)

    def input_spec(self):
        """The `keras.InputSpec` of the values of a batch."""
        raise NotImplementedError

    def default(self, count):
        """The values (count, ...) that `generate` takes where none are given, or `None`."""
        return None

    def to_tensor(self, values):
        """The values of a batch of data as the model takes them."""
        return values

    def _rows(self, values, count):
        if count is not None and len(values) != count:
            raise ValueError(f"Expected {self.name} for {count} images, got {len(values)}.")
        return values


class Labels(Condition):
    """One of several classes.

    Args:
        num_classes: how many; a label is an int in 0 .. num_classes - 1.
    """

    name = "labels"
    keys = ("label", "labels")

    def __init__(self, num_classes):
        self.num_classes = num_classes

    def check(self, values, count=None):
        """An int for all images, or an int array (n,) or (n, 1), as an int32 array (n,)."""
        labels = as_array(self.name, values)
        if labels.ndim == 0:
            labels = np.full(1 if count is None else count, labels)
        if labels.ndim == 2 and labels.shape[1] == 1:  # as `keras.datasets.cifar10` has them
            labels = labels[:, 0]
        if labels.ndim != 1 or labels.dtype.kind not in "iu" or count not in (None, len(labels)):
            images = "each image" if count is None else f"each of {count} images"
            raise ValueError(
                f"Expected an integer label for {images}, got an array of shape "
                f"{labels.shape} and dtype {labels.dtype}."
            )
        if len(labels) and not 0 <= labels.min() <= labels.max() < self.num_classes:
            raise ValueError(
                f"labels must be in 0..{self.num_classes - 1}, got values from "
                f"{labels.min()} to {labels.max()}."
            )
        return labels.astype("int32")

    def default(self, count):
        """The classes in turn: 0, 1, 2 and so on."""
        return (np.arange(count) % self.num_classes).astype("int32")

    def to_tensor(self, values):
        return ops.cast(ops.reshape(values, (-1,)), "int32")

    def input_spec(self):
        return keras.InputSpec(shape=(None,), dtype="int32")


def classes(num_classes):
    """The conditions of a model of that many classes: its labels, or none for `None`."""
    return () if num_classes is None else (Labels(num_classes),)


class FeatureMap(Condition):
    """Numbers at every pixel.

    Args:
        shape: `(height, width, features)`.
    """

    name = "context"
    keys = ("context",)

    def __init__(self, shape):
        self.shape = tuple(shape)

    def check(self, values, count=None):
        """A float array (n, height, width, features), as float32."""
        values = as_floats(self.name, values)
        if values.shape[1:] != self.shape:
            raise ValueError(
                f"Expected a {self.name} of shape {(count, *self.shape)}, got {values.shape}."
            )
        return self._rows(values, count)

    def input_spec(self):
        return keras.InputSpec(shape=(None, *self.shape), dtype="float32")

    def to_tensor(self, values):
        return ops.cast(values, "float32")


class Image(Condition):
    """An image, such as the label map that pix2pix turns into a photograph.

    Args:
        image_shape: `(height, width, channels)`.
        keys: names of the feature in data.
    """

    name = "sources"
    usual_keys = ("source", "sources", "input_image")

    def __init__(self, image_shape, keys=usual_keys):
        self.image_shape = tuple(image_shape)
        self.keys = tuple(keys)

    def check(self, values, count=None):
        """uint8 images or floats in [-1, 1], (n, height, width, channels), unchanged.

        It warns of floats in [0, 1].
        """
        values = as_array(self.name, values)
        check_images(self, values, f"The condition {self.name!r}")
        if values.dtype.kind == "f" and values.size and 0 <= values.min() < values.max():
            warnings.warn(f"{self.name}: {range_problem(values)}", stacklevel=4)
        return self._rows(values, count)

    def input_spec(self):
        return keras.InputSpec(shape=(None, *self.image_shape), dtype="float32")

    def to_tensor(self, values):
        return to_float(values)


class Text(Condition):
    """A sentence, which the model sees as tokens.

    Args:
        tokenize: function of a list of strings that returns an int array (n, length).
    """

    name = "captions"
    keys = ("caption", "captions")

    def __init__(self, tokenize):
        self.tokenize = tokenize

    def check(self, values, count=None):
        """A string for all images, a list of n strings, or tokens (n, length), as int32 tokens."""
        if isinstance(values, str):
            values = [values] * (1 if count is None else count)
        return self._rows(self.to_tokens(values), count)

    def to_tokens(self, values):
        """Strings, bytes or tokens already, as int32 tokens (n, length)."""
        array = as_array(self.name, values)
        if array.dtype.kind in "iu" and array.ndim == 2:
            return array.astype("int32")
        return np.asarray(self.tokenize(self.to_texts(values)), "int32")

    @classmethod
    def to_texts(cls, values):
        """Strings or bytes (n,), a list or an array, as a list of strings."""
        array = as_array(cls.name, values)
        # NumPy would make a string of a number that stands among strings.
        texts = values if isinstance(values, list | tuple) else array.tolist()
        if array.ndim != 1 or not all(isinstance(text, str | bytes) for text in texts):
            raise ValueError(
                f"Expected {cls.name} as n strings or int tokens (n, length), got an array of "
                f"shape {array.shape} and dtype {array.dtype}."
            )
        return [text.decode("utf-8") if isinstance(text, bytes) else str(text) for text in texts]

    def input_spec(self):
        return keras.InputSpec(shape=(None, None), dtype="int32")

    def to_tensor(self, values):
        return ops.cast(values, "int32")


def check_given(model, count, given, defaults=True):
    """The conditions that a user gave to a method of a model.

    Args:
        model: a model with `conditioned_on`.
        count: the number of images, or `None` where the conditions decide it.
        given: dict of names and values; `None` stands for a value that was left out.
        defaults: whether a condition that is left out takes its default, where it has one.

    Returns:
        `(count, {name: NumPy array (count, ...)})`, of all conditions of the model.

    Raises:
        ValueError: if a condition is missing or not one of the model's, or the number of images
            cannot be known.
    """
    declared = {condition.name: condition for condition in model.conditioned_on}
    given = {name: value for name, value in given.items() if value is not None}
    for name in given:
        if name not in declared:
            takes = ", ".join(declared) or "no condition"
            raise ValueError(f"This {type(model).__name__} takes no {name}; it takes {takes}.")
    checked = {}
    for name, value in given.items():
        checked[name] = declared[name].check(value, count)
        count = len(checked[name])
    if count is None:
        raise ValueError(
            f"{type(model).__name__} needs num_samples, or a condition with a length; got none."
        )
    for name, condition in declared.items():
        if name not in checked:
            checked[name] = condition.default(count) if defaults else None
            if checked[name] is None:
                raise ValueError(f"This {type(model).__name__} needs {name}, got none.")
    return count, {name: checked[name] for name in declared}
