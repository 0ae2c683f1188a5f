"""What the arguments of a CFGGAN may be."""

import keras
from keras import ops

from kzoo.models.data import check_positive

ALGORITHMS = ("xicfg", "icfg", "cfg")

# s(D(x)) of a step: 1, or the weight of grad D(x) in the gradient of a GAN's generator loss.
SCALINGS = {
    "constant": ops.ones_like,
    "minimax": ops.sigmoid,
    "non_saturating": lambda logits: ops.sigmoid(-logits),
}


def check_step_size(step_size, num_steps):
    """A float, or a list of T floats; `ValueError` unless all are positive."""
    if not isinstance(step_size, list | tuple):
        return check_positive("step_size", step_size)
    if len(step_size) != num_steps:
        raise ValueError(
            f"step_size must be one number or num_steps={num_steps} of them, got "
            f"{len(step_size)}: {step_size!r}."
        )
    return [check_positive("step_size", value) for value in step_size]


def check_scaling(scaling):
    """A name in `SCALINGS`, or a function (also from its config)."""
    if isinstance(scaling, dict):
        scaling = keras.saving.deserialize_keras_object(scaling)
    if not callable(scaling) and scaling not in SCALINGS:
        raise ValueError(
            f"scaling must be a function or one of {sorted(SCALINGS)}, got {scaling!r}."
        )
    return scaling
