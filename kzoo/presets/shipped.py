"""The presets that come with kzoo: `weights/<family>/<name>` of the repository or the wheel.

Listing them imports neither Keras nor a backend, because that would cost `kzoo list` seconds.
"""

import difflib
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from kzoo.presets.sources import (
    CONFIG,
    METADATA,
    LocalFiles,
    PresetFiles,
    ShippedFiles,
    remote_files,
    short,
)

_PACKAGE = Path(__file__).resolve().parent
#: Presets that once had another name, which still finds them.
_RENAMED = {"cfggan/mnist_xicfg": "cfggan/mnist"}
_NAMED = 8  # presets, at most, in the message of an error


class Shipped(NamedTuple):
    """One shipped preset; `handle` names it among all families."""

    family: str  # the class's name in lower case
    name: str
    folder: Path

    @property
    def handle(self) -> str:
        return f"{self.family}/{self.name}"

    def is_a(self, model_class: type) -> bool:
        from kzoo.presets.safety import object_class

        found = object_class(LocalFiles(self.folder).read(CONFIG))
        return found is not None and issubclass(found, model_class)


def folders() -> list[Path]:
    """Where shipped presets lie: in the installed package, then in the checkout around it."""
    checkout = _PACKAGE.parent.parent
    found = [_PACKAGE / "weights"]
    if (checkout / "pyproject.toml").is_file():
        found.append(checkout / "weights")
    return found


def shipped_presets(model_class: type | None = None) -> list[Shipped]:
    """The complete shipped presets, of a class and its subclasses if one is given."""
    found: dict[str, Shipped] = {}
    for root in folders():
        for config in sorted(root.glob(f"*/*/{CONFIG}")):
            preset = Shipped(config.parent.parent.name, config.parent.name, config.parent)
            found.setdefault(preset.handle, preset)
    presets = [found[handle] for handle in sorted(found)]
    return [p for p in presets if model_class is None or p.is_a(model_class)]


def find_shipped(name: str, model_class: type) -> Path | None:
    """The folder of a shipped preset, by its name within the class or as `family/name`.

    Returns:
        The folder, or `None` where no shipped preset has this name.

    Raises:
        ValueError: if several classes under `model_class` have a preset of this name, or only
            other classes have.
    """
    if not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)?", name):
        return None
    name = renamed(name)
    named = [p for p in shipped_presets() if name in (p.name, p.handle)]
    fitting = [p for p in named if p.is_a(model_class)]
    # A full handle stands for itself: `from_preset` says that it is of another class.
    candidates = named if "/" in name else fitting
    if len(candidates) == 1:
        return candidates[0].folder
    if candidates:
        handles = ", ".join(repr(p.handle) for p in candidates)
        raise ValueError(
            f"Several presets are called {name!r}: use one of {handles}, or the class's own "
            "from_preset()."
        )
    if named and not Path(name).exists():
        handles = ", ".join(repr(p.handle) for p in named)
        raise ValueError(
            f"{model_class.__name__} has no preset {name!r}; it is a preset of other classes: "
            f"{handles}. {choices(name, model_class)}"
        )
    return None


def files_of(preset: str | os.PathLike, model_class: type) -> PresetFiles:
    """The files of a preset, by its name, folder or address.

    Raises:
        ValueError: if there is none.
    """
    if not isinstance(preset, str | os.PathLike):
        raise ValueError(f"Received preset={preset!r}, expected a name, a folder or an address.")
    if isinstance(preset, str):
        if "://" in preset:
            return remote_files(preset)
        shipped = find_shipped(preset, model_class)
        if shipped is not None:
            return ShippedFiles(shipped)
    try:
        folder = Path(preset).expanduser()
        if folder.is_dir():
            return LocalFiles(folder)
        exists = folder.exists()
    except (OSError, RuntimeError, ValueError) as error:  # no name that a file could have
        why = getattr(error, "strerror", None) or error  # without the name, once more
        raise ValueError(
            f"{short(os.fspath(preset))!r} is not the name of a preset or a folder: {short(why)}."
        ) from error
    kind = "neither a folder nor a preset that comes with kzoo"
    if exists:
        kind = "a file, expected the folder or the name of a preset"
    raise ValueError(f"{os.fspath(preset)!r} is {kind}. {choices(str(preset), model_class)}")


def renamed(name: str) -> str:
    """The new handle of a preset that was renamed; any other name unchanged."""
    for old, new in _RENAMED.items():
        if name in (old, old.partition("/")[2]):
            return new
    return name


def choices(name: str, model_class: type) -> str:
    """The names that could be meant by a name that does not exist."""
    presets = shipped_presets(model_class)
    names = [p.handle for p in presets] + [p.name for p in presets]
    if not names:
        return f"No preset of {model_class.__name__} is shipped."
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    if len(presets) > _NAMED:
        return f"{hint}`kzoo list` and kzoo.list_presets() name the {len(presets)} shipped presets."
    shipped = ", ".join(repr(p.handle) for p in presets)
    return f"{hint}Shipped presets: {shipped}."


def record_of(preset: Shipped) -> dict[str, Any]:
    """What `list_presets` tells of one preset."""
    files = LocalFiles(preset.folder)
    config, metadata = files.read(CONFIG), files.read(METADATA)
    return {
        "preset": preset.handle,
        "class": config["class_name"],
        "name": preset.name,
        "parameters": metadata["parameter_count"],
        "image_shape": config["config"].get("image_shape"),
        "description": metadata.get("description", ""),
        "data": metadata.get("data", ""),
        "scores": metadata.get("scores", []),
    }


def list_presets() -> list[dict[str, Any]]:
    """Every preset that comes with kzoo, and what was measured of it.

    Returns:
        A list of dicts, ordered by `"preset"`: `"preset"` (`"vae/mnist"`, which every
        `from_preset` takes), `"class"` (`"VAE"`), `"name"` (`"mnist"`, which the class's own
        `from_preset` takes), `"parameters"` (a number), `"image_shape"` (a list, or `None` where
        the config does not say it), `"description"`, `"data"`, and `"scores"`, a list of dicts with
        `"name"`, `"value"`, `"unit"`, `"protocol"` and `"command"`.
    """
    return [record_of(preset) for preset in shipped_presets()]
