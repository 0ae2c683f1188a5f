"""CPU milliseconds per kind of step that a stage of xICFG is made of, on every backend.

    python benchmarks/cfg_steps.py --threads 1
    python benchmarks/cfg_steps.py --threads 1 --mixed-precision --backends tensorflow,jax

A stage with the fixed pool takes T U discriminator steps, T N / b functional gradient steps and
10 N / b approximator steps; with fresh latents T N / b + U T (T - 1) / 2 snapshot steps take the
place of the functional gradient steps. Each backend runs in a process of its own, one after the
other; the medians are of single steps. Processor time is what other processes on the machine
disturb least; with several threads it includes what these spend waiting for each other. CPU only.
"""

import argparse
import json
import statistics
import time

import cfg_stage
import processes

KINDS = ("discriminator_step", "functional_gradient_step", "snapshot_step", "approximator_step")


def counts(settings, algorithm):
    """How many steps of each kind one stage takes."""
    batches = settings["pool_size"] // settings["batch_size"]
    gradients = cfg_stage.gradients(settings, algorithm)
    return {
        "discriminator_step": settings["num_steps"] * settings["discriminator_steps"],
        "functional_gradient_step": gradients if algorithm == "pool" else 0,
        "snapshot_step": gradients if algorithm == "fresh" else 0,
        "approximator_step": settings["approximator_epochs"] * batches,
    }


def medians(settings, repetitions):
    """Median CPU seconds of every kind of step, after one that is not counted."""
    from kzoo import CFGGAN  # before Keras, so that it can choose TensorFlow's convolutions

    import keras  # isort: skip
    from keras import ops  # isort: skip

    model = CFGGAN(**settings)
    model.compile()
    shape = (settings["batch_size"], *settings["image_shape"])
    real, fake = (keras.random.uniform(shape, -1.0, 1.0, seed=seed) for seed in (0, 1))
    latents = keras.random.normal((settings["batch_size"], settings["latent_dim"]), seed=2)
    t = ops.convert_to_tensor(0, "int32")
    model.store_snapshot(t)
    steps = {
        "discriminator_step": lambda: model.discriminator_step(real, fake)[0],
        "functional_gradient_step": lambda: model.functional_gradient_step(fake, t),
        "snapshot_step": lambda: model.snapshot_step(fake, t),
        "approximator_step": lambda: model.approximator_step(latents, fake),
    }
    seconds = {name: [] for name in steps}
    for _ in range(repetitions + 1):
        for name, step in steps.items():
            start = time.process_time()
            ops.convert_to_numpy(step())  # JAX returns before all is computed
            seconds[name].append(time.process_time() - start)
    return {name: statistics.median(values[1:]) for name, values in seconds.items()}


def table(rows, settings):
    """The rows as a Markdown table; the last two columns add a stage's steps up."""
    lines = []
    for row in rows:
        cells = [f"{1000 * row[kind]:.1f}" for kind in KINDS]
        for algorithm in cfg_stage.ALGORITHMS:
            seconds = sum(n * row[kind] for kind, n in counts(settings, algorithm).items())
            cells.append(f"{seconds:.2f}")
        lines.append([row["backend"], row["precision"], *cells])
    names = ["Backend", "Precision", *(f"`{kind}`, CPU ms" for kind in KINDS)]
    return processes.markdown([*names, "pool, CPU s per stage", "fresh, CPU s per stage"], lines)


def measure(backends, precisions, settings, threads, repetitions):
    """A row of figures for every backend and precision."""
    common = {"settings": settings, "threads": threads, "repetitions": repetitions}
    axes = {"backend": backends, "precision": precisions}
    return processes.rows(__file__, axes, common)


def parse(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    processes.add_options(parser, repetitions=20)
    parser.add_argument("--networks", default="mnist", choices=cfg_stage.NETWORKS)
    return processes.parse(parser, arguments)


def main():
    options = parse()
    if options.work:
        return processes.answer(options.work, medians)
    settings = {**cfg_stage.STAGE, **cfg_stage.NETWORKS[options.networks]}
    rows = measure(
        options.backends, options.precisions, settings, options.threads, options.repetitions
    )
    print(json.dumps(rows, indent=1) if options.json else table(rows, settings))


if __name__ == "__main__":
    main()
