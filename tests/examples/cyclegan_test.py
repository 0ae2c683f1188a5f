import numpy as np
import pytest

from tests.examples import gallery


def test_runs_to_its_end(emoji):
    variables = gallery.run(
        "generative/cyclegan.py",
        SIDE=16,
        WIDTH=2,
        BLOCKS=1,
        RECEPTIVE_FIELD=16,
        BATCH_SIZE=3,
        EPOCHS=1,
        SHOWN=3,
    )
    noto, twemoji = variables["noto"], variables["twemoji"]
    np.testing.assert_array_equal(variables["train_a"], noto[[0, 2, 4]])
    np.testing.assert_array_equal(variables["train_b"], twemoji[[1, 3, 5]])
    model, to_b = variables["model"], variables["to_b"]
    np.testing.assert_array_equal(variables["back"], model.translate(to_b, to="a"))
    errors = variables["errors"]
    assert set(errors) == {"cycle", "identity", "truth", "no translation"}
    test_a, test_b = variables["test_a"], variables["test_b"]
    difference = np.abs(test_a / 255 - test_b / 255).mean()
    assert errors["no translation"] == pytest.approx(difference)
    two = np.zeros((1, 4, 4, 3), "uint8")
    assert variables["colors"](two) == 1
    two[0, 0, 0] = 31, 32, 0
    assert variables["colors"](two) == 2
    assert {path.name for path in (emoji / "cyclegan").iterdir()} == {
        "curves.png",
        "domains.png",
        "translations.png",
    }
