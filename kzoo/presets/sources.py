"""Where a preset's files come from: a folder, the Hugging Face Hub, Kaggle or a web server."""

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

CONFIG = "config.json"
METADATA = "metadata.json"
WEIGHTS = "model.weights.h5"

_HUB_NAME = r"[A-Za-z0-9][\w.-]*"


class PresetFiles:
    """The files of one preset, fetched when they are asked for.

    Args:
        location: the folder or address, as messages show it.
        fetch: `(filename, sha256 or None) -> path` of the file on this machine.
    """

    def __init__(self, location: str, fetch: Callable[[str, str | None], Path]):
        self.location = location
        self._fetch = fetch

    def path(self, filename: str, sha256: str | None = None) -> Path:
        """The path of one file.

        Raises:
            FileNotFoundError: if the preset does not have the file.
            ConnectionError: if it cannot be downloaded.
        """
        path = self._fetch(filename, sha256)
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
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} is not valid JSON: {error}") from error
        if not isinstance(content, dict):
            raise ValueError(f"{path} holds a {type(content).__name__}, expected a JSON object.")
        return content


def local_files(folder: str | os.PathLike) -> PresetFiles:
    """The preset in a folder of this machine."""
    return PresetFiles(str(folder), lambda filename, sha256: Path(folder, filename))


def remote_files(address: str) -> PresetFiles:
    """The preset behind `hf://owner/name`, `kaggle://owner/model/framework/variation`, `https://…`.

    Raises:
        ValueError: for another scheme or a malformed address.
        ImportError: if the package that the scheme needs is not installed.
    """
    scheme, _, name = address.partition("://")
    if scheme == "hf" and re.fullmatch(f"{_HUB_NAME}/{_HUB_NAME}", name):
        fetch = _hugging_face(name)
    elif scheme == "kaggle" and re.fullmatch(rf"{_HUB_NAME}(/{_HUB_NAME}){{3}}", name):
        fetch = _kaggle(name)
    elif scheme == "https" and _is_folder_address(address):
        fetch = _web(address.rstrip("/"))
    else:
        raise ValueError(
            f"Cannot read the preset address {address!r}: expected hf://owner/name, "
            "kaggle://owner/model/framework/variation, or the https:// address of a folder "
            "without a query."
        )

    def checked(filename: str, sha256: str | None) -> Path:
        try:
            return Path(fetch(filename, sha256))
        except Exception as error:  # each client has its own errors
            raise ConnectionError(
                f"Could not get {filename} from {address}: {error}. Check the address and the "
                "connection; a preset in a local folder needs neither."
            ) from error

    return PresetFiles(address, checked)


def _is_folder_address(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.hostname) and not (parts.query or parts.fragment or ".." in parts.path)


def _hugging_face(name):
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError("hf:// presets need the extra `hub`: pip install 'kzoo[hub]'") from error
    return lambda filename, sha256: huggingface_hub.hf_hub_download(name, filename)


def _kaggle(name):
    try:
        import kagglehub
    except ImportError as error:
        raise ImportError(
            "kaggle:// presets need the extra `hub`: pip install 'kzoo[hub]'"
        ) from error
    return lambda filename, sha256: kagglehub.model_download(name, path=filename)


def _web(address):
    import keras

    folder = f"kzoo/{hashlib.sha256(address.encode()).hexdigest()[:16]}"

    def fetch(filename, sha256):
        origin = f"{address}/{filename}"
        if sha256 is not None:  # cached for as long as the hash stays the same
            return keras.utils.get_file(
                filename, origin, file_hash=sha256, hash_algorithm="sha256", cache_subdir=folder
            )
        # The small files say which weights are current, so they are fetched each time, under
        # another name: a failed download must not cost the copy of the last one.
        try:
            fresh = keras.utils.get_file(
                f"new-{filename}", origin, cache_subdir=folder, force_download=True
            )
        except Exception:
            return keras.utils.get_file(filename, origin, cache_subdir=folder)
        return Path(fresh).replace(Path(fresh).with_name(filename))

    return fetch
