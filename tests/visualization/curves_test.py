import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from kzoo.visualization import training_curves


def lines_of(figure):
    return {
        (axis.get_title(), line.get_label()): (line.get_xdata(), line.get_ydata())
        for axis in figure.axes
        for line in axis.lines
    }


def test_draws_training_and_validation_in_one_plot(tmp_path):
    history = {"loss": [3.0, 2.0, 1.0], "val_loss": [4.0, 3.0, 3.5], "accuracy": [0.1, 0.2, 0.3]}
    lines = lines_of(training_curves(history, tmp_path / "curves.png"))
    assert set(lines) == {("loss", "training"), ("loss", "validation"), ("accuracy", "training")}
    assert_array_equal(lines["loss", "validation"], ([1, 2, 3], history["val_loss"]))
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_values_of_every_second_epoch():
    history = {"loss": [5.0, 4.0, 3.0, 2.0, 1.0], "val_loss": [4.0, 3.0]}
    lines = lines_of(training_curves(history))
    assert_array_equal(lines["loss", "training"][0], [1, 2, 3, 4, 5])
    assert_array_equal(lines["loss", "validation"], ([2, 4], history["val_loss"]))


def test_reads_what_fit_returns_and_what_the_csv_logger_writes(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    x, y = np.ones((4, 2)), np.ones((4, 1))
    history = model.fit(
        x,
        y,
        epochs=5,
        initial_epoch=2,
        callbacks=[keras.callbacks.CSVLogger(tmp_path / "log.csv")],
        verbose=0,
    )
    for source in (history, tmp_path / "log.csv"):
        epochs, losses = lines_of(training_curves(source))["loss", "training"]
        assert_array_equal(epochs, [3, 4, 5])
        np.testing.assert_allclose(losses, history.history["loss"])


def test_lacking_values_leave_a_gap(tmp_path):
    (tmp_path / "log.csv").write_text("epoch,loss,val_loss\n0,2.5,NA\n1,1.5,2.0\n")
    lines = lines_of(training_curves(str(tmp_path / "log.csv")))
    assert_array_equal(lines["loss", "validation"][1], [np.nan, 2.0])


def test_errors(tmp_path):
    for history in ({}, {"loss": []}):
        with pytest.raises(ValueError, match="empty"):
            training_curves(history)
    with pytest.raises(ValueError, match="got 3"):
        training_curves(3)
    with pytest.raises(FileNotFoundError):
        training_curves(tmp_path / "log.csv")
    for text in ("a,b\n1,2\n", "epoch,loss\n0,high\n"):
        (tmp_path / "log.csv").write_text(text)
        with pytest.raises(ValueError, match="log.csv is not"):
            training_curves(tmp_path / "log.csv")
