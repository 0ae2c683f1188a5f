import mmap

import keras
import pytest
import sampling


def test_rows(tiny):
    backend = keras.backend.backend()
    rows = sampling.measure([backend], ["float32"], [0, 2], tiny, 8, threads=1, repetitions=2)
    assert [row["steps"] for row in rows] == [0, 2]
    assert all(row["seconds"] > 0 and row["memory"] >= 0 for row in rows)
    assert sampling.table(rows, 8).count("\n") == 3
    # Each step of G_t adds one discriminator's trainable weights.
    assert rows[1]["weights"] > rows[0]["weights"]


def test_resident_memory_has_a_peak():
    sampling.reset_peak()
    before = sampling.resident()
    size = 50_000_000
    with mmap.mmap(-1, size) as block:  # new pages: malloc may reuse resident ones
        block.write(b"x" * size)
    assert sampling.resident(peak=True) >= before + 0.9 * size


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "five"], "comma-separated ints, got five"),
        (["--steps", "-1"], "must not be negative"),
        (["--count", "0"], "at least 1"),
    ],
)
def test_wrong_options(capsys, arguments, message):
    with pytest.raises(SystemExit):
        sampling.parse(arguments)
    assert message in capsys.readouterr().err
