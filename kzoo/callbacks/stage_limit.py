"""Training for a given number of stages."""

import keras

from kzoo.models.data import check_positive_int


class StageLimit(keras.callbacks.Callback):
    """Stops `fit` when a `kzoo.CFGGAN` has done a number of stages.

    Args:
        stages: how many, counted from the model's first one over all calls of `fit`.

    Raises:
        ValueError: if `stages` is not a positive integer.
    """

    def __init__(self, stages):
        super().__init__()
        self.stages = check_positive_int("stages", stages)

    def on_train_batch_end(self, batch, logs=None):
        if self.model.stages_done >= self.stages:
            self.model.stop_training = True
