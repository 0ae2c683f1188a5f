"""Cards name commands that recipes take, and the first updates of three recipes are replayed.

`python -m tests.replay` replays those of all recipes.
"""

import argparse
import os
import runpy

import keras
import pytest

from tests import replay

pytestmark = pytest.mark.once


class Parsed(Exception):
    pass


@pytest.mark.parametrize("preset, script, arguments", list(replay.lines()))
def test_a_recipe_takes_the_arguments_of_its_card(monkeypatch, preset, script, arguments):
    parse = argparse.ArgumentParser.parse_args

    def parse_only(self, *given):
        parse(self, *given)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_only)
    monkeypatch.setattr("sys.argv", [script, *arguments])
    monkeypatch.syspath_prepend(replay.REPOSITORY / "applications")
    with pytest.raises(Parsed):
        runpy.run_path(str(replay.REPOSITORY / script), run_name="__main__")


@pytest.mark.parametrize("name", ["autoencoder_mnist", "vae_mnist_2d", "gan_svhn"])
def test_the_first_updates_are_the_same_again(monkeypatch, tfds_dir, name):
    monkeypatch.setenv("TFDS_DATA_DIR", tfds_dir)
    first, second = replay.replay_here(name), replay.replay_here(name)
    assert first == second
    known = replay.stored(keras.backend.backend()).get(name)
    if known is not None and os.environ["OMP_NUM_THREADS"] == "1":
        assert first == known


@pytest.mark.parametrize(
    "runs, known, expected",
    [
        (("a", "a"), {"r": "a"}, "twice a, as stored"),
        (("a", "a"), {}, "twice a; no checksum stored for this processor"),
        (("a", "b"), {"r": "a"}, "DIFFERS between two runs: a, b"),
        (("a", "a"), {"r": "c"}, "DIFFERS from the stored c: twice a"),
    ],
)
def test_verdicts(monkeypatch, runs, known, expected):
    runs = iter(runs)
    monkeypatch.setattr(replay, "replay", lambda name, updates: next(runs))
    text, checksum = replay.verdict("r", None, known, updating=False)
    assert text == expected
    assert (checksum is None) == ("DIFFERS" in expected)


def test_checksums_are_stored_by_processor(monkeypatch, tmp_path):
    backend = keras.backend.backend()
    monkeypatch.setattr(replay, "STORED", tmp_path / "replay.json")
    assert replay.stored(backend) == {}
    replay.store(backend, {"a": "1"})
    replay.store(backend, {"b": "2"})
    assert replay.stored(backend) == {"a": "1", "b": "2"}
    monkeypatch.setattr(replay, "processor", lambda: "another")
    assert replay.stored(backend) == {}
