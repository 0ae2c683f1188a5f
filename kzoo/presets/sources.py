"""Where a preset's files come from: a folder, the Hugging Face Hub, Kaggle or a web server."""

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kzoo._environment import optional
from kzoo.presets.download import download

CONFIG = "config.json"
METADATA = "metadata.json"
WEIGHTS = "model.weights.h5"
PENDING = ".new"  # a folder in that of a preset; see `kzoo.presets.storage`

_MOST_BYTES = 4 * 2**20  # of a JSON file
_MOST_DEPTH = 100  # lists and dicts within each other
_TYPES = {"parameter_count": int, "sha256": str}  # of entries of the metadata
_MOST_CHARACTERS = 300  # of what an error message quotes

HUB_NAME = r"[A-Za-z0-9][\w.-]*"


class PresetFiles:
    """The files of one preset, fetched when they are asked for.

    Args:
        location: the folder or address, as messages show it.
        fetch: `(filename, sha256 or None, most bytes) -> path` of the file on this machine.
    """

    is_remote = True

    def __init__(self, location: str, fetch: Callable[[str, str | None, int], Path]):
        self.location = location
        self._fetch = fetch

    def version(self) -> tuple | None:
        """Differs before and after files of this machine are replaced or moved; `None` for others.

        A preset that is replaced by an equal one has another version: its files are new.
        """
        return None

    def path(self, filename: str, sha256: str | None = None, most: int = _MOST_BYTES) -> Path:
        """The path of one file.

        Raises:
            FileNotFoundError: if the preset does not have the file.
            ConnectionError: if it cannot be downloaded, or has more than `most` bytes there.
        """
        path = self._fetch(filename, sha256, most)
        if not path.is_file():
            raise FileNotFoundError(
                f"{self.location} is not a complete preset: {filename} is missing. Expected "
                f"{CONFIG}, {METADATA} and {WEIGHTS}, as save_to_preset() writes them."
            )
        return path

    def read(self, filename: str) -> dict:
        """The content of one JSON file.

        Raises:
            ValueError: if it is not a JSON object.
        """
        path = self.path(filename)
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(
                f"{path} has {path.stat().st_size:,} bytes, expected at most {_MOST_BYTES:,}."
            )
        try:
            content = json.loads(path.read_bytes().decode(), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} is not valid JSON: {short(error)}") from error
        if not isinstance(content, dict):
            raise ValueError(f"{path} holds a {type(content).__name__}, expected a JSON object.")
        if depth_of(content) > _MOST_DEPTH:
            raise ValueError(f"{path} is nested more than {_MOST_DEPTH} levels deep.")
        for name, kind in _TYPES.items():
            value = content.get(name)
            if filename == METADATA and (
                not isinstance(value, kind | None) or isinstance(value, bool)
            ):
                raise ValueError(
                    f"{path}: {name} is {short(repr(value))}, expected {kind.__name__}."
                )
        return content


def short(value: object) -> str:
    """A text from an unknown source, as an error message quotes it: one short, printable line."""
    text = " ".join(str(value).split())
    text = text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}..."
    return text.encode("utf-8", "backslashreplace").decode()  # JSON may hold half characters


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def sha256_of(path: str | os.PathLike) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def depth_of(content: object) -> int:
    """How deep lists and dicts lie in each other, or a number above the limit."""
    level, depth = [content], 0
    while level and depth <= _MOST_DEPTH:
        depth += 1
        level = [
            part
            for node in level
            if isinstance(node, dict | list)
            for part in (node.values() if isinstance(node, dict) else node)
        ]
    return depth


class LocalFiles(PresetFiles):
    """The files of a preset on this machine."""

    is_remote = False

    def __init__(self, folder: str | os.PathLike):
        super().__init__(str(folder), self._find)
        self.folder = Path(folder).expanduser()

    def _find(self, filename: str, sha256: str | None = None, most: int = 0) -> Path:
        pending = self.folder / PENDING / filename
        return pending if pending.is_file() else self.folder / filename

    def version(self) -> tuple | None:
        places = tuple(self._find(name) for name in (WEIGHTS, CONFIG, METADATA))
        try:
            states = [path.stat() for path in places]
        except OSError:  # incomplete, or moved just now
            return places
        return places, *((state.st_ino, state.st_mtime_ns) for state in states)


