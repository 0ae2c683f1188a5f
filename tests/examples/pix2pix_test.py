import numpy as np
import pytest

import kzoo
from tests.examples import gallery


def test_runs_to_its_end(emoji):
    variables = gallery.run(
        "generative/pix2pix.py",
        SIDE=16,
        WIDTH=2,
        RECEPTIVE_FIELD=16,
        BATCH_SIZE=6,
        EPOCHS=1,
        SHOWN=3,
    )
    targets, sources = variables["test_targets"], variables["test_sources"]
    np.testing.assert_array_equal(targets, sources // 2)
    assert variables["models"]["L1 alone"].loss_names == ("l1",)
    first, second = variables["translated"].values()
    assert first.shape == second.shape == targets.shape and (first != second).any()
    scores = variables["scores"]
    assert set(scores) == {"input as it is", "L1 alone", "L1 and adversarial"}
    untouched = scores["input as it is"]
    psnr = kzoo.metrics.PSNR()
    psnr.update_state(targets, sources)
    assert untouched["PSNR in dB"] == psnr.result()
    assert untouched["edges"] == pytest.approx(2, rel=0.02)  # the targets have half the contrast
    assert variables["variation"](np.full((1, 4, 4, 3), 9, "uint8")) == 0
    assert {path.name for path in (emoji / "pix2pix").iterdir()} == {
        "pairs.png",
        "translations.png",
    }
