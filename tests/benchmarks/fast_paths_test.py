import fast_paths
import pytest

from kzoo.backend import fast


def test_every_path_is_measured_on_its_backend():
    assert {name: backend for name, (backend, _) in fast_paths.PATHS.items()} == {
        name: backend for name, (backend, _) in fast.PATHS.items()
    }


def test_both_ways_take_turns(monkeypatch):
    ways = []

    def build():
        return lambda: ways.append(fast.uses("recorded_loops"))

    monkeypatch.setitem(fast_paths.RUNS, "run", build)
    row = fast_paths.compare("recorded_loops", "run", repetitions=2)
    assert ways == [fast.ON, False] * 3
    row |= {"path": "recorded_loops", "backend": "torch", "run": "run"}
    assert fast_paths.table([row]).count("\n") == 2


def test_wrong_options(capsys):
    with pytest.raises(SystemExit):
        fast_paths.parse(["--paths", "other"])
    assert "unknown 'other'" in capsys.readouterr().err
