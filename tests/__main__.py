"""Runs the tests once per backend, each in a process of its own.

python -m tests                                 # every test
python -m tests --backends torch tests/presets  # other arguments go to pytest

What computes is tested on every backend. What only reads files, parses a command line or runs a
recipe is the same on all of them, and is tested on one: the folders of `ONCE`, and the tests with
the marker `once`. Where folders or files are named, everything is tested on every backend.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BACKENDS = ("tensorflow", "jax", "torch")
REPOSITORY = Path(__file__).resolve().parent.parent
TESTS = REPOSITORY / "tests"

#: Folders and files whose tests run on one backend: they ask nothing of it that others do not ask.
ONCE = (
    *("applications", "benchmarks", "callbacks", "classifier", "cli", "datasets", "docs"),
    *("evaluation", "examples", "latents", "presets", "visualization", "wrong_uses"),
    *("batching_test.py", "checks_test.py", "conditions_test.py", "configs_test.py"),
    "imports_test.py",
    *("models/text_to_image/vocabulary_test.py", "wheel_test.py"),
)
#: Files in them that run on every backend.
EVERYWHERE = (
    "callbacks/checkpoint_test.py",
    "classifier/classifier_test.py",
    "cli/export_test.py",
    "cli/main_test.py",
    "cli/toy_model_test.py",
    "evaluation/evaluate_test.py",
    "examples/vae_mnist_test.py",
    "presets/agreement_test.py",
)
#: The backends by the time that tests take; the first one runs those of `ONCE`.
FASTEST = ("torch", "jax", "tensorflow")


def ignored(backend, backends):
    """Arguments of pytest that leave out what another of the backends tests."""
    if backend == next(b for b in FASTEST if b in backends):
        return []
    named = [TESTS / name for name in ONCE]
    files = {path for a in named for path in ([a] if a.is_file() else a.rglob("*_test.py"))}
    files = sorted(files - {TESTS / name for name in EVERYWHERE})
    return ["-m", "not once", *(f"--ignore={path}" for path in files)]


def jax_cache(folder):
    """Variables by which JAX keeps compiled programs in `folder`, for all processes of one run."""
    return {
        "JAX_COMPILATION_CACHE_DIR": folder,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def main():
    parser = argparse.ArgumentParser(
        prog="python -m tests",
        description="Run the tests once per backend; arguments not listed here go to pytest.",
    )
    parser.add_argument("--backends", default=",".join(BACKENDS), help="comma-separated names")
    parser.add_argument("-n", "--workers", default="2", help="test processes at a time")
    arguments, pytest_arguments = parser.parse_known_args()
    backends = arguments.backends.split(",")
    for backend in backends:
        if backend not in BACKENDS:
            parser.error(f"unknown backend {backend!r}, expected some of {', '.join(BACKENDS)}")
    command = [sys.executable, "-m", "pytest", "-q", "-n", arguments.workers, "--dist", "loadgroup"]
    everything = not any(Path(a.split("::")[0]).exists() for a in pytest_arguments)

    results = {}
    for backend in backends:
        print(f"=== {backend}", flush=True)
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as cache:
            done = subprocess.run(
                command + (ignored(backend, backends) if everything else []) + pytest_arguments,
                cwd=REPOSITORY,
                env={**os.environ, "KERAS_BACKEND": backend, **jax_cache(cache)},
            )
        verdict = "passed" if done.returncode == 0 else f"FAILED (pytest exit {done.returncode})"
        results[backend] = (verdict, time.monotonic() - start)
    for backend, (verdict, seconds) in results.items():
        print(f"{backend:12s} {verdict}, {seconds:.0f} s")
    return 0 if all(verdict == "passed" for verdict, _ in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
