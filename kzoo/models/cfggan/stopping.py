"""When the training of a CFGGAN ends before its epochs do."""

import keras

from kzoo.checks import check_positive_int


class StopOnDivergence(keras.callbacks.Callback):
    """Stops `fit` when D(real) - D(generated) exceeds a bound or is no longer a number.

    The model then gets back the weights that it had at the end of the last epoch before.

    Args:
        max_gap: the bound on the gap of a stage's last discriminator update.
        patience: number of stages from the start of training in which any gap is allowed.
    """

    def __init__(self, max_gap, patience):
        super().__init__()
        self.max_gap = max_gap
        self.patience = patience
        self._diverged = False
        self._before = None

    def on_train_batch_end(self, batch, logs=None):
        losses, stage = self.model.last_losses(), self.model.stages_done
        gap = losses["d_real"] - losses["d_fake"]
        if gap != gap or (abs(gap) > self.max_gap and stage > self.patience):
            print(
                f"\nStopped at stage {stage}: D(real) - D(generated) = {gap:g}, allowed is "
                f"{self.max_gap:g}. A smaller step_size or learning rate may help."
            )
            self._diverged = self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        if not self._diverged:
            # Copies: on torch a NumPy array may share a variable's memory.
            self._before = [weight.copy() for weight in self.model.get_weights()]

    def on_train_end(self, logs=None):
        if self._diverged and self._before is not None:
            self.model.set_weights(self._before)
            print(f"The weights are those of stage {self.model.stages_done} again.")


class StageLimit(keras.callbacks.Callback):
    """Stops `fit` when a `kzoo.CFGGAN` has done a number of stages.

    Args:
        stages: how many, counted from the model's first one over all calls of `fit`.

    Raises:
        ValueError: if `stages` is not a positive integer; from `fit`, if the model is no
            `kzoo.CFGGAN`.
    """

    def __init__(self, stages):
        super().__init__()
        self.stages = check_positive_int("stages", stages)

    def set_model(self, model):
        if not hasattr(model, "stages_done"):
            raise ValueError(
                "StageLimit needs a model that trains in stages (kzoo.CFGGAN); got "
                f"{type(model).__name__}."
            )
        super().set_model(model)

    def is_reached(self, model):
        """Whether `fit` has nothing left to do, when it resumes."""
        return model.stages_done >= self.stages

    def on_train_batch_end(self, batch, logs=None):
        if self.is_reached(self.model):
            self.model.stop_training = True
