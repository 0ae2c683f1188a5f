"""Class labels of conditional models."""

import numpy as np

from kzoo.images import to_float
from kzoo.models.batches import images_of


class ClassConditional:
    """A mixin before `GenerativeModel`, for a model with `num_classes` (`None` for no classes).

    A class-conditional model is fitted and evaluated on `(images, labels)`: its `update` and
    `evaluation` take float images and labels.
    """

    def labels_in_turn(self, count):
        """0, 1, 2 and so on of a class-conditional model, int (count,); else `None`."""
        return None if self.num_classes is None else np.arange(count) % self.num_classes

    def check_labels(self, count, labels):
        """Labels given by a user for `count` images, as an int32 array (count,) or `None`.

        Raises:
            ValueError: if they do not fit the model.
        """
        self._check_given("labels", labels, self.num_classes, "num_classes")
        if labels is None:
            return None
        labels = np.asarray(labels)
        if labels.ndim == 0:
            labels = np.full(count, labels)
        if labels.shape != (count,) or labels.dtype.kind not in "iu":
            raise ValueError(
                f"Expected an integer label for each of {count} images, got an array of shape "
                f"{labels.shape} and dtype {labels.dtype}."
            )
        if count and not 0 <= labels.min() <= labels.max() < self.num_classes:
            raise ValueError(
                f"labels must be in 0..{self.num_classes - 1}, got values from "
                f"{labels.min()} to {labels.max()}."
            )
        return labels.astype("int32")

    def _check_given(self, name, value, wanted, argument):
        if (value is None) != (wanted is None):
            does = "needs" if value is None else "takes no"
            raise ValueError(f"A {type(self).__name__} with {argument}={wanted} {does} {name}.")

    def inputs_of(self, data):
        images, labels = self._images_and_labels(data)
        return to_float(images), labels

    def _images_and_labels(self, data):
        images = images_of(data)
        if self.num_classes is None:
            return images, None
        if images is data or len(data) < 2 or data[1] is None:
            raise ValueError(
                f"A {type(self).__name__} with num_classes={self.num_classes} is fitted and "
                "evaluated on (images, labels); got no labels."
            )
        return images, data[1]
