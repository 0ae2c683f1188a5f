"""Hostile and damaged presets: each is refused in one clear line, or gives the right weights."""

import concurrent.futures
import contextlib
import json
import os
import shutil
import sys
import zlib

import h5py
import keras
import numpy as np
import pytest

from kzoo.presets.sources import sha256_of
from tests.presets.safety_test import REFUSED
from tests.presets.tiny import Tiny, functional_network
from tests.small_models import small

WEIGHTS = "model.weights.h5"
FILES = ("config.json", "metadata.json", WEIGHTS)


class Events:
    """What the program opens, starts and connects to, as Python's audit hook reports it."""

    WATCHED = ("open", "os.system", "os.exec", "subprocess.Popen", "socket.connect")

    def __init__(self):
        self.seen = None
        sys.addaudithook(self.hook)  # it cannot be taken away, only put to sleep

    def hook(self, event, arguments):
        if self.seen is not None and event in self.WATCHED:
            self.seen.append((event, arguments))

    @contextlib.contextmanager
    def watch(self):
        self.seen = []
        try:
            yield self.seen
        finally:
            self.seen = None


@pytest.fixture(scope="module")
def events():
    return Events()


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A preset of a model with a functional network in it, and its weights."""
    folder = tmp_path_factory.mktemp("original") / "tiny"
    model = Tiny(network=functional_network())
    model.save_to_preset(folder)
    return folder, model.get_weights()


@pytest.fixture
def folder(tmp_path, original):
    shutil.copytree(original[0], tmp_path / "tiny")
    (tmp_path / "secret").write_text('{"class_name": "a secret"}')
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["vars"] = np.full((2,), 7.0, "float32")
    return tmp_path / "tiny"


def attack(folder, weights, events):
    """Loads a preset.

    Returns:
        `None` if it gave these weights (any, where `weights` is `None`), or else the message of
        the refusal. Whatever else happens is an error of the test.
    """
    parent = folder.parent
    before = sorted(os.listdir(parent))
    with events.watch() as seen:
        try:
            loaded = Tiny.from_preset(folder).get_weights()
        except (ValueError, FileNotFoundError) as error:
            loaded = error
    for event, arguments in seen:
        assert event == "open", (event, arguments)  # nothing was run
        path, mode, flags = str(arguments[0]), arguments[1], arguments[2]
        assert "secret" not in path
        writing = set(mode or "") & set("wax+") or (flags or 0) & (os.O_WRONLY | os.O_RDWR)
        assert not writing, path
    assert sorted(os.listdir(parent)) == before
    if isinstance(loaded, Exception):
        assert type(loaded) in (ValueError, FileNotFoundError)
        message = str(loaded)
        assert 20 < len(message) < 2000 and "\n" not in message
        message.encode()  # it can be printed
        return message
    if weights is not None:
        for value, expected in zip(loaded, weights, strict=True):
            np.testing.assert_array_equal(value, expected)
    return None


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def places(node, path=()):
    """The paths to everything in a JSON document."""
    if path:
        yield path
    parts = node.items() if isinstance(node, dict) else enumerate(node)
    for key, part in parts:
        if isinstance(part, dict | list):
            yield from places(part, (*path, key))
        else:
            yield (*path, key)


def put(document, path, value):
    for key in path[:-1]:
        document = document[key]
    if value is REMOVED:
        del document[path[-1]]
    else:
        document[path[-1]] = value


STRIDE = 29  # each value at one of so many places
REMOVED = object()
VALUES = [
    REMOVED,
    None,
    True,
    -1,
    0,
    3,
    10**9,
    10**7,
    10**40,
    -(10**9),
    1e12,
    1e400,  # infinity
    "",
    "x" * 5000,
    "\ud800",
    "nul\0",
    "../../secret",
    "kzoo>Tiny",
    "Lambda",
    [],
    [10**7] * 8,
    [[[]]],
    {},
    {"class_name": "Tiny", "config": {}},
    {"class_name": "__slice__", "config": {"start": 0, "stop": 10**9, "step": None}},
]


@pytest.mark.parametrize("value", range(len(VALUES)))
def test_every_place_of_a_config(value, folder, original, events):
    text = (original[0] / "config.json").read_text()
    paths = list(places(json.loads(text)))
    refused = 0
    for path in paths[value % STRIDE :: STRIDE]:
        config = json.loads(text)
        put(config, path, VALUES[value])
        (folder / "config.json").write_text(json.dumps(config))
        refused += attack(folder, original[1], events) is not None
    assert refused


@pytest.mark.parametrize("planted", REFUSED.values(), ids=REFUSED.keys())
def test_planted_objects(planted, folder, original, events):
    """Nothing of it is made, also where the user allows unsafe things for files of his own."""

    def load_unsafely():
        keras.config.enable_unsafe_deserialization()  # holds for this thread only
        return attack(folder, original[1], events)

    edit(folder / "config.json", lambda config: config["config"].update(network=planted))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert "may not create" in pool.submit(load_unsafely).result()


def test_compile_config_is_not_honoured(folder, original, events):
    lambda_loss = {"loss": REFUSED["lambda layer"]}
    edit(folder / "config.json", lambda config: config.update(compile_config=lambda_loss))
    assert "may not create" in attack(folder, original[1], events)
    plain = {"optimizer": "adam", "loss": "mse"}
    edit(folder / "config.json", lambda config: config.update(compile_config=plain))
    assert attack(folder, original[1], events) is None
    assert not Tiny.from_preset(folder).compiled


TEXTS = {
    "nothing": b"",
    "a brace": b"{",
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "lists in lists": b"[" * 100_000,
    "700 lists": b'{"a": ' + b"[" * 700 + b"]" * 700 + b"}",
    "NaN": b'{"parameter_count": NaN, "class_name": NaN}',
    "infinity": b'{"parameter_count": -Infinity, "class_name": Infinity}',
    "5000 digits": b'{"parameter_count": ' + b"1" * 5000 + b', "class_name": 1}',
    "UTF-16": '{"class_name": "Tiny"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "no UTF-8": b'{"class_name": "\xff\xfe"}',
    "zero bytes": bytes(1000),
    "five megabytes": b'{"class_name": "' + b"x" * 5 * 2**20 + b'"}',
    "many small lists": b'{"class_name": [' + b"[]," * 10**5 + b"[]]}",
    "text after it": b"{} {}",
    "half a character": b'{"class_name": "\\ud800", "config": {}, "parameter_count": "\\ud800"}',
    "a line break": b'{"class_name": "a\\nb", "sha256": "a\\nb"}',
}


@pytest.mark.parametrize("name", FILES[:2])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_texts(name, text, folder, original, events):
    (folder / name).write_bytes(text)
    assert attack(folder, original[1], events)


@pytest.mark.parametrize("name", ["parameter_count", "sha256"])
@pytest.mark.parametrize("value", range(len(VALUES)))
def test_metadata(name, value, folder, original, events):
    edit(folder / "metadata.json", lambda metadata: put(metadata, (name,), VALUES[value]))
    message = attack(folder, original[1], events)
    assert message or (name == "sha256" and VALUES[value] in (REMOVED, None, ""))


def test_many_objects(folder, original, events):
    layer = {"module": "keras.layers", "class_name": "ReLU", "config": {}, "registered_name": None}

    def change(config):
        config["config"]["network"] = [layer] * 20_000

    edit(folder / "config.json", change)
    assert "names 20,002 classes" in attack(folder, original[1], events)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["missing", "folder", "device", "pipe", "dangling link"])
def test_odd_files(name, kind, folder, original, events):
    path = folder / name
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "dangling link":
        path.symlink_to("nowhere")
    assert "is missing" in attack(folder, original[1], events)


def flip(place):
    def change(path):
        content = bytearray(path.read_bytes())
        content[int(place * (len(content) - 1))] ^= 4
        path.write_bytes(content)

    return change


def cut(share):
    return lambda path: os.truncate(path, int(share * path.stat().st_size))


DAMAGES = {f"a bit at {part / 20}": flip(part / 20) for part in range(21)}
DAMAGES |= {f"cut at {part / 8}": cut(part / 8) for part in range(8)}
DAMAGES["one byte more"] = lambda path: path.write_bytes(path.read_bytes() + b"\0")


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_weights(damage, folder, original, events):
    damage(folder / WEIGHTS)
    assert attack(folder, original[1], events)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_weights_with_the_right_hash(damage, folder, original, events):
    """Then another number may be loaded: who can change the hash can change a weight."""
    damage(folder / WEIGHTS)
    rehash(folder)
    attack(folder, None, events)


def rehash(folder):
    sha256 = sha256_of(folder / WEIGHTS)
    edit(folder / "metadata.json", lambda metadata: metadata.update(sha256=sha256))


BIAS = "dense/vars/1"


def instead(make):
    """The bias is replaced by what `make` puts there."""

    def change(file, folder):
        values = file[BIAS][...]
        del file[BIAS]
        make(file, values, folder)

    return change


def link(other):
    return instead(lambda file, values, folder: file.__setitem__(BIAS, other(file, folder)))


def array(values_of, **options):
    return instead(
        lambda file, values, folder: file.create_dataset(BIAS, data=values_of(values), **options)
    )


def virtual(file, values, folder):
    layout = h5py.VirtualLayout(values.shape, "float32")
    layout[:] = h5py.VirtualSource(folder.parent / "secret.h5", "vars", values.shape)
    file.create_virtual_dataset(BIAS, layout)


def outside(file, values, folder):
    external = [(str(folder.parent / "secret"), 0, values.nbytes)]
    file.create_dataset(BIAS, values.shape, values.dtype, external=external)


def bomb(file, values, folder):
    file.create_dataset(BIAS, (2**40,), "float32", chunks=(2**20,), compression="gzip")


def packed(pieces, **options):
    """The bias in compressed pieces: those that `pieces` makes, each `(offset, bytes, mask)`."""

    def make(file, values, folder):
        options.setdefault("chunks", (len(values),))
        made = file.create_dataset(
            BIAS, values.shape, "f4", shuffle=True, compression="gzip", **options
        )
        for offset, piece, skipped in pieces(values):
            made.id.write_direct_chunk(offset, piece, filter_mask=skipped)

    return instead(make)


def ring(file, folder):
    file["dense/again"] = file["dense"]
    return file["dense/vars/0"]


def tower(file, folder):
    """2**40 ways through 40 groups."""
    group = file
    for _ in range(40):
        group["a"] = below = group.create_group("b")
        group = below
    return file["dense/vars/0"]


CONTENTS = {
    "link to another file": link(lambda f, folder: h5py.ExternalLink("../secret.h5", "vars")),
    "soft link": link(lambda file, folder: h5py.SoftLink("/dense/vars/0")),
    "dangling soft link": link(lambda file, folder: h5py.SoftLink("/nothing")),
    "hard link": link(lambda file, folder: file["dense/vars/0"]),
    "group": instead(lambda file, values, folder: file.create_group(BIAS)),
    "groups in a ring": link(ring),
    "groups in a tower": link(tower),
    "type": link(lambda file, folder: np.dtype("float32")),
    "numbers of another file": instead(outside),
    "virtual numbers of another file": instead(virtual),
    "few bytes that grow": instead(bomb),
    "nothing written": instead(lambda f, v, _: f.create_dataset(BIAS, v.shape, "f4", chunks=True)),
    "compressed": array(lambda v: np.zeros(10**6, "float32"), compression="gzip"),
    "compressed, too large": array(lambda v: np.zeros(10**7), compression="gzip", shuffle=True),
    "compressed otherwise": array(lambda v: v, compression="lzf", shuffle=True),
    "compressed, no piece": packed(lambda v: []),
    "compressed, a piece that grows": packed(lambda v: [((0,), zlib.compress(bytes(10**7)), 0)]),
    "compressed, a piece cut off": packed(lambda v: [((0,), zlib.compress(v.tobytes())[:-9], 0)]),
    "compressed, a short piece": packed(lambda v: [((0,), zlib.compress(v[1:].tobytes()), 0)]),
    "compressed, another format": packed(lambda v: [((0,), v.tobytes(), 0)]),
    "compressed, not all of it": packed(lambda v: [((0,), v.tobytes(), 2)]),
    "compressed, a large piece": packed(
        lambda v: [((0,), zlib.compress(bytes(10**8)), 0)], chunks=(25 * 10**6,), maxshape=(None,)
    ),
    "integers": array(lambda v: v.astype("int32")),
    "booleans": array(lambda v: v.astype(bool)),
    "complex numbers": array(lambda v: v.astype("complex64")),
    "bytes": array(lambda v: v.astype("S3")),
    "strings": array(lambda v: ["a"] * len(v), dtype=h5py.string_dtype()),
    "pieces of other types": array(lambda v: np.zeros(v.shape, [("a", "f4"), ("b", "i8")])),
    "raw bytes": array(lambda v: np.zeros(v.shape, "V4")),
    "NaN": array(lambda v: v * np.nan),
    "infinity": array(lambda v: v + np.inf),
    "numbers beyond float32": array(lambda v: np.full(v.shape, 1e300)),
    "nothing": instead(lambda file, values, folder: None),
    "a number": array(lambda v: np.float32(1)),
    "too many": array(lambda v: np.append(v, v)),
    "too few": array(lambda v: v[:-1]),
    "no numbers": array(lambda v: v[:0]),
    "one more dimension": array(lambda v: v[None]),
    "an empty space": array(lambda v: h5py.Empty("f4")),
}


@pytest.mark.parametrize("change", CONTENTS.values(), ids=CONTENTS.keys())
def test_contents_of_weights(change, folder, original, events):
    with h5py.File(folder / WEIGHTS, "r+") as file:
        change(file, folder)
    rehash(folder)
    assert attack(folder, original[1], events)


FORMATS = {"text": b"weights " * 100, "zip": b"PK\x03\x04" * 100, "pickle": b"cos\nsystem\n" * 20}


@pytest.mark.parametrize("content", FORMATS.values(), ids=FORMATS.keys())
def test_weights_of_another_format(content, folder, original, events):
    (folder / WEIGHTS).write_bytes(content)
    rehash(folder)
    assert attack(folder, original[1], events)


SIZES = [10**9, 10**6]


@pytest.mark.parametrize("name", ["CFGGAN", "PixelRNN", "VAE"])
def test_sizes(name, tmp_path):
    """Arguments too large for the listed parameters are refused before anything is made of them."""
    model = small(name)
    model.save_to_preset(tmp_path)
    weights = model.get_weights()
    path = tmp_path / "config.json"
    text = path.read_text()
    refused = 0
    for argument in places(json.loads(text)["config"]):
        for size in SIZES:
            config = json.loads(text)
            value = config["config"]
            for key in argument:
                value = value[key]
            if type(value) is not int:
                continue
            put(config["config"], argument, size)
            path.write_text(json.dumps(config))
            try:
                loaded = type(model).from_preset(tmp_path).get_weights()
            except ValueError as error:
                assert len(str(error)) < 1000 and "\n" not in str(error)
                assert "MemoryError" not in str(error)
                refused += 1
            else:
                assert size < 10**9
                for found, expected in zip(loaded, weights, strict=True):
                    np.testing.assert_array_equal(found, expected)
    assert refused > 8


def test_enough_presets():
    count = 2 * len(TEXTS) + 2 * len(VALUES) + len(REFUSED) + 2 * len(DAMAGES) + len(CONTENTS)
    assert count >= 120