class ShippedFiles(LocalFiles):
    """The files of a preset that comes with kzoo; large weights may have to be downloaded.

    A wheel holds small weights only. The others come from where the environment variable
    `KZOO_WEIGHTS` says: the https address or the path of a copy of the repository's `weights/`.

    Args:
        folder: of the preset, `.../family/name`.
    """

    def _find(self, filename: str, sha256: str | None = None, most: int = 0) -> Path:
        path = super()._find(filename)
        if filename != WEIGHTS or path.is_file() or not most:
            return path
        handle = f"{self.folder.parent.name}/{self.folder.name}"
        base = os.environ.get("KZOO_WEIGHTS")
        if not base:
            raise FileNotFoundError(
                f"The weights of {handle} are not in this installation, which holds small "
                "ones only. Install kzoo from a checkout of the repository with pip install -e . "
                "or set the environment variable KZOO_WEIGHTS to the folder weights/ of a "
                "checkout, or to its https:// address."
            )
        if "://" not in base:
            return LocalFiles(Path(base).expanduser() / handle).path(filename)
        sha256 = sha256 or self.read(METADATA).get("sha256")
        files = remote_files(f"{base.rstrip('/')}/{handle}")
        return files.path(filename, sha256, most)


def remote_files(address: str) -> PresetFiles:
    """The preset behind `hf://owner/name`, `kaggle://owner/model/framework/variation`, `https://…`.

    Raises:
        ValueError: for another scheme or a malformed address.
        ImportError: if the package that the scheme needs is not installed.
    """
    scheme, _, name = address.partition("://")
    if scheme == "hf" and re.fullmatch(f"{HUB_NAME}/{HUB_NAME}", name):
        fetch = _hugging_face(name)
    elif scheme == "kaggle" and re.fullmatch(rf"{HUB_NAME}(/{HUB_NAME}){{3}}", name):
        fetch = _kaggle(name)
    elif scheme == "https" and _is_folder_address(address):
        fetch = _web(address.rstrip("/"))
    else:
        raise ValueError(
            f"Cannot read the preset address {short(address)!r}: expected hf://owner/name, "
            "kaggle://owner/model/framework/variation, or the https:// address of a folder "
            "without a query."
        )

    def checked(filename: str, sha256: str | None, most: int) -> Path:
        try:
            return Path(fetch(filename, sha256, most))
        except Exception as error:  # each client has its own errors
            raise ConnectionError(
                f"Could not get {filename} from {short(address)}: {short(error)}. Check the "
                "address and the connection; a preset in a local folder needs neither."
            ) from error

    return PresetFiles(address, checked)


def _is_folder_address(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.hostname) and not (parts.query or parts.fragment or ".." in parts.path)


def hub_client() -> Any:
    """The package huggingface_hub; `ImportError` if it is not installed."""
    return optional("huggingface_hub", "hf:// presets need")


def _hugging_face(name):
    client = hub_client()
    return lambda filename, sha256, most: client.hf_hub_download(name, filename)


def _kaggle(name):
    client = optional("kagglehub", "kaggle:// presets need")
    return lambda filename, sha256, most: client.model_download(name, path=filename)


def _web(address):
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    home = os.environ.get("KERAS_HOME", "~/.keras")  # where Keras keeps downloads
    folder = Path(home).expanduser() / "kzoo" / name

    def fetch(filename, sha256, most):
        target = folder / filename
        if sha256 is not None and target.is_file() and sha256_of(target) == sha256:
            return target
        folder.mkdir(parents=True, exist_ok=True)
        try:
            part = None
            if sha256 is not None and re.fullmatch("[0-9a-f]{64}", sha256):
                part = folder / f".{filename}-{sha256[:16]}"  # of this version of the file
            download(f"{address}/{filename}", target, most, part)
        except Exception:
            # The small files say which weights are current, so they are fetched each time. Where
            # that fails, the last ones serve.
            if sha256 is not None or not target.is_file():
                raise
        return target

    return fetch
