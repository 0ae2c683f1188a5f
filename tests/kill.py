"""Kills small trainings at random moments, starts them again, and compares how they end.

    python -m tests.kill --kills 100 --backend torch

A training is started as a process of its own, killed, and started again until it has been killed
as often as asked for; then it ends. If it ends before, it begins anew. No kill comes in the first
epoch of a new training, which has no checkpoint yet to go on from. For every model, it prints:

* killed: how often it was killed;
* resumed: how often it then went on from a checkpoint;
* equal, of ends: how many of its ends were bit for bit that of a training that was not killed, in
  all variables of the model and the optimizers;
* lost: how many epochs it had to train again besides the one that was going on;
* leftovers: how many files were there in the ends that do not belong there.
"""

import argparse
import multiprocessing
import os
import pathlib
import shutil
import tempfile
import time

import numpy as np

MODELS = ("VAE", "GAN", "CFGGAN", "WGANGP", "PixelCNN")
EPOCHS = 12


def train(name, folder):
    """The training: it writes a line as every epoch begins and ends, and the end into a file."""
    import keras

    import kzoo
    from tests.small_models import small

    keras.utils.set_random_seed(1)
    images = np.random.default_rng(0).integers(0, 256, (120, 8, 8, 1), dtype="uint8")
    binarize = "dynamic" if name in ("VAE", "PixelCNN") else None
    data = kzoo.datasets.from_arrays(images, batch_size=8, binarize=binarize, seed=0)
    model = small(name)
    model.compile()
    with open(folder / "told", "w", buffering=1) as told:
        tell = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: told.write(f"begin {epoch}\n"),
            on_epoch_end=lambda epoch, logs: told.write(f"end {epoch}\n"),
        )
        checkpoint = kzoo.callbacks.Checkpoint(folder / "checkpoint")
        model.fit(data, epochs=EPOCHS, verbose=0, callbacks=[tell, checkpoint])
    variables = (*model.variables, *model.optimizer.variables)
    np.savez(folder / "end.npz", *map(keras.ops.convert_to_numpy, variables))


def start(processes, name, folder, moment=None):
    """Runs the training, and kills it within one of the epochs that it runs.

    Args:
        processes: context of `multiprocessing`.
        name: of the model.
        folder: of the checkpoint.
        moment: `(epoch, delay)`: the number of the epoch, 1 for the first one that this process
            runs, and the seconds from its beginning; `None` lets the training end.

    Returns:
        `(killed, first, finished, seconds)`: whether it was killed, the epoch that it began with,
        how many epochs were finished in the end, and how long its first epoch and the mean of
        the others took.
    """
    told = folder / "told"
    told.write_text("")
    process = processes.Process(target=train, args=(name, folder))
    process.start()
    begins = []
    while process.is_alive():
        lines = told.read_text().count("begin")
        begins += [time.monotonic()] * (lines - len(begins))
        if moment is not None and len(begins) >= moment[0]:
            break
        time.sleep(0.002)
    process.join(None if moment is None else moment[1])
    process.kill()
    process.join()
    if process.exitcode not in (0, -9):
        raise RuntimeError(f"the training of {name} ended with {process.exitcode}")
    begins += [time.monotonic()] * 2  # one epoch at least, of no time if all had been trained
    seconds = begins[1] - begins[0], (begins[-1] - begins[1]) / max(1, len(begins) - 3)
    lines = [line.split() for line in told.read_text().splitlines()]
    finished = [1 + int(epoch) for what, epoch in lines if what == "end"]
    first = int(lines[0][1]) if lines else EPOCHS
    return process.exitcode != 0, first, max(finished, default=first), seconds


def run(name, kills, folder, rng, backend):
    """Kills a training so many times; returns the counts that the module describes."""
    os.environ["KERAS_BACKEND"] = backend
    processes = multiprocessing.get_context("forkserver")  # which imports all of it once
    processes.set_forkserver_preload(["tensorflow", "kzoo.callbacks", "tests.small_models"])
    whole, part = folder / "whole", folder / "killed"
    for path in (whole, part):
        path.mkdir(parents=True)
    *_, seconds = start(processes, name, whole)
    counts = dict.fromkeys(("killed", "resumed", "ends", "equal", "lost", "leftovers"), 0)
    done = 0
    while True:
        earliest = 1 if done else 2
        epoch = int(rng.integers(earliest, EPOCHS + 1))  # a training that goes on may end before
        moment = (epoch, rng.uniform(0, seconds[epoch > 1])) if counts["killed"] < kills else None
        killed, first, finished, taken = start(processes, name, part, moment)
        if not killed and first == 0:
            seconds = taken  # less than of the first training: its programs are in the cache now
        counts["resumed"] += first > 0
        counts["lost"] += max(0, done - 1 - first)  # the last one may not have been written
        done = finished
        counts["killed"] += killed
        if killed:
            continue
        counts["ends"] += 1
        with np.load(whole / "end.npz") as a, np.load(part / "end.npz") as b:
            counts["equal"] += all(np.array_equal(a[name], b[name]) for name in a)
        counts["leftovers"] += len(os.listdir(part / "checkpoint")) - 2
        if counts["killed"] >= kills:
            return counts
        shutil.rmtree(part / "checkpoint")
        done = 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20, help="of all models together")
    parser.add_argument("--backend", default="torch", choices=["torch", "tensorflow", "jax"])
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        for i, name in enumerate(args.models):
            kills = (args.kills + i) // len(args.models)
            counts = run(name, kills, pathlib.Path(folder, name), rng, args.backend)
            text = ", ".join(f"{key} {value}" for key, value in counts.items())
            print(f"{args.backend} {name}: {text}", flush=True)


if __name__ == "__main__":
    main()
