import numpy as np
from PIL import Image

from tests.examples import gallery


def test_runs_to_its_end(mnist):
    variables = gallery.run(
        "generative/pixelcnn_generations.py",
        TRAIN_SPLIT="train[:64]",
        TEST_SPLIT="test[:16]",
        TEST_IMAGES=8,
        BATCH_SIZE=16,
        EPOCHS=1,
        FILTERS=4,
        LAYERS=1,
        MIXTURES=2,
        DRAWN=("PixelCNN", "Gated PixelCNN"),  # tests/models draws from PixelCNN++
    )
    uniform = 784 * np.log(256)
    for nats in variables["likelihoods"].values():
        assert 0 < nats < 1.5 * uniform

    # The last pixel of the row above is seen by the two stacks, not by masked kernels alone.
    row, column = variables["ROW"], variables["COLUMN"]
    fields = {name: field > 0 for name, field in variables["fields"].items()}
    for seen in fields.values():
        assert not seen[row, column:].any() and not seen[row + 1 :].any()
        assert seen[row, column - 1] and seen[row - 1, column - 1 : column + 2].all()
    spot = (row - 1, column + 3 + 8)  # as far as 7x7 and eight 3x3 kernels reach
    assert not fields["PixelCNN"][spot] and fields["Gated PixelCNN"][spot]
    assert fields["PixelCNN++"][:row].all()  # of all three, only this one sees everything above

    folder = mnist / "pixelcnn_generations"
    names = ("PixelCNN", "Gated PixelCNN")
    assert {path.name for path in folder.iterdir()} == {
        "receptive_fields.png",
        *(f"{kind}_{name}.png" for kind in ("samples", "completions") for name in names),
    }
    # Six rows of a test image and five completions, twice enlarged.
    sheet = np.asarray(Image.open(folder / "completions_PixelCNN.png"))
    assert sheet.shape == (6 * 58 + 2, 6 * 58 + 2)
