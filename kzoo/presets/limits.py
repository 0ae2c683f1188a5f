"""Limits on the size of a preset: a file from an unknown source must not fill the memory.

`metadata.json` lists the number of parameters. The size of the weights file must fit this number,
and a model that is built from `config.json` may have at most twice as many parameters. This is
checked before each weight is made, so a layer of a billion units takes no memory.
"""

import contextlib
import functools
import math
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import keras

MOST_PARAMETERS = 2**29  # 2 GiB of float32
MOST_OBJECTS = 10_000  # classes and functions that a config names
MOST_LAYERS = 1_000  # of a model; the largest shipped one has 164
LARGEST_NUMBER = 2**24  # whole numbers of a config, but for seeds

_BYTES_PER_PARAMETER = (2, 8)  # float16 to float64
_MOST_PACKED = 1032  # times smaller: the limit of zlib (zlib.net, "zlib technical details")
_BYTES_OF_NAMES = 2**24  # of an HDF5 file, beside the numbers

_left: ContextVar[list | None] = ContextVar("parameters and layers left", default=None)


@contextlib.contextmanager
def at_most(parameters: int) -> Iterator[None]:
    """Within this context, a model that the thread builds may have about so many parameters.

    Twice as many are allowed, because some networks are built with a head that is removed later. At
    most `MOST_LAYERS` layers are allowed.

    Raises:
        ValueError: from the layer that exceeds a limit, before its weight is made.
    """
    token = _left.set([2 * parameters, MOST_LAYERS])
    try:
        yield
    finally:
        _left.reset(token)


def _counted_weights(add_weight: Any) -> Any:
    @functools.wraps(add_weight)
    def counted(self, shape=None, *args, **kwargs):
        left = _left.get()
        if left is not None:
            sizes = (shape,) if isinstance(shape, int) else tuple(shape or ())
            left[0] -= math.prod(sizes)
            if left[0] < 0:
                raise ValueError(
                    f"a weight of shape {sizes} of the layer {self.name!r} makes more than twice "
                    "as many parameters as the preset lists"
                )
        return add_weight(self, shape, *args, **kwargs)

    return counted


def _counted_layers(init: Any) -> Any:
    @functools.wraps(init)
    def counted(self, **kwargs):
        left = _left.get()
        if left is not None:
            left[1] -= 1
            if left[1] < 0:
                raise ValueError(f"the model has more than {MOST_LAYERS:,} layers")
        init(self, **kwargs)

    return counted


# Keras has no hook for what is made. Outside of `at_most` these are Keras's own methods.
keras.Layer.add_weight = _counted_weights(keras.Layer.add_weight)
keras.Layer.__init__ = _counted_layers(keras.Layer.__init__)


def check_listed(parameters: Any, where: str) -> int:
    """The number of parameters that a preset lists.

    Raises:
        ValueError: unless it is an int in 0..`MOST_PARAMETERS`.
    """
    if not isinstance(parameters, int) or not 0 <= parameters <= MOST_PARAMETERS:
        raise ValueError(
            f"{where}: parameter_count is {parameters!r}, expected an int of at most "
            f"{MOST_PARAMETERS:,}."
        )
    return parameters


def most_bytes(parameters: int) -> int:
    """The largest size of a weights file with so many parameters."""
    return _BYTES_PER_PARAMETER[1] * parameters + _BYTES_OF_NAMES


def check_size(size: int, parameters: int, where: str) -> None:
    """Checks the size of a weights file, in bytes, against the number of parameters.

    Raises:
        ValueError: if the size does not fit the number.
    """
    least = _BYTES_PER_PARAMETER[0] * parameters // _MOST_PACKED
    most = most_bytes(parameters)
    if not least <= size <= most:
        raise ValueError(
            f"{where} has {size:,} bytes, expected {least:,} to {most:,} for the {parameters:,} "
            "parameters that the preset lists."
        )
