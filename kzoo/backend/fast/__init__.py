"""Speed only: every path here gives the results of the plain code, faster.

A path stays here as long as it makes a whole training or sampling run of a shipped recipe at least
1.2 times as fast on some backend. `benchmarks/fast_paths.py` measures each, on against off in
turns; its README has the table. All are on unless the environment variable `KZOO_FAST` is 0 when
kzoo is imported. `without` switches them off one by one.

No other folder of kzoo uses private names of Keras or of a backend, but for the one that
`kzoo.backend.jax` names. Private names used here:

* `recorded.py`: `torch.utils._python_dispatch.TorchDispatchMode`, `torch.utils._pytree` and
  `_schema` of an operation.
"""

import contextlib
import os

ON = os.environ.get("KZOO_FAST", "1") != "0"

#: Each path: the backend that has it, and what it does.
PATHS = {
    "recorded_loops": ("torch", "the loops of pixel sampling are recorded once and replayed"),
    "mirrored_convolutions": ("tensorflow", "on a CPU, images mirrored in place of padded ones"),
    "untuned_pipelines": ("tensorflow", "`fit` does not wait for tf.data's tuning thread"),
    "strided_convolutions": ("jax", "on a CPU, blocks of pixels as features in place of strides"),
}

_off = set()


def uses(path):
    """Whether a path is to be taken."""
    return ON and path not in _off


@contextlib.contextmanager
def without(*paths):
    """Within it, these paths are not taken: for tests, benchmarks and `model.export`.

    Programs that were compiled before stay as they are.
    """
    unknown = set(paths) - set(PATHS)
    if unknown:
        raise ValueError(f"expected some of {sorted(PATHS)}, got {sorted(unknown)}")
    added = set(paths) - _off
    _off.update(added)
    try:
        yield
    finally:
        _off.difference_update(added)
