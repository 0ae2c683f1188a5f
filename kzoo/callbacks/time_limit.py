"""Training for a given time."""

import time

import keras

from kzoo.models.data import check_positive


class TimeLimit(keras.callbacks.Callback):
    """Stops `fit` when its updates have taken a given time.

    Only the time inside of updates counts, as in the experiments of Johnson, Zhang 2018
    (arXiv:1801.06309): not what callbacks do between them, such as drawing samples. Compilation
    at the first update counts.

    Args:
        seconds: the limit, of the clock, not of the processor. An update that has begun is
            finished.

    Attributes:
        elapsed: seconds that updates have taken so far, over all calls of `fit`.

    Raises:
        ValueError: if `seconds` is not a positive number.
    """

    def __init__(self, seconds):
        super().__init__()
        self.seconds = check_positive("seconds", seconds)
        self.elapsed = 0.0
        self._begin = None

    def on_train_batch_begin(self, batch, logs=None):
        self._begin = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.elapsed += time.perf_counter() - self._begin
        if self.elapsed >= self.seconds:
            self.model.stop_training = True
