import numpy as np
import pytest

from tests.examples import gallery


def test_runs_to_its_end(mnist):
    variables = gallery.run(
        "generative/anomaly_detection.py",
        TRAIN_SPLIT="train[:8]",
        NORMAL_SPLIT="test[:4]",
        ANOMALOUS_SPLIT="test[:4]",
        LEVELS=4,
        FILTERS=2,
        NUM_BLOCKS=1,
        BATCH_SIZE=4,
        EPOCHS=1,
    )
    auroc = variables["auroc"]
    assert auroc(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 1
    assert auroc(np.array([1.0, 3.0]), np.array([1.0, 3.0])) == 0.5
    assert auroc(np.array([0.0, 2.0]), np.array([1.0, 3.0, 3.0])) == pytest.approx(1 / 6)
    blank, noise = np.zeros((1, 28, 28, 1), "uint8"), variables["noise"][:1]
    assert variables["png_nats"](blank) < variables["png_nats"](noise)
    assert len(variables["areas"]) == 3
    folder = mnist / "anomaly_detection"
    assert {path.name for path in folder.iterdir()} == {"images.png", "scores.png"}
