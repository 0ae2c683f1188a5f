import json
import shutil
import sys
import types
from pathlib import Path

import pytest

from kzoo.presets import shipped
from kzoo.presets.sources import remote_files
from tests.presets.tiny import Tiny
from tests.presets.web import certificate, needs_openssl, serving


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def server(tmp_path, monkeypatch, pair):
    """A server of one preset, whose certificate this process trusts."""
    Tiny().save_to_preset(tmp_path / "server")
    monkeypatch.setenv("SSL_CERT_FILE", str(pair[0]))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    with serving(tmp_path / "server", pair) as server:
        yield server


@needs_openssl
def test_https(server):
    assert Tiny.from_preset(f"{server.address}/models/tiny/").units == 2
    assert server.calls.count("model.weights.h5") == 1
    Tiny.from_preset(f"{server.address}/models/tiny")
    assert server.calls.count("model.weights.h5") == 1  # from the cache


@needs_openssl
def test_https_works_from_the_cache_when_the_server_is_gone(server):
    Tiny.from_preset(server.address)
    shutil.rmtree(server.folder)
    assert Tiny.from_preset(server.address).units == 2


@needs_openssl
def test_https_replaces_weights_in_the_cache(server):
    Tiny.from_preset(server.address)
    Tiny(units=5).save_to_preset(server.folder)
    assert Tiny.from_preset(server.address).units == 5


@needs_openssl
def test_https_checks_the_hash(server):
    weights = server.folder / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ValueError, match="is damaged or belongs to another preset"):
        Tiny.from_preset(server.address)


@needs_openssl
def test_downloads_need_a_hash(server):
    path = server.folder / "metadata.json"
    metadata = json.loads(path.read_text())
    sha256 = metadata.pop("sha256")
    path.write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match="has no sha256 of the weights. Pass the hash"):
        Tiny.from_preset(server.address)
    assert "model.weights.h5" not in server.calls
    assert Tiny.from_preset(server.address, load_weights=False).units == 2
    assert Tiny.from_preset(server.address, sha256=sha256).units == 2
    with pytest.raises(ValueError, match="the caller says 0000"):
        Tiny.from_preset(server.address, sha256="0" * 64)
    assert Tiny.from_preset(server.folder).units == 2  # a folder of this machine needs none


@needs_openssl
def test_https_failure(server):
    with pytest.raises(ConnectionError, match="Could not get config.json from https://127.0.0.1"):
        shutil.rmtree(server.folder)
        Tiny.from_preset(server.address)


@needs_openssl
def test_redirections_lead_to_https_only(server, tmp_path):
    target = server.address + "/elsewhere/"

    def answer(handler, name):
        if "elsewhere" in handler.path:
            return True
        handler.send(b"", 302, Location=target + name)

    server.answer = answer
    assert Tiny.from_preset(server.address).units == 2
    with serving(server.folder) as plain:
        target = plain.address + "/"
        with pytest.raises(ConnectionError, match="redirects to http://.*expected https://"):
            Tiny.from_preset(f"{server.address}/other")
        assert not plain.calls


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
def test_missing_package_is_named(address, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=f"pip install {package}"):
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


@needs_openssl
def test_files_are_fetched_by_their_plain_names(server):
    path = remote_files(server.address).path("config.json")
    assert Path(path).name == "config.json"


@needs_openssl
def test_a_download_that_breaks_goes_on_where_it_was(server):
    body = (server.folder / "model.weights.h5").read_bytes()
    asked = []

    def answer(handler, name):
        if name != "model.weights.h5":
            return True
        asked.append(handler.headers.get("Range"))
        if len(asked) == 1:  # goes away in the middle
            handler.send(body[:1000], Content_Length=len(body))
            return False
        start = int(asked[-1].removeprefix("bytes=").rstrip("-"))
        where = f"bytes {start}-{len(body) - 1}/{len(body)}"
        handler.send(body[start:], 206, Content_Range=where)
        return False

    server.answer = answer
    with pytest.raises(ConnectionError, match="only 1,000 of"):
        Tiny.from_preset(server.address)
    assert Tiny.from_preset(server.address).units == 2
    assert asked == [None, "bytes=1000-"]


