"""How `fit` begins, or goes on where it stopped; and the random state of a saved model."""

import functools
import itertools
import pathlib

import numpy as np
from keras import ops

from kzoo import backend

_NOISE = "noise.npz"


def one_at_a_time(method):
    """A method for which the threads of a process wait for each other, model by model.

    Training and evaluation use the model's metrics, its optimizer and its random state. There is
    one set of them per model, so threads would mix up each other's numbers.
    """

    @functools.wraps(method)
    def waiting(self, *args, **kwargs):
        with self.one_thread:
            return method(self, *args, **kwargs)

    return waiting


class TrainingState:
    """What `fit` and `save` need to continue a training exactly."""

    def save_assets(self, folder):
        """Adds the random state to a `.keras` file, which has the weights alone otherwise."""
        states = [ops.convert_to_numpy(state) for state in self._random_states()]
        np.savez(pathlib.Path(folder, _NOISE), *states)

    def load_assets(self, folder):
        """Takes the random state from a `.keras` file; older files have none."""
        if folder and pathlib.Path(folder, _NOISE).is_file():
            with np.load(pathlib.Path(folder, _NOISE)) as states:
                for state, name in zip(self._random_states(), states, strict=True):
                    state.assign(states[name])

    def _random_states(self):
        """The variables of all `keras.random.SeedGenerator`s of the model and its layers."""
        weights = {id(weight) for weight in self.weights}
        return [v for v in self.variables if id(v) not in weights]

    def _assert_compiled(self, method):
        if not self.compiled:
            raise RuntimeError(
                f"{type(self).__name__}.{method}() needs a compiled model: call compile() first; "
                "without arguments it takes the paper's settings."
            )

    def _assert_distributes(self):
        _, count = backend.replica()
        if count > 1 and not self.distributes:
            raise ValueError(
                f"{type(self).__name__} trains on one device, got {count} replicas: what it keeps "
                "between updates needs the whole batch. On JAX, keras.distribution.DataParallel "
                "has no such limit."
            )

    def before_training(self, images, condition):
        """What `fit` does once the data are checked, before the first update; nothing here.

        Args:
            images, condition: NumPy arrays of the first batch, the condition as a dict.
        """

    def training_callbacks(self):
        """Keras callbacks that `fit` adds to those of the user."""
        return []

    def resumed(self, x, callbacks, epochs=1, initial_epoch=0, **options):
        """The arguments of `fit` with which it goes on, once the last checkpoint is restored.

        Args:
            x: the training data, as Keras takes them.
            callbacks: list of Keras callbacks. One with a method `resume`, such as
                `kzoo.callbacks.Checkpoint`, restores the model and returns the number of epochs
                done. One with a method `is_reached` says whether nothing is left to do.
            epochs, initial_epoch: as in `keras.Model.fit`.
            **options: further arguments of it.
        """
        # A checkpoint comes last: it keeps what the others have done in an epoch.
        callbacks = sorted(callbacks, key=lambda c: hasattr(c, "resume"))
        done = [c.resume(self, x, callbacks) for c in callbacks if hasattr(c, "resume")]
        if any(done):
            initial_epoch = max(done)
            limits = [c for c in callbacks if hasattr(c, "is_reached")]
            if any(limit.is_reached(self) for limit in limits):
                epochs = initial_epoch
            x = without_first(x, initial_epoch * (options.get("steps_per_epoch") or 0))
        given = {"callbacks": callbacks, "epochs": epochs, "initial_epoch": initial_epoch}
        return {"x": x, **given, **options}


def has_no_end(x):
    """Whether batches have no end: `fit` with `steps_per_epoch` then begins with them only once."""
    if hasattr(x, "__next__"):
        return True
    if hasattr(x, "skip"):
        return x.cardinality() < 0
    return hasattr(x, "first") and x.num_batches is None


def without_first(x, count):
    """Batches without the first so many, if they have no end: `fit` begins with the first again."""
    if not has_no_end(x):
        return x
    if hasattr(x, "skip"):
        return x.skip(count)
    if hasattr(x, "first"):
        x.first = count
    else:
        next(itertools.islice(x, count, count), None)
    return x
