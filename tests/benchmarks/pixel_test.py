"""The benchmarks of the pixel models, on a model that takes no time."""

import keras
import pixel_models
import pixel_sampling
import pixel_training
import pytest


@pytest.fixture(autouse=True)
def tiny_models(monkeypatch):
    arguments = {"levels": 2, "filters": 2, "num_layers": 1, "head_filters": 2}
    monkeypatch.setitem(pixel_models.MODELS, "gated_pixelcnn", ("GatedPixelCNN", arguments))


def test_sampling():
    row = pixel_sampling.draw("gated_pixelcnn", size=6, batch=2, naive_rows=2, repetitions=2)
    assert row["same"] == 1.0
    assert min(row["first"], row["cached"], row["naive"]) > 0
    row |= {"backend": "torch", "name": "gated_pixelcnn", "size": 6, "batch": 2}
    assert "6x6x1" in pixel_sampling.table([row]) and "100.0 %" in pixel_sampling.table([row])


def test_both_loops_train_alike():
    backend = keras.backend.backend()
    row = pixel_training.train("gated_pixelcnn", 4, 8, steps=3, repetitions=1, backend=backend)
    ours, native = row["losses"]
    assert ours == pytest.approx(native, rel=1e-3)
    assert row["fit"] > 0 and row["native"] > 0
    row |= {"backend": backend, "name": "gated_pixelcnn"}
    assert pixel_training.table([row]).count("\n") == 2


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        (pixel_sampling, ["--models", "gan"], "unknown model 'gan'"),
        (pixel_sampling, ["--sizes", "a"], "comma-separated ints, got a"),
        (pixel_sampling, ["--batches", "0"], "must be positive, got 0"),
        (pixel_sampling, ["--naive-rows", "40"], "must be in 1..28, got 40"),
        (pixel_training, ["--batch", "0"], "--batch must be at least 1, got 0"),
    ],
)
def test_wrong_options(capsys, module, arguments, message):
    with pytest.raises(SystemExit):
        module.parse(arguments)
    assert message in capsys.readouterr().err
