"""A preset's folder on disk: written as a whole or not at all, and checked when it is read.

A preset is three files, and no file system replaces three files in one step. So the new files are
first written beside the folder. Then one renaming moves all of them into the folder's `PENDING`:
this is the moment at which the new preset replaces the old one. A reader takes a file from
`PENDING` where it lies there. At last the files move to their places; if that is interrupted, the
next writer finishes it.
"""

import contextlib
import errno
import json
import os
import re
import shutil
import threading
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras import ops

from kzoo.presets.half_precision import halve
from kzoo.presets.limits import check_size, most_bytes
from kzoo.presets.sources import (
    CONFIG,
    METADATA,
    PENDING,
    WEIGHTS,
    PresetFiles,
    sha256_of,
    short,
)


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


def check_finite(model: keras.Model) -> None:
    """Checks that no weight is NaN or infinite.

    Raises:
        ValueError: naming the first weight that is.
    """
    for variable in model.weights:
        if not np.all(np.isfinite(ops.convert_to_numpy(ops.cast(variable.value, "float32")))):
            raise ValueError(
                f"The weight {variable.path!r} of {model.name!r} holds values that are not finite "
                "numbers: the training diverged. Such a model is not saved as a preset."
            )


def write_preset(
    folder: Path, model: keras.Model, config: dict, metadata: dict, half_precision: bool = False
) -> None:
    """Writes a preset, or replaces the one in the folder; other files in it are kept.

    Whenever the process is stopped, the folder holds the whole old preset or the whole new one.

    Raises:
        ValueError: if a weight is not a finite number, or beyond the range of float16.
    """
    check_finite(model)
    folder.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    scratch = folder.with_name(f".{folder.name}-{os.getpid()}-{threading.get_ident()}")
    scratch.mkdir()
    try:
        model.save_weights(scratch / WEIGHTS)
        if half_precision:
            halve(scratch / WEIGHTS)
        write_json(scratch / CONFIG, config)
        write_json(scratch / METADATA, {**metadata, "sha256": sha256_of(scratch / WEIGHTS)})
        for filename in (WEIGHTS, CONFIG, METADATA):
            flush(scratch / filename)
        put(scratch, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def flush(path: Path) -> None:
    """Waits until a file is on the disk and not only in memory."""
    with open(path, "r+b") as file:
        os.fsync(file.fileno())


def put(scratch: Path, folder: Path) -> None:
    """Moves a finished preset from `scratch` to its place."""
    while True:
        try:
            scratch.rename(folder if not folder.exists() else folder / PENDING)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            finish(folder)  # another writer was faster, or was stopped after its renaming
        else:
            break
    finish(folder)


def finish(folder: Path) -> None:
    """Moves pending files to their places; several processes may do so at once."""
    pending = folder / PENDING
    for filename in (WEIGHTS, CONFIG, METADATA):
        with contextlib.suppress(FileNotFoundError):
            (pending / filename).replace(folder / filename)
    with contextlib.suppress(OSError):  # gone, or new files of another writer are in it
        pending.rmdir()


def remove_leftovers(folder: Path) -> None:
    """Removes what writers of this folder left beside it that were killed."""
    for path in folder.parent.glob(f".{folder.name}-*"):
        writer = re.fullmatch(re.escape(f".{folder.name}-") + r"(\d+)-\d+", path.name)
        if writer and not is_running(int(writer[1])):
            shutil.rmtree(path, ignore_errors=True)


def is_running(pid: int) -> bool:
    """Whether there may be a process of that number on this machine."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it belongs to somebody else
        return True
    return True


def find_weights(files: PresetFiles, metadata: dict, parameters: int, sha256: str | None) -> Path:
    """The weights file of a preset, with the right hash and size.

    Args:
        files: the preset.
        metadata: what `metadata.json` holds.
        parameters: how many it lists.
        sha256: the hash that the caller expects, or `None` for that of the metadata.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it is damaged, of another size than so many parameters have, or comes from
            elsewhere without a hash.
    """
    listed = metadata.get("sha256")
    expected = sha256 or listed
    if expected is None and files.is_remote:
        raise ValueError(
            f"{METADATA} of {files.location} has no sha256 of the weights. Pass the hash that you "
            "trust as sha256=..., or get the preset as a local folder."
        )
    path = files.path(WEIGHTS, expected, most_bytes(parameters))
    check_size(path.stat().st_size, parameters, str(path))
    if expected is not None and sha256_of(path) != expected:
        raise ValueError(
            f"{path} is damaged or belongs to another preset: its SHA-256 is {sha256_of(path)}, "
            f"{METADATA if sha256 is None else 'the caller'} says {short(expected)}. Get the "
            "preset again."
        )
    return path


def load_weights(model: keras.Model, path: Path, parameters: int) -> None:
    """Loads a preset's weights, all of them and nothing else.

    Raises:
        ValueError: if the file is damaged or holds other weights than the model has.
    """
    if parameters != model.count_params():
        raise ValueError(
            f"{path} holds {parameters:,} parameters, and the model has "
            f"{model.count_params():,}. {_ADVICE}"
        )
    floats = [v for v in model.weights if keras.backend.is_float_dtype(v.dtype)]
    check_arrays(path, len(model.weights) - len(floats))
    # Keras does not report all weights that the file lacks: marked weights show which.
    for variable in floats:
        variable.assign(ops.full(variable.shape, float("nan"), dtype=variable.dtype))
    try:
        model.load_weights(path)
    except Exception as error:  # each backend has its own errors
        raise ValueError(f"{path} does not fit the model: {short(error)} {_ADVICE}") from error
    unset = [v.path for v in floats if not bool(ops.all(ops.isfinite(v.value)))]
    if unset:
        raise ValueError(
            f"{path} lacks {len(unset)} weights of the model or holds NaN or infinity for them, "
            f"the first being {short(unset[0])!r}. {_ADVICE}"
        )


def check_arrays(path: Path, integers: int) -> None:
    """Checks that a weights file holds only arrays of floats, and some integers.

    An array must lie in the file itself, in its whole length, at one place: HDF5 can also point to
    other files, to groups that contain themselves, and to a few bytes that grow to gigabytes when
    they are read.

    Raises:
        ValueError: naming the first entry that is something else.
    """
    found, seen = 0, set()

    def is_inside(link, item):
        if not isinstance(link, h5py.HardLink) or item in seen:
            return False
        seen.add(item)  # h5py compares by the place in the file
        if isinstance(item, h5py.Group):
            return True
        return (
            isinstance(item, h5py.Dataset)
            and not item.external
            and not item.is_virtual
            and item.id.get_storage_size() >= item.nbytes
        )

    def check(group):
        nonlocal found
        for name in group:
            link = group.get(name, getlink=True)
            item: Any = group[name] if isinstance(link, h5py.HardLink) else None
            where = short(f"{group.name.rstrip('/')}/{name}"[1:])
            if not is_inside(link, item):
                raise ValueError(f"{path} holds {where!r}, no array of this file. {_ADVICE}")
            if isinstance(item, h5py.Group):
                check(item)
                continue
            found += item.dtype.kind in "iu"
            if item.dtype.kind not in "fViu" or found > integers:  # bfloat16 is of kind "V"
                raise ValueError(
                    f"{path} holds the array {where!r} of type {short(item.dtype)}, expected "
                    f"weights of type float32 or float16. {_ADVICE}"
                )

    try:
        with h5py.File(path) as file:
            check(file)
    except (OSError, RuntimeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} does not fit the model: {short(error)} {_ADVICE}") from error


_ADVICE = (
    "Get the preset again; if arguments of from_preset() change the architecture, "
    "pass load_weights=False."
)


def without_training(config: Any) -> Any:
    """A config without what compiles the model, or models within it."""
    if isinstance(config, dict):
        return {k: without_training(v) for k, v in config.items() if k != "compile_config"}
    if isinstance(config, list):
        return [without_training(part) for part in config]
    return config


def serialized(model: Any) -> dict:
    """A model's config as JSON holds it, without what belongs to its training."""
    config = keras.saving.serialize_keras_object(model)
    try:
        return without_training(json.loads(json.dumps(config)))
    except TypeError as error:
        raise ValueError(f"The config of {model.name!r} does not fit into JSON: {error}") from error
