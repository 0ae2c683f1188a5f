import numpy as np
from PIL import Image

from tests.examples import gallery


def test_runs_to_its_end(mnist):
    variables = gallery.run(
        "generative/vae_mnist.py",
        TRAIN_SPLIT="train[:400]",
        TEST_SPLIT="test[:100]",
        EPOCHS=2,
        LEARNING_RATE=3e-3,
        WIDTHS=(4,),
        MANIFOLD_SIZE=4,
        IMPORTANCE_SAMPLES=(1, 10),
        LIKELIHOOD_IMAGES=50,
    )
    history = variables["history"].history
    assert len(history["val_loss"]) == 2 and history["loss"][1] < history["loss"][0]
    estimates = variables["estimates"]
    assert 0 < estimates[10] < estimates[1]  # more samples, a tighter bound
    assert np.isin(variables["test_images"], (0, 255)).all()
    digits = variables["digits"]
    assert digits.shape == (64, 28, 28, 1) and digits.dtype == np.uint8
    np.testing.assert_array_equal(digits, variables["vae"].generate(64, seed=0))

    folder = mnist / "vae_mnist"
    assert {path.name for path in folder.iterdir()} == {
        "codes.png",
        "curves.png",
        "generated.png",
        "manifold.png",
        "preset",
        "reconstructions.png",
        "samples",
    }
    assert len(list((folder / "samples").glob("epoch_*.png"))) == 2
    assert Image.open(folder / "manifold.png").size == (4 * 28, 4 * 28)
    # Test images and reconstructions in turn, 3 rows of 12 each.
    pairs = np.asarray(Image.open(folder / "reconstructions.png"))
    assert pairs.shape == (6 * 30 + 2, 12 * 30 + 2)
    np.testing.assert_array_equal(pairs[2:30, 2:30], variables["test_images"][0, :, :, 0])
