import keras
import numpy as np
import pytest
from PIL import Image

import kzoo
from tests.examples import gallery


@pytest.fixture
def preset(tmp_path):
    """The folder of an untrained model with the steps of the shipped one."""
    keras.utils.set_random_seed(1)
    layers = keras.layers  # dense networks compile fastest
    discriminator = keras.Sequential([layers.Flatten(), layers.Dense(1)])
    approximator = keras.Sequential([layers.Dense(1024, "tanh"), layers.Reshape((32, 32, 1))])
    discriminator.build((None, 32, 32, 1))
    approximator.build((None, 4))
    model = kzoo.CFGGAN(
        latent_dim=4,
        num_steps=15,
        pool_size=8,
        batch_size=8,
        discriminator=discriminator,
        approximator=approximator,
    )
    random = np.random.default_rng(0)
    for snapshot in model.snapshots:  # so that functional gradient steps show
        snapshot.assign(random.normal(size=snapshot.shape))
    model.save_to_preset(tmp_path / "preset")
    return "preset"


def test_runs_to_its_end(preset, mnist):
    variables = gallery.run(
        "generative/cfggan_mnist.py",
        TRAIN_SPLIT="train[:100]",
        BATCH_SIZE=8,
        NUM_STEPS=2,
        POOL_SIZE=8,
        APPROXIMATOR_EPOCHS=1,
        WIDTH=2,
        STAGES_PER_EPOCH=2,
        EPOCHS=2,
        PRESET=preset,
        NUM_SAMPLES=112,
    )
    assert int(keras.ops.convert_to_numpy(variables["model"].stage)) == 4
    assert variables["gap"].shape == (2,) and np.isfinite(variables["gap"]).all()

    folder = mnist / "cfggan_mnist"
    assert {path.name for path in folder.iterdir()} == {
        "classes.png",
        "curves.png",
        "gap.png",
        "generated.png",
        "growth.png",
        "samples",
    }
    # Rows of the growth: the same latents, each row other images than the one above.
    assert Image.open(folder / "growth.png").size == (12 * 34 + 2, 4 * 34 + 2)
    growth = variables["growth"]
    trained = variables["trained"]
    np.testing.assert_array_equal(growth[0], trained.generate(12, seed=1, steps=0))
    assert all((above != below).any() for above, below in zip(growth, growth[1:]))

    scores = variables["scores"]
    assert set(scores) == {0, 15}
    for score in scores.values():
        assert score["n"] == score["class_histogram"].sum() == 112
    assert scores[0]["frechet_distance"] != scores[15]["frechet_distance"]
