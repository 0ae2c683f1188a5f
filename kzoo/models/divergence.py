"""Warnings and errors of a diverged training: losses or images that are no longer numbers."""

import math
import warnings

import keras
from keras import ops

ADVICE = "Train it again with a lower learning rate."


class WarnOfDivergence(keras.callbacks.Callback):
    """Warns once, after the first epoch of a `fit` in which a loss is not a finite number.

    `kzoo.callbacks.CheckFinite` stops the training instead, at the first such update.
    """

    def __init__(self):
        super().__init__()
        self._warned = False

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            if not self._warned and not math.isfinite(value):
                self._warned = True
                warnings.warn(
                    f"The training of this {type(self.model).__name__} diverged: {name} is {value} "
                    f"after epoch {epoch + 1}. {ADVICE}",
                    stacklevel=2,
                )


def check_drawn(model, images):
    """Returns the images (n, h, w, c), floats, that a model has drawn.

    Raises:
        ValueError: if some of their values are not finite numbers.
    """
    if not bool(ops.all(ops.isfinite(images))):
        raise ValueError(
            f"This {type(model).__name__} draws values that are not numbers: its training "
            f"diverged. {ADVICE}"
        )
    return images
