"""Seconds per stage of xICFG: kzoo's CFGGAN on every backend, beside the authors' PyTorch code.

    python benchmarks/cfg_stage.py
    python benchmarks/cfg_stage.py --cfg-gan-pt PATH   # a checkout of riejohnson/cfg-gan-pt
    python benchmarks/cfg_stage.py --backends torch --algorithm pool --repetitions 3
    python benchmarks/cfg_stage.py --mixed-precision   # kzoo also in bfloat16
    python benchmarks/cfg_stage.py --networks svhn

One stage is T = 15 functional gradient steps with U = 1 discriminator update each, then 10 epochs
of the approximator on N = 640 examples in batches of 64. The fixed pool computes T N / 64 = 150
functional gradients; fresh latents, as in the authors' code, take 105 more for the discriminator.

Every row is a process of its own. The processes are set up one after the other and then take
turns, one stage each per repetition, while the others wait: whatever else the machine does falls
on all rows alike. The images are random, because the work does not depend on what they show.
CPU only.
"""

import argparse
import contextlib
import itertools
import json
import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import processes

ALGORITHMS = ("pool", "fresh")
AUTHORS = "cfg-gan-pt"
KEYS = ("code", "backend", "algorithm", "precision")  # of a row

# Arguments of kzoo.CFGGAN, which the authors' code gets too.
STAGE = {
    "latent_dim": 100,
    "num_steps": 15,
    "discriminator_steps": 1,
    "pool_size": 640,
    "batch_size": 64,
    "approximator_epochs": 10,
}
NETWORKS = {
    "mnist": {"image_shape": (32, 32, 1), "width": 32, "step_size": 0.5},
    "svhn": {"image_shape": (32, 32, 3), "width": 64, "step_size": 0.25},
}


# A row's process ----------------------------------------------------------------------------------


def random_images(settings):
    """The uint8 images (T U b, h, w, c) of one stage."""
    count = settings["num_steps"] * settings["discriminator_steps"] * settings["batch_size"]
    shape = (count, *settings["image_shape"])
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def kzoo_stages(settings, images, fixed_pool):
    """A function that sets a CFGGAN up and returns a function that trains it for one stage.

    A stage is a `fit` of one step, whose own overhead counts.
    """
    from kzoo import CFGGAN  # before Keras, so that it can choose TensorFlow's convolutions

    from keras import ops  # isort: skip

    def build():
        model = CFGGAN(**settings, fixed_pool=fixed_pool)
        model.compile()

        def stage():
            model.fit(images, epochs=1, verbose=0)
            # JAX returns before all is computed.
            ops.convert_to_numpy(model.approximator.trainable_variables[0])

        return stage

    return build


def work(task):
    """Sets up, runs the first stage, then one stage per line of the input; answers each."""
    answers = processes.begin(task)
    images = random_images(task["settings"])
    if task["code"] == AUTHORS:
        import cfg_gan_pt

        build = cfg_gan_pt.stages(task["settings"], images, task["path"])
    else:
        build = kzoo_stages(task["settings"], images, task["algorithm"] == "pool")

    def clocks():
        return time.perf_counter(), time.process_time()

    def answer(start):
        seconds, cpu = (now - then for now, then in zip(clocks(), start))
        figures = {"seconds": seconds, "cpu": cpu, "load": os.getloadavg()[0]}
        print(json.dumps(figures), file=answers)

    start = clocks()
    stage = build()
    stage()
    answer(start)
    for _ in sys.stdin:
        start = clocks()
        stage()
        answer(start)


# All rows -----------------------------------------------------------------------------------------


class Worker:
    """The process of one row, described by `task`, and what it has answered."""

    def __init__(self, task):
        self.task = task
        self.process = processes.start(__file__, task)
        self.first = None
        self.stages = []

    def answer(self, what):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"The process of {self.task} ended with {self.process.wait()}.")
        answer = json.loads(line)
        name = " ".join(self.task[key] for key in KEYS)
        seconds = f"{answer['seconds']:.1f} s, CPU {answer['cpu']:.1f} s"
        print(f"{name}, {what}: {seconds}", file=sys.stderr)
        return answer

    def stage(self, what):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.stages.append(self.answer(what))

    def close(self):
        self.process.communicate()  # its input ends, and so does its loop

    def row(self):
        seconds = [stage["seconds"] for stage in self.stages]
        return {
            **{key: self.task[key] for key in KEYS},
            "first": self.first["seconds"],
            "first_cpu": self.first["cpu"],
            "first_load": self.first["load"],
            "seconds": statistics.median(seconds),
            "fastest": min(seconds),
            "slowest": max(seconds),
            "cpu": statistics.median(stage["cpu"] for stage in self.stages),
            "load": statistics.median(stage["load"] for stage in self.stages),
        }


