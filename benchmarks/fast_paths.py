"""What each path of `kzoo.backend.fast` gains in a whole run of a shipped recipe, on against off.

    python benchmarks/fast_paths.py
    python benchmarks/fast_paths.py --paths recorded_loops --repetitions 7

A training run is `fit`, a sampling run is `generate`, of a recipe's model on random images. One
process per row builds the model twice, once with the path and once without it, and runs both in
turns. The gain is the median of the turns' ratios, in wall time and in processor time; the second
is what counts on a machine that has other things to do. CPU only.
"""

import argparse
import json
import statistics
import time

import processes

IMAGES = 64  # per update, or per draw where it says nothing else


def gan(updates=2):
    """`fit` of GAN svhn."""
    import keras
    import numpy as np

    import kzoo

    model = kzoo.GAN(image_shape=(32, 32, 3), latent_dim=100, width=32, pointwise=True)
    model.compile(*(keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)))
    shape = (IMAGES * updates, 32, 32, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return lambda: model.fit(images, batch_size=IMAGES, epochs=1, verbose=0)


def stage(num_steps=3):
    """`fit` of CFGGAN mnist for one stage, of fewer steps."""
    import keras
    import numpy as np

    import kzoo

    model = kzoo.CFGGAN(
        image_shape=(32, 32, 1),
        latent_dim=100,
        num_steps=num_steps,
        step_size=0.25,
        pool_size=IMAGES,
        batch_size=IMAGES,
        approximator_epochs=2,
        restart_optimizer=False,
        width=32,
    )
    model.compile(*(keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)))
    shape = (IMAGES * num_steps, 32, 32, 1)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return lambda: model.fit(images, batch_size=IMAGES, epochs=1, verbose=0)


def vae(images=20_000):
    """`fit` of VAE mnist on an array, for one epoch."""
    import numpy as np

    import kzoo

    model = kzoo.VAE(image_shape=(28, 28, 1))
    model.compile()
    images = np.random.default_rng(0).integers(0, 256, (images, 28, 28, 1), dtype=np.uint8)
    return lambda: model.fit(images, batch_size=IMAGES, epochs=1, verbose=0)


def drawing(name, count=16):
    """`generate` of a pixel model of the size of its preset."""

    def build():
        import pixel_models

        size = 32 if name == "pixelcnn_plus_plus" else 28
        model = pixel_models.build(name, size)
        return lambda: model.generate(count, seed=0, verbose=0)

    return build


RUNS = {
    "gan_svhn": gan,
    "cfggan_mnist": stage,
    "vae_mnist": vae,
    "draw_pixelcnn": drawing("pixelcnn"),
    "draw_gated_pixelcnn": drawing("gated_pixelcnn"),
    "draw_row_lstm": drawing("row_lstm"),
    "draw_pixelcnn_plus_plus": drawing("pixelcnn_plus_plus", 4),
}
#: Path: its backend, and the runs that it is there for.
PATHS = {
    "recorded_loops": ("torch", [name for name in RUNS if name.startswith("draw")]),
    "mirrored_convolutions": ("tensorflow", ["gan_svhn", "cfggan_mnist"]),
    "untuned_pipelines": ("tensorflow", ["vae_mnist"]),
    "strided_convolutions": ("jax", ["gan_svhn", "cfggan_mnist"]),
}


def compare(path, run, repetitions):
    """Seconds of turns with and without the path: medians, and of their ratios."""
    import contextlib

    import keras

    from kzoo.backend import fast

    def on():
        return contextlib.nullcontext()

    def off():
        return fast.without(path)

    turns = {on: [], off: []}
    functions = {}
    for way in turns:
        with way():
            keras.utils.set_random_seed(0)
            functions[way] = RUNS[run]()
            functions[way]()  # compiles
    for _ in range(repetitions):
        for way, seconds in turns.items():
            start = time.perf_counter(), time.process_time()
            with way():
                functions[way]()
            seconds.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    wall, cpu = (
        [b[clock] / a[clock] for a, b in zip(turns[on], turns[off], strict=True)]
        for clock in range(2)
    )
    return {
        "on": statistics.median(a for a, _ in turns[on]),
        "off": statistics.median(a for a, _ in turns[off]),
        "wall": statistics.median(wall),
        "cpu": statistics.median(cpu),
    }


def table(rows):
    """The rows as a Markdown table."""
    names = ["Path", "Backend", "Run", "on, s", "off, s", "gain", "gain in processor time"]
    lines = [
        [row["path"], row["backend"], row["run"], f"{row['on']:.2f}", f"{row['off']:.2f}"]
        + [f"{row['wall']:.2f}", f"{row['cpu']:.2f}"]
        for row in rows
    ]
    return processes.markdown(names, lines)


def parse(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    processes.add_options(parser, repetitions=3)
    parser.add_argument("--paths", default=",".join(PATHS), help="comma-separated")
    parser.add_argument("--runs", default=",".join(RUNS), help="comma-separated")
    options = processes.parse(parser, arguments)
    for name, known in (("paths", PATHS), ("runs", RUNS)):
        chosen = [text for text in getattr(options, name).split(",") if text]
        for text in chosen:
            if text not in known:
                parser.error(f"--{name}: unknown {text!r}, expected some of {', '.join(known)}")
        setattr(options, name, chosen)
    return options


def main():
    options = parse()
    if options.work:
        return processes.answer(options.work, compare)
    rows = []
    for path in options.paths:
        backend, runs = PATHS[path]
        if backend in options.backends:
            axes = {"backend": [backend], "path": [path]}
            axes["run"] = [run for run in runs if run in options.runs]
            common = {"threads": options.threads, "repetitions": options.repetitions}
            rows += processes.rows(__file__, axes, common)
    print(json.dumps(rows, indent=1) if options.json else table(rows))


if __name__ == "__main__":
    main()
