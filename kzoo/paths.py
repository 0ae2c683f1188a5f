"""Checks of paths that a user gives, and files that are written whole. Imports no Keras."""

import contextlib
import os
import pathlib

#: What the names of the files of `model.export` end in, by their format; one is a folder.
SUFFIXES = {"onnx": ".onnx", "tf_saved_model": "", "litert": ".tflite", "torch": ".pt2"}


def check_path(name, path):
    """`path` as a `pathlib.Path`, with `~` replaced; `ValueError` unless it is one or a string."""
    if not isinstance(path, str | os.PathLike):
        raise ValueError(f"{name} must be a path, got {path!r}.")
    return pathlib.Path(path).expanduser()


def check_writable(folder):
    """`ValueError` unless a folder is there, or can be made, and files can be written into it."""
    folder = pathlib.Path(folder)
    try:
        there = next(path for path in (folder, *folder.parents) if path.exists())
    except OSError as error:  # no name that a folder could have
        raise ValueError(f"cannot write into {str(folder)!r}: {error.strerror}") from error
    if not there.is_dir():
        raise ValueError(f"{str(there)!r} is a file, expected a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ValueError(f"the folder {str(there)!r} is not writable")


@contextlib.contextmanager
def written_whole(path):
    """The path of a file beside `path` to write, which takes its place if all goes well.

    So a reader sees the old file or the new one, and no half of it.
    """
    part = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
