"""Curves of a training."""

import csv
import math
import os
import pathlib

import keras
from matplotlib.figure import Figure

from kzoo.paths import check_path


def training_curves(history, path=None):
    """Draws every logged quantity over the epochs, training and validation in one plot.

    A quantity with fewer values than epochs is taken to be logged every second epoch, every third
    and so on, as with `validation_freq`.

    Args:
        history: what `fit` returned, its `history` dict, or the name of a file that
            `keras.callbacks.CSVLogger` wrote.
        path: name of an image file to write, .png, .pdf or .svg. Its folders are made.

    Returns:
        A `matplotlib.figure.Figure`, made without pyplot: it needs no display and never has to
        be closed.

    Raises:
        ValueError: if there is nothing to draw, or `history` is none of these.
        FileNotFoundError: if there is no such file.
    """
    epochs, curves = _read(history)
    if not curves or not epochs:
        raise ValueError("Expected a history with at least one epoch of numbers; got an empty one.")
    names = [
        name for name in curves if name.removeprefix("val_") not in curves or name[:4] != "val_"
    ]
    columns = min(len(names), 3)
    rows = math.ceil(len(names) / columns)
    figure = Figure(figsize=(4 * columns, 3 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for axis, name in zip(axes, names):
        axis.plot(*_points(epochs, curves[name]), label="training")
        if f"val_{name}" in curves:
            axis.plot(*_points(epochs, curves[f"val_{name}"]), label="validation")
            axis.legend()
        axis.set_title(name)
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
    for axis in axes[len(names) :]:
        axis.remove()
    if path is not None:
        path = check_path("path", path)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    return figure


def _points(epochs, values):
    """`(epochs, values)`; fewer values than epochs are those of every second, third .. epoch."""
    every = max(1, len(epochs) // max(1, len(values)))
    return epochs[every - 1 :: every][: len(values)], values


def _read(history):
    """`(epochs, {name: values})`; epochs count from 1, missing values are NaN."""
    if isinstance(history, keras.callbacks.History):
        return [epoch + 1 for epoch in history.epoch], history.history
    if isinstance(history, dict):
        return list(range(1, 1 + max(map(len, history.values()), default=0))), history
    if isinstance(history, str | os.PathLike):
        with pathlib.Path(history).open(newline="") as file:
            rows = list(csv.DictReader(file))
        names = [name for name in rows[0] if name != "epoch"] if rows else []
        try:
            epochs = [int(row["epoch"]) + 1 for row in rows]
            return epochs, {name: [_number(row[name]) for row in rows] for name in names}
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{history} is not a file of keras.callbacks.CSVLogger.") from error
    raise ValueError(
        f"Expected what fit() returned, a dict or the name of a CSV file; got {history!r}."
    )


def _number(text):
    return math.nan if text in ("", "NA") else float(text)  # CSVLogger writes NA for a lacking key
