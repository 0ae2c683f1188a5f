import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from kzoo.callbacks import SampleGrid


class Painter(keras.Model):
    """Paints grey images whose value is how often its weight was updated, plus the seed."""

    def __init__(self):
        super().__init__()
        self.weight = self.add_weight((1, 1), "zeros")
        self.calls = []

    def call(self, x):
        return x * self.weight

    def generate(self, num_samples, seed=None, **options):
        self.calls.append(options)
        return np.full((num_samples, 3, 3, 1), len(self.calls) + 10 * seed, "uint8")


def fit(model, callback, **arguments):
    model.compile(optimizer="sgd", loss="mse")
    x = np.ones((6, 1))
    model.fit(x, x, batch_size=2, verbose=0, callbacks=[callback], **arguments)  # 3 steps an epoch


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_writes_a_sheet_every_few_epochs(tmp_path):
    model = Painter()
    callback = SampleGrid(tmp_path / "a" / "b", num_images=4, every=2, seed=5, steps=3)
    fit(model, callback, epochs=5)
    assert names(tmp_path / "a" / "b") == ["epoch_0002.png", "epoch_0004.png"]
    assert model.calls == [{"steps": 3}] * 2
    sheet = np.asarray(Image.open(tmp_path / "a" / "b" / "epoch_0004.png"))
    assert sheet.shape == (2 * 5 + 2, 2 * 5 + 2)
    assert_array_equal(sheet[2:5, 2:5], np.full((3, 3), 52))


def test_a_resumed_training_goes_on_numbering(tmp_path):
    fit(Painter(), SampleGrid(tmp_path, num_images=1), epochs=4, initial_epoch=2)
    assert names(tmp_path) == ["epoch_0003.png", "epoch_0004.png"]


def test_batches_count_on_over_epochs(tmp_path):
    fit(Painter(), SampleGrid(tmp_path, num_images=1, unit="batch", every=2), epochs=3)
    assert names(tmp_path) == [f"batch_{i:06d}.png" for i in (2, 4, 6, 8)]


def test_batches_of_a_resumed_training(tmp_path):
    callback = SampleGrid(tmp_path, num_images=1, unit="batch", every=4)
    fit(Painter(), callback, epochs=3, initial_epoch=1)
    assert names(tmp_path) == ["batch_000004.png", "batch_000008.png"]


def test_errors(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="file"):
        SampleGrid(tmp_path / "file")
    with pytest.raises(ValueError, match="file"):
        SampleGrid(tmp_path / "file" / "folder")
    with pytest.raises(ValueError, match="unit.*stage"):
        SampleGrid(tmp_path, unit="stage")
    for name in ("num_images", "every", "columns", "scale"):
        with pytest.raises(ValueError, match=f"{name}.*-1"):
            SampleGrid(tmp_path, **{name: -1})
    with pytest.raises(ValueError, match="generate.*Sequential"):
        SampleGrid(tmp_path).set_model(keras.Sequential())
