"""Runs the tests once per backend, each in a process of its own.

python -m tests                                 # every test, on every backend
python -m tests --backends torch tests/presets  # other arguments go to pytest
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

    results = {}
    for backend in backends:
        print(f"=== {backend}", flush=True)
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as cache:
            done = subprocess.run(
                command + pytest_arguments,
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
