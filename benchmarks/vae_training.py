"""Training steps of kzoo's VAE: `fit` against a hand-written loop of the backend.

    python benchmarks/vae_training.py
    python benchmarks/vae_training.py --networks residual --batch 100 --backends torch

Both train the same network on the same images, in one process, in turns of `--steps` steps. The
hand-written loops (`native_loops.py`) use the backend's own gradients, random numbers and a plain
Adam, on the network's Keras layers, with the loss written out: one sample of z, binary
cross-entropy and the analytic KL term. The ratio is that of the median turns. CPU only.
"""

import argparse
import itertools
import json

import native_loops
import numpy as np
import processes

NETWORKS = {
    "convolutional": {"widths": (32, 64, 128), "latent_dim": 32},
    "fully_connected": {"widths": (300, 300), "latent_dim": 50},
    "residual": {"widths": (32, 64, 64), "latent_dim": 32},
}


def build(name, size):
    import kzoo

    return kzoo.VAE(image_shape=(size, size, 1), networks=name, seed=0, **NETWORKS[name])


def binary_images(size, count):
    rng = np.random.default_rng(0)
    return rng.integers(0, 2, (count, size, size, 1), dtype="uint8") * 255


def train(name, size, batch, steps, repetitions, backend):
    """Median seconds per step of `fit` and of the hand-written loop, and their losses."""
    import keras

    model, twin = build(name, size), build(name, size)
    twin.set_weights(model.get_weights())
    model.compile(keras.optimizers.Adam(1e-3))
    native = native_loops.STEPS[backend](twin, native_loops.NEGATIVE_ELBO[backend])
    images = binary_images(size, batch * steps)
    return native_loops.compare(model, native, images, batch, repetitions, "loss")


def work(task):
    answers = processes.begin(task)
    names = ("name", "size", "batch", "steps", "repetitions", "backend")
    print(json.dumps(train(*(task[name] for name in names))), file=answers)


def measure(options):
    """A row of figures for every backend and network."""
    names = ("size", "batch", "steps", "threads", "repetitions")
    common = {name: getattr(options, name) for name in names}
    rows = []
    for backend, name in itertools.product(options.backends, options.networks):
        row = {"backend": backend, "name": name}
        rows.append({**row, **processes.result(__file__, {**row, **common})})
    return rows


def table(rows):
    """The rows as a Markdown table."""
    names = ["Networks", "Backend", "kzoo, ms per step", "hand-written, ms", "kzoo / hand-written"]
    names += ["loss of the first turn, kzoo", "hand-written"]
    lines = [
        [
            row["name"],
            row["backend"],
            f"{1e3 * row['fit']:.1f}",
            f"{1e3 * row['native']:.1f}",
            f"{row['fit'] / row['native']:.2f}",
            *(f"{loss:.5g}" for loss in row["losses"]),
        ]
        for row in rows
    ]
    return processes.markdown(names, lines)


def parse(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    processes.add_options(parser, repetitions=5)
    parser.add_argument("--networks", default=",".join(NETWORKS), help="comma-separated")
    parser.add_argument("--size", type=int, default=28, help="height and width of the images")
    parser.add_argument("--batch", type=int, default=100, help="images per step")
    parser.add_argument("--steps", type=int, default=30, help="steps per turn")
    options = processes.parse(parser, arguments)
    options.networks = [name for name in options.networks.split(",") if name]
    for name in options.networks:
        if name not in NETWORKS:
            parser.error(f"unknown networks {name!r}, expected some of {', '.join(NETWORKS)}")
    for name in ("size", "batch", "steps"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1, got {getattr(options, name)}")
    return options


def main():
    options = parse()
    if options.work:
        return work(options.work)
    rows = measure(options)
    print(json.dumps(rows, indent=1) if options.json else table(rows))


if __name__ == "__main__":
    main()
