"""A preset's folder on disk: written as a whole or not at all.

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

import keras

from kzoo.paths import written_whole
from kzoo.presets.sources import CONFIG, METADATA, PENDING, WEIGHTS, sha256_of
from kzoo.presets.weights_file import check_finite, pack


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
    with written_whole(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


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
            pack(scratch / WEIGHTS)
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
        pass
    return True


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
