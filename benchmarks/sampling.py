"""Seconds and memory of drawing images from a CFGGAN's G_t, for several t, on every backend.

    python benchmarks/sampling.py
    python benchmarks/sampling.py --steps 0,5 --count 128 --backends torch --mixed-precision

G_t computes t functional gradients for every mini-batch and needs the t discriminators D_1 .. D_t
next to the approximator. Every row is a process of its own, with a model of T = max(t, 1) steps
and untrained weights: the work does not depend on what they are. Memory is how far the process's
resident set rises above what it was before the first draw, compilation included. CPU only.
"""

import argparse
import json
import math
import statistics
import sys
import time
from pathlib import Path

import cfg_stage
import processes


def resident(peak=False):
    """Bytes of this process's memory that are resident now, or were at most.

    On Linux `peak` is since `reset_peak`; elsewhere both are the maximum since the start.
    """
    status = Path("/proc/self/status")
    if status.exists():
        name = "VmHWM:" if peak else "VmRSS:"
        return next(
            int(line.split()[1]) * 1024
            for line in status.read_text().splitlines()
            if line.startswith(name)
        )
    import resource

    maximum = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return maximum if sys.platform == "darwin" else maximum * 1024


def reset_peak():
    """Starts the maximum of `resident` anew, where the system lets it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def draw(settings, steps, count, repetitions):
    """Seconds of the first and of later draws of `count` images, memory and weights in bytes."""
    from keras import ops

    from kzoo import CFGGAN

    model = CFGGAN(**{**settings, "num_steps": max(steps, 1)})
    for t in range(steps):
        model.store_snapshot(ops.convert_to_tensor(t, "int32"))
    # What is needed to draw: the approximator and D_1 .. D_t, in float32.
    needed = [*model.approximator.weights, *(model.snapshots if steps else ())]
    needed += [v for v in model.discriminator.non_trainable_variables if steps]
    reset_peak()
    before = resident()
    seconds = []
    for seed in range(repetitions + 1):
        start = time.perf_counter()
        model.generate(count, seed=seed, steps=steps)
        seconds.append(time.perf_counter() - start)
    return {
        "first": seconds[0],
        "seconds": statistics.median(seconds[1:]),
        "memory": max(resident(peak=True) - before, 0),
        "weights": 4 * sum(math.prod(v.shape) for v in needed),
    }


def measure(backends, precisions, steps, settings, count, threads, repetitions):
    """A row of figures for every backend, precision and t."""
    common = {"settings": settings, "count": count, "threads": threads, "repetitions": repetitions}
    axes = {"backend": backends, "precision": precisions, "steps": steps}
    return processes.rows(__file__, axes, common)


def table(rows, count):
    """The rows as a Markdown table."""
    names = ["Backend", "Precision", "t", f"s for {count} images", "images / s"]
    names += ["s of the first draw", "memory, MB", "weights, MB"]
    lines = [
        [
            row["backend"],
            row["precision"],
            str(row["steps"]),
            f"{row['seconds']:.2f}",
            f"{count / row['seconds']:.0f}",
            f"{row['first']:.1f}",
            f"{row['memory'] / 1e6:.0f}",
            f"{row['weights'] / 1e6:.1f}",
        ]
        for row in rows
    ]
    return processes.markdown(names, lines)


def parse(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    processes.add_options(parser, repetitions=3)
    parser.add_argument("--networks", default="mnist", choices=cfg_stage.NETWORKS)
    parser.add_argument("--steps", default="0,5,10,15,25", help="comma-separated t")
    parser.add_argument("--count", type=int, default=640, help="images of one draw")
    options = processes.parse(parser, arguments)
    processes.ints(parser, options, "steps", zero=True)
    if options.count < 1:
        parser.error(f"--count must be at least 1, got {options.count}")
    return options


def main():
    options = parse()
    if options.work:
        return processes.answer(options.work, draw)
    settings = {**cfg_stage.STAGE, **cfg_stage.NETWORKS[options.networks]}
    rows = measure(
        options.backends,
        options.precisions,
        options.steps,
        settings,
        options.count,
        options.threads,
        options.repetitions,
    )
    print(json.dumps(rows, indent=1) if options.json else table(rows, options.count))


if __name__ == "__main__":
    main()
