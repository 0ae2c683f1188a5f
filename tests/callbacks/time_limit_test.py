import types

import pytest

from kzoo.callbacks import TimeLimit, stopping


@pytest.mark.parametrize(
    ("options", "function"),
    [
        ({}, "perf_counter"),
        ({"clock": "wall"}, "perf_counter"),
        ({"clock": "process"}, "process_time"),
    ],
)
def test_only_updates_count(monkeypatch, options, function):
    """Updates of 2 s with 100 s between them, under a limit of 5 s."""
    clock = types.SimpleNamespace(now=0.0)
    time = types.SimpleNamespace(**{function: lambda: clock.now})
    monkeypatch.setattr(stopping, "time", time)
    limit = TimeLimit(5, **options)
    limit.set_model(types.SimpleNamespace(stop_training=False))
    stopped = []
    for batch in range(3):
        limit.on_train_batch_begin(batch)
        clock.now += 2.0
        limit.on_train_batch_end(batch)
        clock.now += 100.0
        stopped.append(limit.model.stop_training)
    assert stopped == [False, False, True]
    assert limit.elapsed == pytest.approx(6.0)


@pytest.mark.parametrize("seconds", [0, -1.0, "60"])
def test_wrong_limit(seconds):
    with pytest.raises(ValueError, match=f"seconds must be a positive number, got {seconds!r}"):
        TimeLimit(seconds)


def test_wrong_clock():
    with pytest.raises(ValueError, match=r"clock must be one of \['process', 'wall'\], got 'cpu'"):
        TimeLimit(1, clock="cpu")
