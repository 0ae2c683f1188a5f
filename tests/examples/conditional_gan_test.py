import keras
import numpy as np
import pytest

import kzoo
from tests.examples import gallery


@pytest.fixture
def presets(mnist):
    """An untrained classifier; a GAN whose label is grey above, whose noise is grey below."""
    kzoo.Classifier((32, 32, 1), widths=(4,)).save_to_preset("classes")
    layers, ops = keras.layers, keras.ops
    latents, labels = keras.Input((4,)), keras.Input((), dtype="int32")
    upper = ops.repeat(ops.cast(labels, "float32")[:, None] / 10, 512, axis=1)
    lower = ops.repeat(ops.tanh(latents[:, :1]), 512, axis=1)
    drawn = layers.Reshape((32, 32, 1))(layers.Concatenate()([upper, lower]))
    generator = keras.Model([latents, labels], drawn)
    images = keras.Input((32, 32, 1))
    flat = layers.Concatenate()([layers.Flatten()(images), ops.one_hot(labels, 10)])
    discriminator = keras.Model([images, labels], layers.Dense(1)(flat))
    gan = kzoo.GAN(
        None, latent_dim=4, num_classes=10, generator=generator, discriminator=discriminator
    )
    gan.save_to_preset("gan")
    return mnist


def test_runs_to_its_end(presets):
    variables = gallery.run(
        "generative/conditional_gan.py",
        TRAIN_SPLIT="train[:200]",
        BATCH_SIZE=50,
        EPOCHS=1,
        WIDTH=1,
        CLASSIFIER="classes",
        PRESET="gan",
        STYLES=2,
        PER_CLASS=2,
    )
    assert variables["styles"].shape == (20, 32, 32, 1)
    rows = variables["preset_styles"].reshape(2, 10, 1024).astype(int)
    upper, lower = rows[..., 0], rows[..., -1]
    np.testing.assert_array_equal(upper[0], upper[1])
    assert (np.diff(upper[0]) > 0).all()  # a column has one label
    assert (lower == lower[:, :1]).all() and lower[0, 0] != lower[1, 0]  # and a row one noise
    scores = variables["scores"]
    assert scores["preset"]["variety"] > 0
    assert variables["spread"](np.zeros((20, 32, 32, 1), "uint8"), np.arange(20) % 10) == 0
    assert all(0 <= score["accuracy"] <= 1 for score in scores.values())
    folder = presets / "conditional_gan"
    names = {"samples", "styles.png", "preset_styles.png"}
    assert {path.name for path in folder.iterdir()} == names
    assert [path.name for path in (folder / "samples").iterdir()] == ["epoch_0001.png"]
