"""The model card of a preset: what it is, how it was made, what was measured."""

import math
import os
from collections.abc import Sequence

from kzoo.checks import as_number
from kzoo.presets.sources import CONFIG, METADATA, WEIGHTS, LocalFiles
from kzoo.presets.storage import finish, write_json

_SHOWN_CLASSES = 20  # with more classes, those without images are counted only


def write_model_card(
    folder: str | os.PathLike,
    *,
    title: str,
    description: str,
    command: str,
    data: str,
    scores: Sequence[tuple[str, float, str, str, str]],
    notes: str = "",
    sheet: str | None = "samples.png",
    pictures: Sequence[tuple[str, str]] = (),
    class_histogram: Sequence[int] | None = None,
) -> None:
    """Writes a preset's model card, `README.md`, and adds its facts to `metadata.json`.

    The text depends on the arguments and the preset only.

    Args:
        folder: a preset's folder, as `save_to_preset` writes it.
        title: the card's heading.
        description: what the model is: paper, architecture, deviations.
        command: the command that trains it.
        data: the data set, its split, and what was done to it.
        scores: for each score `(name, value, unit, protocol, command)`; `unit` may be empty,
            `command` is the one that prints the score.
        notes: limitations, training time, hardware.
        sheet: file name in `folder` of the image of samples that the card shows; `None` for none.
        pictures: further pictures, `(caption, file name)` each.
        class_histogram: how many of the samples were classified as each class; `None` if they were
            not.

    Raises:
        FileNotFoundError: if `folder` holds no preset, or a picture is not in it.
        ValueError: if a score does not have five entries, or its value is not a number.
    """
    files = LocalFiles(folder)
    finish(files.folder)
    metadata = files.read(METADATA)
    config = files.read(CONFIG)
    shown = [] if sheet is None else [("", sheet)]
    shown += pictures
    for _, name in shown:
        files.path(name)
    metadata.update(
        description=description,
        data=data,
        command=command,
        scores=[_score(score) for score in scores],
    )
    metadata.pop("class_histogram", None)
    if class_histogram is not None:
        metadata["class_histogram"] = [int(n) for n in class_histogram]
    write_json(files.path(METADATA), metadata)
    card = _card(title, config["class_name"], metadata, notes, shown)
    (files.folder / "README.md").write_text(card, encoding="utf-8")


def _score(score):
    value = as_number(score[1]) if len(score) == 5 else math.nan
    if math.isnan(value):
        raise ValueError(
            f"Received the score {score!r}, expected (name, value, unit, protocol, command)."
        )
    entry = dict(zip(("name", "value", "unit", "protocol", "command"), score))
    return entry | {"value": value}


def _card(title, class_name, metadata, notes, shown):
    parts = [f"# {title}", metadata["description"]]
    for caption, name in shown:
        alt = name.partition(".")[0].replace("_", " ").capitalize()
        parts += [part for part in (caption, f"![{alt}]({name})") if part]
    parts += ["## Data", metadata["data"]]
    parts += ["## Training", f"```\n{metadata['command']}\n```"]
    if metadata["scores"]:
        parts += ["## Scores", _table(metadata["scores"])]
        if "class_histogram" in metadata:
            parts.append(f"Samples per class: {per_class(metadata['class_histogram'])}.")
    if notes:
        parts += ["## Notes", notes]
    facts = {
        "Class": f"`kzoo.{class_name}`",
        "Parameters": f"{metadata['parameter_count']:,}",
        **({"Weights stored as": metadata["stored_as"]} if "stored_as" in metadata else {}),
        "Keras": metadata["keras_version"],
        "kzoo": metadata["kzoo_version"],
        f"SHA-256 of {WEIGHTS}": f"`{metadata['sha256']}`",
    }
    parts += ["## Files", "\n".join(f"- {name}: {value}" for name, value in facts.items())]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def per_class(counts: Sequence[int]) -> str:
    """How many images are of each class, as a text; of many classes, those that have images."""
    shown = {k: n for k, n in enumerate(counts) if n or len(counts) <= _SHOWN_CLASSES}
    text = ", ".join(f"{k}: {n:,}" for k, n in shown.items())
    rest = len(counts) - len(shown)
    return f"{text}; {rest} other classes: 0" if rest else text


def _table(scores):
    rows = [("Score", "Value", "Protocol", "Printed by")]
    for score in scores:
        value = f"{score['value']:.5g} {score['unit']}".strip()
        rows.append((score["name"], value, score["protocol"], f"`{score['command']}`"))
    return table(rows)


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """A table in Markdown; the first row is the heading."""
    rows = [rows[0], ("---",) * len(rows[0]), *rows[1:]]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
        for row in rows
    )
