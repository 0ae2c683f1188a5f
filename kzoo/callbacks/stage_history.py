"""What every stage of a CFGGAN did."""

import keras


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
        if not hasattr(model, "last_losses"):
            raise ValueError(
                f"StageHistory needs a model that grows in stages (kzoo.CFGGAN); got "
                f"{type(model).__name__}."
            )
        super().set_model(model)

    def on_train_batch_end(self, batch, logs=None):
        stage = {"stage": float(self.model.stages_done), **self.model.last_losses()}
        for name, value in stage.items():
            self.history.setdefault(name, []).append(value)
