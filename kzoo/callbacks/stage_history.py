"""What every stage of a CFGGAN did."""

import keras
import numpy as np
from keras import ops


class StageHistory(keras.callbacks.Callback):
    """Keeps the losses of every stage of a `kzoo.CFGGAN`, where `fit` keeps averages of epochs.

    With `steps_per_execution` above 1, only the last stage of each execution is seen.

    Attributes:
        history: dict of lists of floats, one value per stage: `"stage"`, counted from 1 over all
            calls of `fit`, and the model's `loss_names`: `"d_real"`, `"d_fake"`, `"grad_norm"`, ...

    Raises:
        ValueError: from `fit`, if the model is no `kzoo.CFGGAN`.
    """

    def __init__(self):
        super().__init__()
        self.history = {}

    def set_model(self, model):
        if not hasattr(model, "record"):
            raise ValueError(
                f"StageHistory needs a model that grows in stages (kzoo.CFGGAN); got "
                f"{type(model).__name__}."
            )
        super().set_model(model)

    def on_train_batch_end(self, batch, logs=None):
        self.model.sync_state()
        names = ("stage", *self.model.loss_names)
        values = np.append(
            ops.convert_to_numpy(self.model.stage), ops.convert_to_numpy(self.model.record)
        )
        for name, value in zip(names, values, strict=True):
            self.history.setdefault(name, []).append(float(value))
