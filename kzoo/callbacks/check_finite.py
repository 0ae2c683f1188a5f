"""Stops a training that has diverged."""

import math

import keras


class CheckFinite(keras.callbacks.Callback):
    """Raises as soon as a loss is no longer a finite number, before it gets into a checkpoint.

    Keras's `TerminateOnNaN` looks only at a loss called "loss"; this looks at all of them.

    Raises:
        RuntimeError: from `fit`, naming the loss and its value.
    """

    def on_train_batch_end(self, batch, logs=None):
        for name, value in (logs or {}).items():
            if not math.isfinite(value):
                raise RuntimeError(
                    f"training diverged: {name} is {value}. Try a smaller learning rate."
                )
