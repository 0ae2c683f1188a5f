"""Stops the training of a CFGGAN whose discriminator has won."""

import keras
from keras import ops


class StopOnDivergence(keras.callbacks.Callback):
    """Stops `fit` when D(real) - D(generated) exceeds a bound or is no longer a number.

    Args:
        max_gap: the bound on the gap of a stage's last discriminator update.
        patience: stages from the start of training in which the gap may be anything.
    """

    def __init__(self, max_gap, patience):
        super().__init__()
        self.max_gap = max_gap
        self.patience = patience

    def on_train_batch_end(self, batch, logs=None):
        self.model.sync_state()
        gap = float(ops.convert_to_numpy(self.model.gap))
        stage = int(ops.convert_to_numpy(self.model.stage))
        if gap != gap or (abs(gap) > self.max_gap and stage > self.patience):
            print(
                f"\nStopped at stage {stage}: D(real) - D(generated) = {gap:g}, allowed is "
                f"{self.max_gap:g}. A smaller step_size or learning rate may help."
            )
            self.model.stop_training = True
