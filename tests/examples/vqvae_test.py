import numpy as np
from PIL import Image

from tests.examples import gallery


def test_runs_to_its_end(mnist):
    variables = gallery.run(
        "generative/vqvae.py",
        TRAIN_SPLIT="train[:8]",
        TEST_SPLIT="test[:8]",
        NUM_CODES=4,
        CODE_DIM=2,
        WIDTH=2,
        EPOCHS=1,
        PRIOR_FILTERS=2,
        PRIOR_LAYERS=1,
        PRIOR_EPOCHS=1,
        BATCH_SIZE=8,
        SHOWN=4,
    )
    codes = variables["codes"]
    assert codes.shape == (8, 7, 7)
    np.testing.assert_array_equal(variables["vqvae"].encode_to_codes(variables["test"]), codes)
    assert variables["bits"] == 49 * 2
    bits = variables["per_code"]
    assert bits["all codes equally likely"] == 2
    assert 0 <= bits["frequencies of the codes"] <= 2 and bits["prior"] > 0
    np.testing.assert_allclose(variables["frequencies"].sum(), 1)
    assert np.unique(variables["uniform"][1]).tolist() == [1]
    samples = variables["samples"]
    assert [len(images) for images in samples.values()] == [4, 4, 8]

    folder = mnist / "vqvae"
    names = {"codebook.png", "reconstructions.png", "samples.png"}
    assert {path.name for path in folder.iterdir()} == names
    assert Image.open(folder / "samples.png").size == (4 * 58 + 2, 4 * 58 + 2)
