"""A preset's folder on disk: written as a whole or not at all, and checked when it is read."""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras import ops

from kzoo.presets.sources import CONFIG, METADATA, WEIGHTS, PresetFiles


def sha256_of(path: str | os.PathLike) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: str | os.PathLike, content: dict) -> None:
    """Writes a JSON file, whole or not at all.

    Raises:
        ValueError: if JSON cannot hold the content.
    """
    path = Path(path)
    try:
        text = json.dumps(content, indent=4, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path.name} cannot hold {content!r}: {error}") from error
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(path)


def halve(path: str | os.PathLike) -> None:
    """Stores the float32 weights of a weights file as float16, which loading turns back.

    The relative error is at most 2**-11, the absolute one of numbers below 6e-5 at most 3e-8.

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
        if values.dtype == np.float32:
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


def write_preset(
    folder: Path, model: keras.Model, config: dict, metadata: dict, half_precision: bool = False
) -> None:
    """Writes a preset beside its final place, then moves it there.

    A new folder appears in one step. In a folder that exists, the three files are replaced one by
    one and other files kept. Should the machine stop in between, the weights' hash does not fit.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        new = Path(scratch, "new")
        new.mkdir()
        model.save_weights(new / WEIGHTS)
        if half_precision:
            halve(new / WEIGHTS)
        write_json(new / CONFIG, config)
        write_json(new / METADATA, {**metadata, "sha256": sha256_of(new / WEIGHTS)})
        if not folder.exists():
            new.rename(folder)
        else:
            for filename in (WEIGHTS, CONFIG, METADATA):
                (new / filename).replace(folder / filename)


def load_weights(model: keras.Model, files: PresetFiles) -> None:
    """Loads a preset's weights, all of them and nothing else.

    Raises:
        FileNotFoundError: if the weights or the metadata are missing.
        ValueError: if the file is damaged or holds other weights than the model has.
    """
    metadata = files.read(METADATA)
    expected = metadata.get("sha256")
    path = files.path(WEIGHTS, expected)
    if expected is not None and sha256_of(path) != expected:
        raise ValueError(
            f"{path} is damaged or belongs to another preset: its SHA-256 is {sha256_of(path)}, "
            f"{METADATA} says {expected}. Get the preset again."
        )
    parameters = metadata.get("parameter_count", model.count_params())
    if parameters != model.count_params():
        raise ValueError(
            f"{path} holds {parameters:,} parameters, and the model has "
            f"{model.count_params():,}. {_ADVICE}"
        )
    floats = [v for v in model.weights if keras.backend.is_float_dtype(v.dtype)]
    # Keras does not report all weights that the file lacks: marked weights show which.
    for variable in floats:
        variable.assign(ops.full(variable.shape, float("nan"), dtype=variable.dtype))
    try:
        model.load_weights(path)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{path} does not fit the model: {error} {_ADVICE}") from error
    unset = [v.path for v in floats if bool(ops.any(ops.isnan(v.value)))]
    if unset:
        raise ValueError(
            f"{path} lacks {len(unset)} weights of the model or holds NaN for them, the first "
            f"being {unset[0]!r}. {_ADVICE}"
        )


_ADVICE = (
    "Get the preset again; if arguments of from_preset() change the architecture, "
    "pass load_weights=False."
)


def serialized(model: Any) -> dict:
    """A model's config as JSON holds it, without what belongs to its training."""
    config = keras.saving.serialize_keras_object(model)
    config.pop("compile_config", None)
    try:
        return json.loads(json.dumps(config))
    except TypeError as error:
        raise ValueError(f"The config of {model.name!r} does not fit into JSON: {error}") from error
