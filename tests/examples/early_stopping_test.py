import numpy as np
import pytest

from tests.examples import gallery


def test_runs_to_its_end(mnist):
    variables = gallery.run(
        "generative/early_stopping.py",
        NUM_DRAWS=50,
        STEPS=150,
        TRAIN_SPLIT="train[:60]",
        VALIDATION_SPLIT="test[:60]",
        EPOCHS=3,
        PATIENCE=2,
        WIDTHS=(8,),
    )
    # Training in Keras has the error that the formulas give, up to the draws of the noise.
    np.testing.assert_allclose(variables["errors"], sum(variables["descent"]), rtol=0.1)
    for bias, variance in (variables["descent"], [x[::-1] for x in variables["ridge"]]):
        assert (np.diff(bias) <= 0).all() and (np.diff(variance) >= 0).all()
    best = variables["best_step"]
    assert 0 < best < 150
    assert min(sum(variables["ridge"])) == pytest.approx(sum(variables["descent"])[best], rel=0.1)
    assert max(variables["ratio"]) < 1.69
    assert variables["best"] <= min(variables["stopped"]["val_reconstruction"]) * 1.001
    names = {"least_squares.png", "autoencoder.png"}
    assert {path.name for path in (mnist / "early_stopping").iterdir()} == names
