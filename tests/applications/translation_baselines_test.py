import importlib
import json
import pathlib
import types

import numpy as np
import pytest

APPLICATIONS = pathlib.Path(__file__).resolve().parents[2] / "applications"


@pytest.fixture
def script(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(APPLICATIONS))
    module = importlib.import_module("translation_baselines")
    monkeypatch.setattr(importlib.import_module("growing_recipe"), "UPDATES", 1)
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    return module


def photographs(count):
    """Smooth images in colour, uint8 (n, 64, 64, 3), with labels of flowers."""
    rng = np.random.default_rng(count)
    small = rng.integers(0, 256, (count, 8, 8, 3), dtype="uint8")
    return small.repeat(8, axis=1).repeat(8, axis=2), np.arange(count) % 102


def test_sources(script):
    images, _ = photographs(3)
    blurred, grey = script.enlarged(images), script.grey(images)
    assert blurred.shape == grey.shape == images.shape
    np.testing.assert_allclose(blurred.mean((1, 2)), images.mean((1, 2)), atol=2)
    assert (grey == grey[..., :1]).all()
    # With the right colours, a grey image is the original one, to the rounding of YCbCr.
    in_ycc = script.TASKS["colorization"].target(images)
    np.testing.assert_allclose(script.coloured(in_ycc, grey), images, atol=4)
    assert (script.coloured(in_ycc[..., :1].repeat(3, -1), grey) != images).any()
    # 16 of 64 pixels a side are left: what varies faster than a square of 4 is gone.
    checks = np.indices((64, 64)).sum(0) % 2 * 255
    assert script.enlarged(np.stack([checks] * 3, -1)[None].astype("uint8")).std() < 2


@pytest.mark.parametrize("task", ["super_resolution", "colorization"])
def test_a_task_is_trained_and_measured(script, task, monkeypatch, tmp_path):
    def load(args, split, labels):
        images, classes = photographs(6 if split == "train" else 5)
        return images, classes if labels else None

    monkeypatch.setattr(script, "load", load)
    args = types.SimpleNamespace(
        task=task, data="toy", images=2, width=2, seed=0, batch_size=2, work=tmp_path / "work"
    )
    result = script.run(args)
    (tmp_path / f"{task}.json").write_text(json.dumps(result))
    rows = result["rows"]
    names = [script.TASKS[task].title, "L1 alone", "Pix2Pix"]
    assert list(rows)[:3] == names
    assert all(np.isfinite(list(rows[name].values())).all() for name in names)
    assert ("accuracy" in rows["Pix2Pix"]) == (script.REAL in rows) == (task == "colorization")
    page = script.page()
    assert f"{rows['Pix2Pix']['psnr']:.2f}" in page and "5 test images of toy" in page
