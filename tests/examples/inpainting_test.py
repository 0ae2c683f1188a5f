import numpy as np

import kzoo
from tests.examples import gallery


def test_runs_to_its_end(mnist):
    model = kzoo.PixelCNN((28, 28, 1), filters=4, num_blocks=1, head_filters=4)
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:  # so that it matters what was drawn
        variable.assign(rng.normal(0, 0.3, variable.shape))
    model.save_to_preset("pixels")
    kzoo.Classifier((32, 32, 1), widths=(4,)).save_to_preset("classes")
    variables = gallery.run(
        "generative/inpainting.py",
        TEST_SPLIT="test[:2]",
        PRESET="pixels",
        CLASSIFIER="classes",
        COMPLETIONS=3,
        HOLE=(24, 27),
    )
    missing, completions = variables["missing"], variables["completions"]
    assert missing.sum() == 9 and completions.shape == (6, 28, 28, 1)
    given = np.repeat(variables["images"], 3, axis=0)
    np.testing.assert_array_equal(completions[:, ~missing], given[:, ~missing])
    # The weights are p(x) / q(missing pixels).
    total = variables["model"].log_likelihood(completions)
    drawn = variables["log_probs"][:, missing].sum(axis=1)
    expected = (total - drawn).reshape(2, 3)
    expected = np.exp(expected - expected.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(variables["weights"], expected, rtol=1e-2)
    assert all(0 <= share <= 1 for share in variables["shares"].values())
    assert [p.name for p in (mnist / "inpainting").iterdir()] == ["completions.png"]