def measure(tasks, repetitions):
    """A row of figures for each task; the tasks take turns."""
    with contextlib.ExitStack() as stack:
        workers = []
        for task in tasks:
            workers.append(Worker(task))
            stack.callback(workers[-1].close)
            workers[-1].first = workers[-1].answer("first stage")
        for repetition in range(repetitions):
            for worker in workers:
                worker.stage(f"stage {repetition + 1} of {repetitions}")
    return with_ratios([worker.row() for worker in workers])


def with_ratios(rows):
    """Adds `ratio`: the authors' seconds per row's seconds, more than 1 where kzoo is faster."""
    authors = [row["seconds"] for row in rows if row["code"] == AUTHORS]
    return [{**row, "ratio": authors[0] / row["seconds"] if authors else None} for row in rows]


def gradients(settings, algorithm):
    """Mini-batches of functional gradients that one stage computes."""
    steps = settings["num_steps"]
    pool = steps * settings["pool_size"] // settings["batch_size"]
    fresh = settings["discriminator_steps"] * steps * (steps - 1) // 2
    return pool + (fresh if algorithm == "fresh" else 0)


def table(rows, settings):
    """The rows as a Markdown table."""
    names = (
        "Code | Backend | Algorithm | Precision | Gradients | s per stage | from - to | CPU s "
        "| load | s to the first stage | CPU s | load | authors / this"
    )
    lines = [
        [
            *(row[key] for key in KEYS),
            str(gradients(settings, row["algorithm"])),
            f"{row['seconds']:.2f}",
            f"{row['fastest']:.2f} - {row['slowest']:.2f}",
            f"{row['cpu']:.1f}",
            f"{row['load']:.1f}",
            f"{row['first']:.1f}",
            f"{row['first_cpu']:.1f}",
            f"{row['first_load']:.1f}",
            "" if row["ratio"] is None else f"{row['ratio']:.2f}",
        ]
        for row in rows
    ]
    return processes.markdown(names.split(" | "), lines)


def make_tasks(backends, algorithms, settings, threads, path=None, precisions=("float32",)):
    """The descriptions of the rows; the last is the authors' code where there is a `path`."""
    common = {"settings": settings, "threads": threads}
    tasks = [
        {"code": "kzoo", **dict(zip(KEYS[1:], row)), **common}
        for row in itertools.product(backends, algorithms, precisions)
    ]
    if path is not None:
        authors = dict(zip(KEYS, (AUTHORS, "torch", "fresh", "float32")))  # as published
        tasks.append({**authors, **common, "path": str(path)})
    return tasks


def parse(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    processes.add_options(parser, repetitions=5)
    parser.add_argument("--algorithm", default="both", choices=(*ALGORITHMS, "both"))
    parser.add_argument("--networks", default="mnist", choices=NETWORKS)
    parser.add_argument("--cfg-gan-pt", type=Path, metavar="PATH", help="the authors' code")
    options = processes.parse(parser, arguments)
    if options.cfg_gan_pt and not (options.cfg_gan_pt / "netdef.py").is_file():
        parser.error(f"--cfg-gan-pt must be a checkout with netdef.py, got {options.cfg_gan_pt}")
    return options


def main():
    options = parse()
    if options.work:
        return work(options.work)
    algorithms = ALGORITHMS if options.algorithm == "both" else (options.algorithm,)
    settings = {**STAGE, **NETWORKS[options.networks]}
    path = options.cfg_gan_pt and options.cfg_gan_pt.resolve()
    tasks = make_tasks(
        options.backends, algorithms, settings, options.threads, path, options.precisions
    )
    rows = measure(tasks, options.repetitions)
    if options.json:
        report = {"threads": options.threads, "settings": settings, "rows": rows}
        print(json.dumps(report, indent=1))
    else:
        print(table(rows, settings))


if __name__ == "__main__":
    main()
