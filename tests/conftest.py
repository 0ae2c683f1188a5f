"""Shared fixtures; also keeps every test process to one thread, since pytest-xdist runs several."""

import functools
import gc
import os
from importlib.metadata import version
from pathlib import Path

# Read by the backends when they are first imported, so set before that.
for _name in (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")
# Compiling is most of what the tests do on JAX; their programs are too small to gain by it. XLA
# ends a process that names a flag unknown to it, and flags come and go: only for a known jaxlib.
_FLAGS = ["--xla_backend_optimization_level=0", "--xla_llvm_disable_expensive_passes=true"]
_KNOWN_JAX = os.environ.get("KERAS_BACKEND") == "jax" and version("jaxlib").startswith("0.10.")
if _KNOWN_JAX:
    _FLAGS.append("--xla_cpu_use_fusion_emitters=false")
os.environ.setdefault("XLA_FLAGS", " ".join(_FLAGS))

# As `import kzoo` does where it comes before TensorFlow; else it depends on the CPU.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# Graphs and compiled programs are many objects that live long, and JAX adds to every collection:
# with Python's own thresholds a fifth of the time goes into it.
gc.set_threshold(50_000, 100_000, 100_000)

import keras  # noqa: E402
import pytest  # noqa: E402

if _KNOWN_JAX:
    from jax._src.interpreters import mlir

    # JAX makes a context for every program that it lowers, a fifth of the time of all tests. One
    # for all grows, but not by much.
    mlir.make_ir_context = functools.cache(mlir.make_ir_context)

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """One process runs all tests of a file, unless the file makes groups of its own."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.split("::")[0]))


def pytest_collection_finish():
    """What importing made stays to the end: `gc.collect` need not look at it after every file."""
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def no_programs_left():
    """After each file, programs that were compiled for it are freed.

    On TensorFlow they take gigabytes. On JAX each takes some of the memory mappings that Linux
    allows a process (65,530). A process that runs the whole suite would need more, and the compiler
    ends it with a segmentation fault.
    """
    yield
    if keras.backend.backend() == "jax":
        import jax

        jax.clear_caches()
    gc.collect()


@pytest.fixture(autouse=True)
def fixed_seed():
    """Every test starts from the same state of Python's, NumPy's and the backend's generators."""
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def tfds_dir():
    """A folder of prepared TFDS data sets; tests that need one are skipped where there is none."""
    candidates = [REPOSITORY.parent / "shared" / "tensorflow_datasets"]
    if os.environ.get("TFDS_DATA_DIR"):
        candidates.insert(0, Path(os.environ["TFDS_DATA_DIR"]))
    for folder in candidates:
        if folder.is_dir():
            return str(folder)
    pytest.skip("no prepared TFDS data sets: set TFDS_DATA_DIR")
