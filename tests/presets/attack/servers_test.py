"""Web servers that misbehave: every one ends in one clear line, soon, and leaves nothing behind."""

import json
import os
import socket

import numpy as np
import pytest

from kzoo.presets import download
from tests.presets.safety_test import REFUSED
from tests.presets.tiny import Tiny
from tests.presets.web import certificate, needs_openssl, serving

pytestmark = needs_openssl
FILES = ("config.json", "metadata.json", "model.weights.h5")
WEIGHTS = FILES[-1]


class Place:
    """A preset, an https server of it and an http one."""

    def __init__(self, folder, pair, server, plain):
        self.folder, self.pair, self.server, self.plain = folder, pair, server, plain
        server.plain = plain


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("preset")
    Tiny().save_to_preset(folder)
    pair = certificate(tmp_path_factory.mktemp("certificate"))
    with serving(folder, pair) as server, serving(folder) as plain:
        yield Place(folder, pair, server, plain)


def only(target):
    """An attack on one file; the server gives the others as they are."""

    def decorate(attack):
        def answer(handler, name):
            return name != target or attack(handler, name)

        return answer

    return decorate


def sends(body, status=200, name="config.json", **headers):
    return only(name)(lambda handler, _: handler.send(body, status, **headers))


def redirects(to, status=302):
    def answer(handler, name):
        place = to.format(name=name, plain=handler.server.plain.address)
        handler.send(b"", status, Location=place)

    return answer


def changed(name, **entries):
    """A JSON file with other entries; `None` removes one."""

    def attack(handler, _):
        content = json.loads((handler.server.folder / name).read_text())
        content = {k: v for k, v in {**content, **entries}.items() if v is not None}
        handler.send(json.dumps(content).encode())

    return only(name)(attack)


def drips(handler, first, part):
    """Sends a byte now and then, for ever."""
    handler.wfile.write(first)
    while not handler.server.stopped.wait(0.02):
        handler.wfile.write(part)
        handler.wfile.flush()


