"""Which Keras backend to use, decided before Keras is first imported.

Keras reads its backend once, at import: from `KERAS_BACKEND`, else from `keras.json` in
`KERAS_HOME` (default `~/.keras`), else TensorFlow. Keras writes `keras.json` with "tensorflow" by
itself on first use, so that value alone does not show that anybody chose TensorFlow.
"""

import importlib
import importlib.util
import json
import logging
import os
import sys
from pathlib import Path

BACKENDS = ("tensorflow", "jax", "torch")
_chosen = None  # the backend that kzoo chose, until the user is told


def installed_backends():
    """Names of the backends that could be imported, without importing them."""
    return [name for name in BACKENDS if importlib.util.find_spec(name) is not None]


def configured_backend():
    """The backend Keras will use, from the same places in the same order as Keras itself."""
    if "keras" in sys.modules:
        return sys.modules["keras"].config.backend()
    if os.environ.get("KERAS_BACKEND"):
        return os.environ["KERAS_BACKEND"]
    home = os.environ.get("KERAS_HOME") or Path("~/.keras").expanduser()
    try:
        return json.loads(Path(home, "keras.json").read_text()).get("backend", "tensorflow")
    except (OSError, ValueError, AttributeError):  # absent, unreadable or not a JSON object
        return "tensorflow"


def choose_backend():
    """Sets `KERAS_BACKEND` to an installed backend if none was chosen and TensorFlow is missing.

    If several are installed, `report_choice` tells the user which one was chosen.
    """
    global _chosen
    if "keras" in sys.modules or os.environ.get("KERAS_BACKEND"):
        return
    installed, configured = installed_backends(), configured_backend()
    if installed and configured == "tensorflow" and configured not in installed:
        os.environ["KERAS_BACKEND"] = installed[0]
        _chosen = installed[0] if len(installed) > 1 else None


def report_choice():
    """Tells once which backend was chosen, if kzoo had to choose between several."""
    global _chosen
    if _chosen is not None:
        logging.getLogger("kzoo").warning(
            "TensorFlow, Keras's default backend, is not installed: using %s. "
            "Set KERAS_BACKEND=%s to choose it and silence this message.",
            _chosen,
            _chosen,
        )
        _chosen = None


def use_onednn():
    """Has TensorFlow take oneDNN's convolutions on every CPU, unless the user chose otherwise.

    `KZOO_FAST=0` switches it off, as it does the paths of `kzoo.backend.fast`.

    TensorFlow reads `TF_ENABLE_ONEDNN_OPTS` once, at import: after that, this has no effect. By
    itself it takes oneDNN only on CPUs with AVX-512; on one without, a stage of a CFGGAN took a
    third less time with it.
    """
    if "tensorflow" not in sys.modules and os.environ.get("KZOO_FAST") != "0":
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def optional(package, purpose):
    """The module of a package that kzoo goes without; `ImportError` if it is not installed."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ImportError(f"{purpose} a package: pip install {package}") from error


def is_command_line():
    """Whether this process is the command `kzoo`, or `python -m kzoo`, and nothing else."""
    # Python sets argv[0] to "-m" while it looks for the module to run.
    return sys.argv[0] == "-m" or Path(sys.argv[0]).stem == "kzoo"


def require_backend():
    """Checks that the backend Keras will import is there.

    Raises:
        ImportError: if the configured backend is not installed, or kzoo does not run on it.
    """
    configured, installed = configured_backend(), installed_backends()
    if configured in installed:
        return
    choice = (
        f"set KERAS_BACKEND to one of {', '.join(BACKENDS)} "
        f"(installed here: {', '.join(installed) or 'none'})"
    )
    if configured in BACKENDS:
        raise ImportError(
            f"The Keras backend {configured!r} is not installed. "
            f"Run pip install {configured}, or {choice}."
        )
    raise ImportError(
        f"kzoo does not run on the Keras backend {configured!r}: {choice}, and install "
        "it: pip install tensorflow, or jax, or torch."
    )
