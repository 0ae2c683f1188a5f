"""Types of arguments: they say what is wrong before any work is done, and import no Keras."""

import argparse
import functools
import math
import pathlib

from kzoo.paths import check_writable

MAX_SEED = 2**31 - 1  # as `kzoo.checks` has it, which imports Keras


def _integer(text, lowest, highest=math.inf):
    try:
        value = int(text)
    except ValueError:
        value = lowest - 1
    if not lowest <= value <= highest:
        which = f">= {lowest}" if highest == math.inf else f"in {lowest}..{highest}"
        raise argparse.ArgumentTypeError(f"expected an integer {which}, got {text!r}")
    return value


positive = functools.partial(_integer, lowest=1)
natural = functools.partial(_integer, lowest=0)
seed = functools.partial(_integer, lowest=0, highest=MAX_SEED)
port = functools.partial(_integer, lowest=0, highest=2**16 - 1)


def _number(text, below, expected):
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < below:
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")
    return value


positive_number = functools.partial(_number, below=math.inf, expected="a positive number")
fraction = functools.partial(_number, below=1, expected="a number between 0 and 1")


def image_size(text):
    """`64` or `48x64` as (height, width)."""
    sides = text.split("x")
    if len(sides) > 2:
        raise argparse.ArgumentTypeError(f"expected N or HEIGHTxWIDTH, got {text!r}")
    return positive(sides[0]), positive(sides[-1])


def file_name(suffix):
    """Argument type: the path of a file with this suffix, checked before any work is done."""

    def check(text):
        path = pathlib.Path(text).expanduser()
        if path.suffix.lower() != suffix or path.is_dir():
            raise argparse.ArgumentTypeError(f"expected the name of a {suffix} file, got {text!r}")
        _check_writable(path.parent)
        return path

    return check


def folder_name(text):
    """Argument type: the path of a folder to write into, which is there or can be made."""
    path = pathlib.Path(text).expanduser()
    _check_writable(path)
    return path


def check_folder(option, folder):
    """`ValueError` unless a folder is there, or can be made, and files can be written into it."""
    try:
        check_writable(folder)
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from error


def _check_writable(folder):
    try:
        check_writable(folder)
    except ValueError as error:
        raise argparse.ArgumentTypeError(error) from error
