import json

import numpy as np
import pytest
from PIL import Image

import kzoo
from kzoo.metrics import nearest_neighbors
from tests.cli.conftest import squares


def test_report_and_sheet(kzoo_main, saved, data, tmp_path):
    code, out, err = kzoo_main(
        *("neighbors", saved / "gan", "--data", data, "-n", 20, "--seed", 3, "--json"),
        *("--num-neighbors", 2, "-o", "out/panel.png"),
    )
    assert (code, err) == (0, "")
    report = json.loads(out)
    (training, _), (held_out, _) = squares(0, 60), squares(1, 30)
    samples = kzoo.GAN.from_preset(saved / "gan").generate(20, seed=3)
    indices, distances = nearest_neighbors(samples, training, 2)
    assert report["nearest"] == indices.tolist()
    np.testing.assert_allclose(report["distances"], distances)
    assert report["mean_distance_of_samples"] == pytest.approx(distances[:, 0].mean())
    real = nearest_neighbors(held_out, training)[1].mean()
    assert report["mean_distance_of_held_out"] == pytest.approx(real)
    assert (
        report["training_images"] == "60 images of squares.npz train, not known whether trained on"
    )
    assert report["held_out"] == "30 images of squares.npz test, not known whether trained on"
    sheet = np.asarray(Image.open(tmp_path / "out" / "panel.png"))
    assert sheet.shape == (16 * 18 + 2, 3 * 18 + 2)  # 8x8 pixels, enlarged twice
    np.testing.assert_array_equal(sheet[2:18:2, 2:18:2], samples[0, :, :, 0])
    np.testing.assert_array_equal(sheet[2:18:2, 20:36:2], training[indices[0, 0], :, :, 0])


def test_text(kzoo_main, saved, data, tmp_path):
    code, out, err = kzoo_main(
        *("neighbors", saved / "cfggan", "--data", data, "-n", 3, "--steps", 0),
        *("--held-out", "train"),
    )
    assert (code, err) == (0, "") and (tmp_path / "neighbors.png").exists()
    assert "nearest of 60 images of squares.npz train" in out
    rows = {line[:8].strip(): line.split() for line in out.splitlines()}
    assert float(rows["samples"][1]) > 0
    assert float(rows["real ima"][2]) == 0  # each is among the training images


def test_black_and_white_models_are_compared_with_binarized_images(kzoo_main, saved, data):
    code, out, _ = kzoo_main("neighbors", saved / "vae", "--data", data, "-n", 2, "--json")
    assert code == 0
    assert json.loads(out)["training_images"].endswith(", binarized once with seed 0")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["gan"], "does not record what its model was trained on: name images with --data"),
        (
            ["gan", "--data", "{data}", "--num-neighbors", "61"],
            "--num-neighbors: expected at most 60",
        ),
        (["gan", "--data", "{data}", "--held-out", "none"], "no array 'x_none'"),
        (["classifier", "--data", "{data}"], "is a Classifier, not a GenerativeModel"),
    ],
)
def test_errors(kzoo_main, saved, data, arguments, message):
    preset, *rest = (argument.format(data=data) for argument in arguments)
    code, _, err = kzoo_main("neighbors", saved / preset, *rest)
    assert code == 1 and message in err