def floods(handler, name):
    """A body that never ends and says no length."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.stopped.is_set():
        handler.wfile.write(b" " * 2**16)


def silent(handler, name):
    handler.server.stopped.wait(60)


def raw(answer):
    return lambda handler, name: handler.wfile.write(answer)


def truncated(handler, name):
    handler.send(b'{"class_name": ', Content_Length=10_000)


def other_weights(handler, name):
    body = bytearray((handler.server.folder / name).read_bytes())
    body[-1] ^= 1
    handler.send(bytes(body))


HEADER = b"HTTP/1.1 200 OK\r\n"
SERVERS = {
    "knows nothing": lambda handler, name: handler.send(b"", 404),
    "is broken": lambda handler, name: handler.send(b"oops", 500),
    "asks for a password": lambda handler, name: handler.send(b"", 401, WWW_Authenticate="Basic"),
    "has moved to http": redirects("{plain}/{name}"),
    "has moved to http for good": redirects("{plain}/{name}", 308),
    "has moved to a file": redirects("file:///etc/passwd"),
    "has moved to ftp": redirects("ftp://127.0.0.1/{name}"),
    "has moved to data": redirects("data:application/json,{{}}"),
    "has moved to itself": redirects("/{name}"),
    "has moved to nowhere": redirects("https://127.0.0.1:1/{name}"),
    "has moved without an address": lambda handler, name: handler.send(b"", 302),
    "sends a page": sends(b"<!doctype html><title>Please log in</title>"),
    "sends nothing": sends(b""),
    "sends no content": sends(b"", 204),
    "sends a part": only("config.json")(truncated),
    "sends a list": sends(b"[1, 2, 3]"),
    "sends lists in lists": sends(b"[" * 100_000),
    "sends compressed text": sends(b"\x1f\x8b\x08\x00", Content_Encoding="gzip"),
    "sends another encoding": sends('{"a": "ä"}'.encode("utf-16")),
    "says a huge length": sends(b"{}", Content_Length=10**15),
    "says a length below 0": sends(b"{}", Content_Length=-5),
    "says a length that is no number": sends(b"{", Content_Length="many"),
    "never ends": floods,
    "never ends weights": only(WEIGHTS)(floods),
    "never begins": silent,
    "sends a byte now and then": lambda h, name: drips(h, HEADER + b"\r\n", b" "),
    "sends a header now and then": lambda h, name: drips(h, HEADER, b"a"),
    "goes away": lambda handler, name: None,
    "speaks something else": raw(b"220 ready\r\n" * 3),
    "sends endless headers": raw(HEADER + b"A: b\r\n" * 10_000),
    "sends a long header": raw(HEADER + b"A: " + b"b" * 10**6),
    "sends broken chunks": raw(HEADER + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "sends code": changed("config.json", config={"network": REFUSED["lambda layer"]}),
    "lists no parameters": changed("metadata.json", parameter_count=None),
    "lists fewer parameters": changed("metadata.json", parameter_count=7),
    "lists more parameters": changed("metadata.json", parameter_count=10**6),
    "lists far too many parameters": changed("metadata.json", parameter_count=10**12),
    "lists no hash": changed("metadata.json", sha256=None),
    "lists another hash": changed("metadata.json", sha256="0" * 64),
    "lists a hash that is a path": changed("metadata.json", sha256="../../secret"),
    "has lost the weights": sends(b"", 404, name=WEIGHTS),
    "has other weights": only(WEIGHTS)(other_weights),
    "has a page for weights": sends(b"<html></html>" * 10, name=WEIGHTS),
    "has weights that are too large": sends(b"", name=WEIGHTS, Content_Length=2**25),
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch, place):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SSL_CERT_FILE", str(place.pair[0]))
    place.server.answer, place.plain.calls = None, []
    return tmp_path / "home"


@pytest.fixture
def impatient(monkeypatch):
    """Call it to give servers less time than they have otherwise."""

    def hurry():
        monkeypatch.setattr(download, "_SILENCE", 0.3)
        monkeypatch.setattr(download, "_SECONDS", 0.6)
        monkeypatch.setattr(download, "_BYTES_PER_SECOND", 2**26)

    return hurry


def fails(address, home):
    """Loading ends in one line, nothing was written but the cache, and nothing half is in it."""
    with pytest.raises((ConnectionError, FileNotFoundError, ValueError)) as error:
        Tiny.from_preset(address)
    assert type(error.value) in (ConnectionError, FileNotFoundError, ValueError)
    message = str(error.value)
    assert 20 < len(message) < 1000 and "\n" not in message
    assert os.listdir(home.parent) in ([], ["home"])
    assert {f for _, _, names in os.walk(home) for f in names} <= {*FILES}


@pytest.mark.parametrize("answer", SERVERS.values(), ids=SERVERS.keys())
def test_server(answer, place, home, impatient):
    impatient()
    place.server.answer = answer
    fails(place.server.address, home)
    assert not place.plain.calls  # nothing went over http


@pytest.mark.parametrize("answer", list(SERVERS.values())[::3], ids=list(SERVERS)[::3])
def test_server_that_was_good_before(answer, place, home, impatient):
    """The weights are those of the good answers, or it fails."""
    weights = Tiny.from_preset(place.server.address).get_weights()
    impatient()
    place.server.answer = answer
    try:
        loaded = Tiny.from_preset(place.server.address).get_weights()
    except (ConnectionError, ValueError):
        fails(place.server.address, home)
    else:
        for a, b in zip(weights, loaded, strict=True):
            np.testing.assert_array_equal(a, b)
    assert not place.plain.calls


def test_certificate_of_a_stranger(place, home, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    fails(place.server.address, home)


def test_https_address_of_an_http_server(place, home):
    fails(place.plain.address.replace("http://", "https://"), home)


def test_port_without_a_server(place, home):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        fails(f"https://127.0.0.1:{unused.getsockname()[1]}", home)


def test_enough_servers():
    assert len(SERVERS) >= 25
