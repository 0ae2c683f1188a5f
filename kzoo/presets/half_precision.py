"""Weights stored as float16."""

import os
from pathlib import Path

import h5py
import numpy as np


def halve(path: str | os.PathLike) -> None:
    """Stores the float32 weights of a weights file as float16; loading gives float32 again.

    Single numbers stay as they are: some of them count updates. The relative error is at most
    2**-11, the absolute one of numbers below 6e-5 at most 3e-8.

    Raises:
        ValueError: if a weight is beyond the range of float16, +-65504.
    """
    path = Path(path)
    halved = path.with_name(f".{path.name}")

    def store(name, item):
        if not isinstance(item, h5py.Dataset):
            target.require_group(name).attrs.update(item.attrs)
            return
        values = item[()]
        if values.dtype == np.float32 and values.ndim:
            with np.errstate(over="ignore"):
                smaller = values.astype(np.float16)
            if not np.array_equal(np.isfinite(smaller), np.isfinite(values)):
                raise ValueError(
                    f"half_precision: {name} holds {values.flat[np.abs(values).argmax()]:.6g}, "
                    "beyond the range of float16, +-65504."
                )
            values = smaller
        target.create_dataset(name, data=values).attrs.update(item.attrs)

    with h5py.File(path) as source, h5py.File(halved, "w") as target:
        target.attrs.update(source.attrs)
        source.visititems(store)
    halved.replace(path)
