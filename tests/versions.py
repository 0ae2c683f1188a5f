"""Runs a part of the tests with other versions of the packages, in an environment of its own.

    python -m tests.versions oldest     # the lowest versions that pyproject.toml allows
    python -m tests.versions newest     # the newest ones that pip finds
    python -m tests.versions nightly    # the newest ones, and Keras's nightly build
    python -m tests.versions oldest --backends tensorflow jax --tests tests/contract_test.py

For every backend it prints a row of the table of docs/guide/install.md: what was installed, and how
the tests ended. Tests of what is the same on all backends (marker `once`) are left out. pip needs
the network. PyPI's PyTorch for Linux is gigabytes large, so PyTorch is left out unless `--backends`
names it.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import tomllib
import venv

ROOT = pathlib.Path(__file__).resolve().parents[1]
EXTRAS = {"tensorflow": "tensorflow-cpu", "jax": "jax", "torch": "torch"}
TESTS = [
    "tests/contract_test.py",
    "tests/optimizer_step_test.py",
    "tests/presets/agreement_test.py",
]


def requirements(which, backends):
    """What pip installs: pyproject.toml's requirements for these backends and for the tests.

    Args:
        which: "oldest", or another word for the newest.
        backends: list of names.
    """
    with open(ROOT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    extras = project["optional-dependencies"]
    # Data sets are read by TensorFlow on every backend.
    names = dict.fromkeys([EXTRAS["tensorflow"], *(EXTRAS[b] for b in backends), "dev"])
    wanted = [*project["dependencies"], *(line for name in names for line in extras[name])]
    if which == "oldest":
        return [line.replace(">=", "==") for line in wanted]
    return wanted


def installed(python, names):
    """The versions of packages in an environment, such as "keras 3.15.0, jax 0.5.0"."""
    code = (
        "import sys, importlib.metadata as m; "
        "print(', '.join(f'{n} {m.version(n)}' for n in sys.argv[1:]))"
    )
    return subprocess.check_output([python, "-c", code, *names], text=True).strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", choices=["oldest", "newest", "nightly"])
    parser.add_argument("--backends", nargs="+", default=["tensorflow", "jax"], choices=EXTRAS)
    parser.add_argument("--tests", nargs="+", default=TESTS, help="files or folders")
    parser.add_argument("--folder", type=pathlib.Path, help="of the environment; it is kept")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or pathlib.Path(temporary)
        python = str(folder / "bin" / "python")
        if not os.path.exists(python):
            venv.create(folder, symlinks=True, with_pip=True)
        pip = [python, "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--upgrade", *requirements(args.which, args.backends)], check=True)
        subprocess.run([*pip, "--no-deps", "--editable", str(ROOT)], check=True)
        if args.which == "nightly":  # over the Keras that other packages require
            nightly = ["--pre", "--no-deps", "--force-reinstall", "keras-nightly"]
            subprocess.run([*pip, *nightly], check=True)
        keras = "keras-nightly" if args.which == "nightly" else "keras"
        failed = False
        for backend in args.backends:
            names = [keras, EXTRAS[backend], "numpy"]
            command = [python, "-m", "pytest", "-q", "-m", "not once", *args.tests]
            environment = {**os.environ, "KERAS_BACKEND": backend}
            # With JAX 0.5 and this cache ten tests of the contract fail that pass without it.
            environment.pop("JAX_COMPILATION_CACHE_DIR", None)
            run = subprocess.run(
                command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE
            )
            failed |= run.returncode != 0
            if run.returncode:
                print(run.stdout)
            end = run.stdout.strip().splitlines()[-1].strip("= ")
            print(f"| {args.which} | {installed(python, names)} | {end} |", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
