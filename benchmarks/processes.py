"""Python processes of the benchmarks: one backend, a number of threads, JSON in and out."""

import inspect
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
BACKENDS = ("tensorflow", "jax", "torch")
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}  # and Keras's names for them


def start(script, task):
    """Starts `script --work task` with pipes; a task has a "backend" and "threads". CPU only."""
    paths = (str(REPOSITORY), os.environ.get("PYTHONPATH"))
    threads = str(task["threads"])
    variables = {
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "KERAS_BACKEND": task["backend"],
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_PLATFORMS": "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "TF_NUM_INTRAOP_THREADS": threads,
    }
    return subprocess.Popen(
        [sys.executable, str(script), "--work", json.dumps(task)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
    )


def result(script, task):
    """The JSON that `script --work task` prints."""
    process = start(script, task)
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"The process of {task} ended with {process.returncode}.")
    return json.loads(output)


def begin(task):
    """In the process: takes its CPUs and its precision; returns the file for its answers."""
    if hasattr(os, "sched_setaffinity"):  # Linux; the only way to limit JAX's threads
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: task["threads"]])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints must not get among the answers
    if task.get("precision", "float32") != "float32":
        import keras

        keras.config.set_dtype_policy(PRECISIONS[task["precision"]])
    return answers


def answer(task, function):
    """In the process: prints what the function gives for the arguments that the task has for it."""
    answers = begin(task)
    names = inspect.signature(function).parameters
    print(json.dumps(function(**{name: task[name] for name in names})), file=answers)


def rows(script, axes, common):
    """A row of figures, of one process each, for every combination of values.

    Args:
        script: whose processes `answer`.
        axes: dict of a row's own names and of the values that each takes.
        common: dict of what all tasks share; with `axes`, it has the "backend" and the "threads".
    """
    combinations = itertools.product(*axes.values())
    rows = [dict(zip(axes, values, strict=True)) for values in combinations]
    return [{**row, **result(script, {**row, **common})} for row in rows]


def add_options(parser, repetitions):
    """The options that all benchmarks have."""
    parser.add_argument("--backends", default=",".join(BACKENDS), help="comma-separated names")
    parser.add_argument("--threads", type=int, default=2, help="threads and CPUs of each process")
    parser.add_argument("--repetitions", type=int, default=repetitions, help="of the median")
    parser.add_argument(
        "--mixed-precision",
        action="store_true",
        help="further rows of kzoo in bfloat16 (Keras's mixed_bfloat16; weights stay float32)",
    )
    parser.add_argument("--json", action="store_true", help="prints JSON instead of a table")
    parser.add_argument("--work", type=json.loads, help="(internal) a process of one row")


def parse(parser, arguments=None):
    """The checked options; `backends` and `precisions` are lists."""
    options = parser.parse_args(arguments)
    options.backends = [name for name in options.backends.split(",") if name]
    for name in options.backends:
        if name not in BACKENDS:
            parser.error(f"unknown backend {name!r}, expected some of {', '.join(BACKENDS)}")
    for name in ("threads", "repetitions"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1, got {getattr(options, name)}")
    options.precisions = ["float32", "bfloat16"] if options.mixed_precision else ["float32"]
    return options


def ints(parser, options, name, zero=False):
    """Replaces an option, comma-separated positive ints, or zeros, by their list."""
    text = getattr(options, name)
    try:
        values = [int(value) for value in text.split(",")]
    except ValueError:
        parser.error(f"--{name} must be comma-separated ints, got {text}")
    if min(values) < (0 if zero else 1):
        parser.error(f"--{name} must {'not be negative' if zero else 'be positive'}, got {text}")
    setattr(options, name, values)


def markdown(names, rows):
    """A Markdown table of rows of strings."""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
