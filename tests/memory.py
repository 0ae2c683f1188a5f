"""How the memory of a process grows: by updates, by drawing, and by training again.

    KERAS_BACKEND=torch python -m tests.memory              # VAE, GAN, PixelCNN and CFGGAN
    KERAS_BACKEND=jax python -m tests.memory GAN --updates 100 --draws 10 --fits 5

Prints, for each model and each kind of work, the resident set after the first part of the work and
after all of it, in MiB, and by how many percent it grew. The first part makes programs and fills
caches.
"""

import argparse
import gc
import json

import keras
import numpy as np

from tests.small_models import SHAPE, beside, small

BATCH = 8


def resident():
    """MiB of memory that this process holds (Linux)."""
    gc.collect()
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def data(model, count):
    rng = np.random.default_rng(0)
    images = np.where(rng.random((count, *SHAPE)) < 0.4, 255, 0).astype("uint8")
    return (images, beside(model, count)[1]) if model.conditioned_on else (images,)


def made(name):
    keras.utils.set_random_seed(0)
    model = small(name)
    model.compile()
    return model


def grown(work, times, first):
    """`(before, after, percent)` of `work()`, after `first` and after all of the `times`."""
    for _ in range(first):
        work()
    before = resident()
    for _ in range(times - first):
        work()
    after = resident()
    return round(before, 1), round(after, 1), round(100 * (after / before - 1), 2)


def measured(name, updates, draws, fits):
    """Yields `(kind of work, (before, after, percent))`."""
    model = made(name)
    size = model.examples_per_step(BATCH)
    batch = data(model, size)
    yield f"{updates} updates", grown(lambda: model.train_on_batch(*batch), updates, updates // 5)
    yield f"{draws} times generate", grown(lambda: model.generate(64, seed=0), draws, draws // 5)
    whole = data(model, 4 * size)
    fit = lambda: model.fit(*whole, batch_size=BATCH, verbose=0)  # noqa: E731
    yield f"{fits} times fit", grown(fit, fits, fits // 5)


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.memory")
    parser.add_argument("models", nargs="*", default=["VAE", "GAN", "PixelCNN", "CFGGAN"])
    parser.add_argument("--updates", type=int, default=500)
    parser.add_argument("--draws", type=int, default=50)
    parser.add_argument("--fits", type=int, default=20)
    args = parser.parse_args()
    for name in args.models:
        for work, (before, after, percent) in measured(name, args.updates, args.draws, args.fits):
            line = {"model": name, "work": work, "before": before, "after": after, "grew": percent}
            print(json.dumps({"backend": keras.backend.backend(), **line}), flush=True)


if __name__ == "__main__":
    main()