@needs_openssl
def test_a_server_that_sends_all_of_it_again(server):
    """Not every server knows ranges."""
    body = (server.folder / "model.weights.h5").read_bytes()
    lengths = [len(body) + 5, len(body)]  # the first answer ends too early

    def answer(handler, name):
        if name == "model.weights.h5":
            handler.send(body, Content_Length=lengths.pop(0))
        return name != "model.weights.h5"

    server.answer = answer
    with pytest.raises(ConnectionError, match="only"):
        Tiny.from_preset(server.address)
    assert Tiny.from_preset(server.address).units == 2 and not lengths


@needs_openssl
@pytest.mark.parametrize("sent", ["bytes 5-9/10", "nonsense", None])
def test_another_part_than_was_asked_for(server, sent):
    body = (server.folder / "model.weights.h5").read_bytes()
    calls = []

    def answer(handler, name):
        if name != "model.weights.h5":
            return True
        calls.append(name)
        if len(calls) == 1:
            handler.send(body[:1000], Content_Length=len(body))
        else:
            handler.send(body[7:], 206, **({} if sent is None else {"Content_Range": sent}))
        return False

    server.answer = answer
    for message in ("only 1,000 of", "another part came"):
        with pytest.raises(ConnectionError, match=message):
            Tiny.from_preset(server.address)


@pytest.fixture
def without_weights(tmp_path, monkeypatch):
    """A preset that comes with kzoo, in an installation without its weights."""
    Tiny().save_to_preset(tmp_path / "weights" / "tiny" / "large")
    (tmp_path / "weights" / "tiny" / "large" / "model.weights.h5").unlink()
    monkeypatch.setattr(shipped, "folders", lambda: [tmp_path / "weights"])


@needs_openssl
def test_weights_that_are_not_in_the_wheel(server, without_weights, monkeypatch):
    monkeypatch.setenv("KZOO_WEIGHTS", f"{server.address}/weights/")
    with pytest.raises(ValueError, match="is damaged or belongs to another preset"):
        Tiny.from_preset("large")  # the server's preset has other weights
    folder = shipped.folders()[0] / "tiny" / "large"
    shutil.copy(server.folder / "metadata.json", folder)
    assert Tiny.from_preset("large").units == 2
    assert server.calls == ["model.weights.h5"]  # it was in the cache by then
    assert Tiny.from_preset("tiny/large").units == 2 and len(server.calls) == 1


def test_weights_of_a_checkout_beside_the_wheel(without_weights, monkeypatch, tmp_path):
    folder = tmp_path / "checkout" / "tiny" / "large"
    Tiny(units=5).save_to_preset(folder)
    for name in ("config.json", "metadata.json"):
        shutil.copy(folder / name, shipped.folders()[0] / "tiny" / "large")
    monkeypatch.setenv("KZOO_WEIGHTS", str(tmp_path / "checkout"))
    assert Tiny.from_preset("large").units == 5


@pytest.mark.parametrize(
    ("address", "error", "message"),
    [
        (None, FileNotFoundError, "set the environment variable KZOO_WEIGHTS"),
        ("missing/weights", FileNotFoundError, "is not a complete preset"),
        ("http://127.0.0.1/weights", ValueError, "Cannot read the preset address"),
    ],
)
def test_nowhere_to_get_weights_from(without_weights, monkeypatch, address, error, message):
    monkeypatch.delenv("KZOO_WEIGHTS", raising=False)
    if address is not None:
        monkeypatch.setenv("KZOO_WEIGHTS", address)
    with pytest.raises(error, match=message):
        Tiny.from_preset("large")
