import numpy as np
from PIL import Image

from tests.examples import gallery


def test_runs_to_its_end(mnist):
    variables = gallery.run(
        "generative/vae_latent_traversals.py",
        TRAIN_SPLIT="train[:300]",
        TEST_SPLIT="test[:60]",
        EPOCHS=2,
        LEARNING_RATE=3e-3,
        LATENT_DIM=3,
        WIDTHS=(4,),
        MANIFOLD_SIZE=4,
        STEPS=3,
    )
    scores = variables["scores"]
    assert scores.shape == (3,) and (scores >= 0).all()
    result = variables["vae"].evaluate(variables["test"], verbose=0, return_dict=True)
    np.testing.assert_allclose(scores.sum(), result["kl"], rtol=1e-3)

    folder = mnist / "vae_latent_traversals"
    assert {path.name for path in folder.iterdir()} == {
        "codes.png",
        "interpolation_linear.png",
        "interpolation_spherical.png",
        "manifold.png",
        "thickness.png",
        "traversals.png",
    }
    assert Image.open(folder / "manifold.png").size == (4 * 28, 4 * 28)
    assert Image.open(folder / "traversals.png").size == (3 * 30 + 2, 3 * 30 + 2)
    assert Image.open(folder / "thickness.png").size == (3 * 30 + 2, 30 + 2)
