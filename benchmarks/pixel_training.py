"""Training steps of the pixel models: kzoo's `fit` against a hand-written loop of the backend.

    python benchmarks/pixel_training.py
    python benchmarks/pixel_training.py --models gated_pixelcnn --batch 32 --backends torch

Both train the same network on the same images, in one process, in turns of `--steps` steps. The
hand-written loops (`native_loops.py`) use the backend's own gradients and a plain Adam, on the
network's Keras layers. The ratio is that of the median turns. CPU only.
"""

import argparse
import json

import native_loops
import pixel_models
import processes


def train(name, size, batch, steps, repetitions, backend):
    """Median seconds per step of `fit` and of the hand-written loop, and their losses."""
    import keras

    model = pixel_models.build(name, size)
    twin = pixel_models.build(name, size)
    if hasattr(model, "initialize_from"):  # equal weights already; not at the first step of fit
        for one in (model, twin):
            one.initialize_from(pixel_models.images(name, size, batch))
    model.compile(keras.optimizers.Adam(1e-3))
    native = native_loops.STEPS[backend](twin)
    images = pixel_models.images(name, size, batch * steps)
    return native_loops.compare(model, native, images, batch, repetitions, "nll")


def table(rows):
    """The rows as a Markdown table."""
    names = ["Model", "Backend", "kzoo, ms per step", "hand-written, ms", "kzoo / hand-written"]
    names += ["loss of the first turn, kzoo", "hand-written"]
    lines = [
        [
            row["name"],
            row["backend"],
            f"{1e3 * row['fit']:.0f}",
            f"{1e3 * row['native']:.0f}",
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
    parser.add_argument("--models", default=",".join(pixel_models.MODELS), help="comma-separated")
    parser.add_argument("--size", type=int, default=28, help="height and width of the images")
    parser.add_argument("--batch", type=int, default=16, help="images per step")
    parser.add_argument("--steps", type=int, default=5, help="steps per turn")
    options = processes.parse(parser, arguments)
    options.models = pixel_models.names(options.models, parser)
    for name in ("size", "batch", "steps"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1, got {getattr(options, name)}")
    return options


def main():
    options = parse()
    if options.work:
        return processes.answer(options.work, train)
    axes = {"backend": options.backends, "name": options.models}
    names = ("size", "batch", "steps", "threads", "repetitions")
    rows = processes.rows(__file__, axes, {name: getattr(options, name) for name in names})
    print(json.dumps(rows, indent=1) if options.json else table(rows))


if __name__ == "__main__":
    main()
