"""`.keras` files of version 0.1.0, written on PyTorch before modules moved, load and train on."""

import pathlib

import keras
import numpy as np
import pytest
from keras import ops

import kzoo  # noqa: F401  registers the classes

FOLDER = pathlib.Path(__file__).with_name("saved")
IMAGES = (np.random.RandomState(0).uniform(size=(16, 8, 8, 1)) < 0.4).astype("uint8") * 255


@pytest.mark.parametrize("name", ["cfggan", "gan", "pixelcnn", "vae", "vqvae"])
def test_old_files_load_with_their_optimizers_and_train_on(name):
    model = keras.models.load_model(FOLDER / f"{name}.keras")
    with np.load(FOLDER / "expected.npz") as expected:
        weights, optimizer = expected[name], expected[f"{name}_optimizer"]
    got = np.concatenate([w.astype("float64").ravel() for w in model.get_weights()])
    np.testing.assert_allclose(got[: len(weights)], weights, rtol=1e-6)
    sums = [np.abs(ops.convert_to_numpy(v)).sum() for v in model.optimizer.variables]
    np.testing.assert_allclose(sums, optimizer, rtol=1e-4)
    history = model.fit(IMAGES, batch_size=8, verbose=0)
    assert all(np.isfinite(values).all() for values in history.history.values())
