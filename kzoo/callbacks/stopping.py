"""Callbacks that end a training: after a given time, or at the first loss that is not a number."""

import math
import time

import keras

from kzoo.checks import check_name, check_positive


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


_CLOCKS = {"wall": "perf_counter", "process": "process_time"}


class TimeLimit(keras.callbacks.Callback):
    """Stops `fit` when its updates have taken a given time.

    Only the time of updates counts, as in the experiments of Johnson, Zhang 2018
    (arXiv:1801.06309), and not that of callbacks between them, such as drawing samples. Compilation
    at the first update counts.

    Args:
        seconds: the limit. An update that has begun is finished.
        clock: `"wall"` for the time of day, or `"process"` for the processor time of this process,
            the sum over its threads. It does not pass while other programs have the processor, and
            work on a GPU does not count.

    Attributes:
        elapsed: seconds that updates have taken so far, over all calls of `fit`.

    Raises:
        ValueError: if `seconds` is not a positive number, or there is no such clock.
    """

    def __init__(self, seconds, clock="wall"):
        super().__init__()
        self.seconds = check_positive("seconds", seconds)
        self.clock = check_name("clock", clock, sorted(_CLOCKS))
        self.elapsed = 0.0
        self._begin = None

    def is_reached(self, model):
        """Whether `fit` of a model of kzoo has nothing left to do, when it resumes."""
        return self.elapsed >= self.seconds

    def now(self):
        """The clock's time in seconds."""
        return getattr(time, _CLOCKS[self.clock])()

    def on_train_batch_begin(self, batch, logs=None):
        self._begin = self.now()

    def on_train_batch_end(self, batch, logs=None):
        self.elapsed += self.now() - self._begin
        if self.is_reached(self.model):
            self.model.stop_training = True
