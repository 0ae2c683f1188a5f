import shutil
import sys
import types
from pathlib import Path

import keras
import pytest

from kzoo.presets.sources import remote_files
from tests.presets.tiny import Tiny


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A folder that `keras.utils.get_file` downloads from, with what was asked of it."""
    folder = tmp_path / "server"
    Tiny().save_to_preset(folder)
    calls = []

    def get_file(fname, origin, cache_subdir, file_hash=None, hash_algorithm="auto", **kwargs):
        target = tmp_path / "cache" / cache_subdir / fname
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not kwargs.get("force_download"):
            return str(target)
        calls.append(fname)
        base, name = origin.rsplit("/", 1)
        if base != "https://example.org/models/tiny" or not (folder / name).is_file():
            raise Exception(f"URL fetch failure on {origin}: 404 -- Not Found")
        shutil.copy(folder / name, target)
        return str(target)

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    return types.SimpleNamespace(folder=folder, calls=calls)


def test_https(server):
    assert Tiny.from_preset("https://example.org/models/tiny/").units == 2
    assert server.calls.count("model.weights.h5") == 1
    Tiny.from_preset("https://example.org/models/tiny")
    assert server.calls.count("model.weights.h5") == 1  # from the cache


def test_https_works_from_the_cache_when_the_server_is_gone(server):
    Tiny.from_preset("https://example.org/models/tiny")
    shutil.rmtree(server.folder)
    assert Tiny.from_preset("https://example.org/models/tiny").units == 2


def test_https_checks_the_hash(server):
    weights = server.folder / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ValueError, match="is damaged or belongs to another preset"):
        Tiny.from_preset("https://example.org/models/tiny")


def test_https_failure(server):
    with pytest.raises(ConnectionError, match="Could not get config.json from https://example.org"):
        Tiny.from_preset("https://example.org/models/nothing")


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/tiny",
        "ftp://example.org/tiny",
        "file:///etc",
        "https://",
        "https://example.org/tiny?version=1",
        "https://example.org/../tiny",
        "hf://tiny",
        "hf://owner/../tiny",
        "kaggle://owner/tiny",
        "://",
    ],
)
def test_malformed_address(address):
    with pytest.raises(ValueError, match="Cannot read the preset address"):
        Tiny.from_preset(address)


@pytest.mark.parametrize(
    "address, package",
    [("hf://owner/tiny", "huggingface_hub"), ("kaggle://owner/tiny/keras/mnist", "kagglehub")],
)
def test_missing_package_names_the_extra(address, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=r"pip install 'kzoo\[hub\]'"):
        Tiny.from_preset(address)


def test_hugging_face(tmp_path, monkeypatch):
    Tiny().save_to_preset(tmp_path / "owner" / "tiny")
    hub = types.ModuleType("huggingface_hub")
    hub.hf_hub_download = lambda repository, filename: str(tmp_path / repository / filename)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    assert Tiny.from_preset("hf://owner/tiny").units == 2


def test_kaggle(tmp_path, monkeypatch):
    Tiny().save_to_preset(tmp_path / "owner/tiny/keras/mnist")
    hub = types.ModuleType("kagglehub")
    hub.model_download = lambda handle, path: str(tmp_path / handle / path)
    monkeypatch.setitem(sys.modules, "kagglehub", hub)
    assert Tiny.from_preset("kaggle://owner/tiny/keras/mnist").units == 2


def test_files_are_fetched_by_their_plain_names(server):
    path = remote_files("https://example.org/models/tiny").path("config.json")
    assert Path(path).name == "config.json"
