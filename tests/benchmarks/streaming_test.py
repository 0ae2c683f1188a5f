"""The benchmark of a stream of images, on few and small ones."""

import keras
import numpy as np
import pytest
import streaming

import kzoo


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "SHARD", 16)
    streaming.write(tmp_path, 40, 16)
    return tmp_path


def test_images_are_written_in_shards_and_read_again(folder):
    files = [path.name for path in (folder / streaming.NAME / "1.0.0").glob("*tfrecord*")]
    assert len(files) == 3
    data = kzoo.datasets.load(streaming.NAME, batch_size=40, shuffle=False, data_dir=folder)
    (images,) = data
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(images, [streaming.draw(rng, 16) for _ in range(40)])


def test_a_row(folder):
    row = streaming.stream(folder, size=16, batch=4, width=2, steps=1, shuffle=True)
    assert len(row["memory"]) == len(streaming.QUARTERS)
    assert row["input"] > 0 and row["training"] > 0
    row |= {"backend": keras.backend.backend(), "images": 40}
    assert streaming.table([row]).count("\n") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", "0"], "--images must be positive, got 0"),
        (["--images", "100"], "--images must be at least 4 batches of 64"),
        (["--width", "0"], "--width must be at least 1, got 0"),
    ],
)
def test_wrong_options(capsys, arguments, message):
    with pytest.raises(SystemExit):
        streaming.parse(arguments)
    assert message in capsys.readouterr().err
