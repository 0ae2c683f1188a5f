"""A training that is killed and started again ends as one that was not."""

import json
import os
import re
import warnings
import zipfile
import zlib

import keras
import numpy as np
from keras import ops

from kzoo import backend
from kzoo.checks import check_positive_int
from kzoo.models.training_state import has_no_end
from kzoo.paths import check_path, check_writable

KEPT = 2  # files
# What other callbacks remember: of ReduceLROnPlateau and EarlyStopping, and of TimeLimit.
STATES = ("best", "wait", "cooldown_counter", "elapsed")


class Checkpoint(keras.callbacks.Callback):
    """Writes the whole state of a training after an epoch; `fit` goes on from there.

    A training that is killed at any moment and started again by the same program ends with exactly
    the weights of one that was not killed, on the same backend and machine. A file holds every
    variable of the model: weights, random state, and what the optimizers keep. It also holds the
    number of epochs done, and a seed. From the seed and an epoch's number, the callback seeds
    Python's, NumPy's and the backend's global generators when the epoch begins.

    These data come in the same order again, with the same binarization:

    * arrays that are given to the `fit` of a model of kzoo;
    * data sets of `kzoo.datasets`, as long as an epoch is one pass over them. With
      `steps_per_epoch`, give `fit` the batches of `kzoo.datasets.endless`, of a data set with a
      seed;
    * data without end, such as a generator, that give the same batches whenever they are created.
      `fit` with `steps_per_epoch` skips the batches of the epochs done;
    * other data whose order in an epoch depends on the global generators alone, such as a
      `keras.utils.PyDataset` or, on PyTorch, a `DataLoader` with `shuffle=True`.

    Nothing is promised for another `tf.data.Dataset` that shuffles, a data set of
    `kzoo.datasets.load` that was changed afterwards (such as by `map`), an `augment` with a random
    state, or finite data with `steps_per_epoch`.

    In the `fit` of a model of kzoo, it also keeps what `ReduceLROnPlateau`, `EarlyStopping`
    (without its best weights) and `TimeLimit` remember, as long as their number and order do not
    change. An epoch that another callback stopped before its end counts as done. A log file may
    contain an epoch twice.

    Of several processes that train together on PyTorch, the first writes, and all of them go on
    from its files. So give all the same folder, and the same seed by `keras.utils.set_random_seed`.

    Args:
        folder: of the files, `epoch_00000012.npz` for a training of 12 epochs. The last two are
            kept. If the last one is damaged, the one before is taken, with a warning. Empty the
            folder to train from the start.
        every: number of epochs from one file to the next. The last epoch is always written.
        data: the training data, if they are of `kzoo.datasets` and the model is not one of kzoo;
            the callback must then be the last of the list. `fit` of a model of kzoo does both
            itself.

    Raises:
        ValueError: if `every` is not a positive integer, or no files can be written into the
            folder; from `fit`, if the file's arrays are not those of the model, or if all files are
            damaged.
    """

    def __init__(self, folder, every=1, data=None):
        super().__init__()
        self.folder = check_path("folder", folder)
        check_writable(self.folder)
        self.every = check_positive_int("every", every)
        self.data = data
        self._others = ()
        self._memories = ()
        self._seed = None
        self._resumed = False
        self._epoch = 0

    def epochs_done(self):
        """How many epochs the training in the folder has had."""
        path, arrays = self._read()
        return 0 if path is None else _facts(arrays)["epochs"]

    def restore(self, model):
        """Takes the last state into a model that is compiled; returns the number of epochs done."""
        path, arrays = self._read()
        if path is None:
            return 0
        if not model.optimizer.built:  # Keras does it in the first update
            model.optimizer.build(model.trainable_variables)
        state = _state(model)
        for name in sorted(state.keys() ^ (arrays.keys() - {"facts"})):
            problem = "lacks the array" if name in state else "holds the unknown array"
            raise ValueError(f"{path} {problem} {name!r} for this {type(model).__name__}.")
        for name, variable in state.items():
            if arrays[name].shape != tuple(variable.shape):
                raise ValueError(
                    f"{path}: the array {name!r} has the shape {arrays[name].shape}, expected "
                    f"{tuple(variable.shape)} for this {type(model).__name__}."
                )
        for name, variable in state.items():
            variable.assign(arrays[name])
        facts = _facts(arrays)
        self._seed, self._memories = facts["seed"], facts["callbacks"]
        self._remind()
        return facts["epochs"]

    def save(self, epochs):
        """Writes the state of the model after so many epochs, whole or not at all.

        Of several processes, only the first writes.
        """
        if backend.replica()[0] != 0:
            return
        facts = {"epochs": epochs, "seed": self._seed, "callbacks": self._remembered()}
        arrays = {name: _numpy(variable) for name, variable in _state(self.model).items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / ".unfinished"
        with open(unfinished, "wb") as file:
            np.savez(file, facts=np.array(json.dumps(facts)), **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, self.folder / f"epoch_{epochs:08d}.npz")
        for old in self._files()[KEPT:]:
            old.unlink()

    def resume(self, model, data, callbacks):
        """What `fit` of a model of kzoo calls first.

        Args:
            model: the compiled model.
            data: the training data, as Keras gets them.
            callbacks: all of this `fit`.

        Returns:
            The number of epochs done.
        """
        self.data = data
        self._others = callbacks
        self._resumed = True
        done = self.restore(model)
        if self._seed is None:
            self._seed = int(np.random.randint(2**31))
        self._set_random_seed(0)  # for what Keras makes of the data before the first epoch
        return done

    def on_train_begin(self, logs=None):
        if not self._resumed:  # not a model of kzoo: as Keras's BackupAndRestore does it
            self.model._initial_epoch = self.resume(self.model, self.data, ()) or None
        self._resumed = False
        self._remind()  # again: some callbacks have just forgotten it

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._set_random_seed(1 + epoch)
        if hasattr(self.data, "set_epoch"):
            self.data.set_epoch(epoch)

    def on_train_batch_begin(self, batch, logs=None):
        # On PyTorch, Keras draws a random number when it begins with the data. With data without
        # end it does so in the first epoch that it trains, and in no other.
        if batch == 0 and has_no_end(self.data):
            self._set_random_seed(1 + self._epoch)

    def on_epoch_end(self, epoch, logs=None):
        done = epoch + 1
        last = done == self.params.get("epochs") or self.model.stop_training
        if last or done % self.every == 0:
            self.save(done)

    def on_train_end(self, logs=None):
        self.model._initial_epoch = None

    def _set_random_seed(self, number):
        seed = np.random.SeedSequence([self._seed, number]).generate_state(1)[0]
        keras.utils.set_random_seed(int(seed))

    def _files(self):
        return sorted(self.folder.glob("epoch_*.npz"), reverse=True)

    def _read(self):
        """The newest file that is whole, and its arrays by name; `(None, {})` without files."""
        files = self._files()
        for path in files:
            try:
                with np.load(path) as file:
                    arrays = dict(file)
                _facts(arrays)
            except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as e:
                warnings.warn(f"The checkpoint {path} is damaged: {e}", stacklevel=2)
            else:
                return path, arrays
        if files:
            raise ValueError(
                f"All checkpoints in {str(self.folder)!r} are damaged; empty the folder to train "
                "from the start."
            )
        return None, {}

    def _with_state(self):
        return [c for c in self._others if any(name in vars(c) for name in STATES)]

    def _remind(self):
        if [name for name, _ in self._memories] == [name for name, _ in self._remembered()]:
            for other, (_, values) in zip(self._with_state(), self._memories):
                vars(other).update(values)

    def _remembered(self):
        """`[class, {attribute: value}]` of every other callback that remembers something."""
        return [
            [type(c).__name__, {k: _plain(v) for k, v in vars(c).items() if k in STATES}]
            for c in self._with_state()
        ]


def _facts(arrays):
    return json.loads(str(arrays["facts"]))


def _plain(value):
    return value if value is None or isinstance(value, int) else float(value)


def _numpy(variable):
    """Its value; the file format has no bfloat16, whose values float32 holds too."""
    value = variable.value
    return ops.convert_to_numpy(ops.cast(value, "float32") if "bf" in variable.dtype else value)


def _state(model):
    """`{name: variable}` of all variables that training changes, but for averages of an epoch.

    Keras counts layers in their names, over a whole process; these names are without the counts.
    """
    variables = [*model.variables, *model.optimizer.variables]
    variables = {id(v): v for v in variables}.values()  # each once
    return {f"{i:04d} {re.sub('_[0-9]+', '', v.path)}": v for i, v in enumerate(variables)}
