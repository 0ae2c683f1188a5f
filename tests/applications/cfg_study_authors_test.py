"""The authors' code in the study, with a stand-in for their checkout that records its calls."""

import json
import sys
import types

import keras
import numpy as np
import pytest

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="the authors' code is PyTorch"
)

CODE = """
import torch

calls, fails_at = [], None
d_loss_dflt, g_loss_dflt = "d_loss", "g_loss"

class OptimConfig:
    def __init__(self, opt):
        calls.append(("optimizer", opt.optim_type, opt.lr, opt.optim_a1, opt.optim_eps))

class DDG:
    def __init__(self, opt, d_config, g_config, z_gen, optim_config):
        self.calls, self.latents = calls, z_gen
        calls.append(("networks", d_config(True), g_config(False), opt.cfg_T, opt.cfg_eta))

    def initialize_G(self, g_loss, count):
        calls.append(("initialize", count))

    def icfg(self, loader, batches, d_loss, updates):
        batches = batches or iter(loader)
        images, _ = next(batches)
        calls.append(("grow", updates, tuple(images.shape), float(images.min())))
        if sum(call[0] == "grow" for call in calls) == fails_at:
            raise Exception("nan was detected.")
        return batches, 0.0

    def approximate(self, g_loss, count):
        calls.append(("approximate", count))

    def generate(self, count, t, batch_size):
        calls.append(("generate", count, t, batch_size))
        return self.latents(count)[:, :64].reshape(count, 1, 8, 8) + t / 10
"""
NETWORKS = """
def dcganx_D(width, side, channels, norm, requires_grad, depth):
    return "D", width, side, channels, norm, requires_grad, depth

def dcganx_G(latent_dim, width, side, channels, norm, requires_grad, depth):
    return "G", latent_dim, width, side, channels, norm, requires_grad, depth
"""


@pytest.fixture
def code(tmp_path, monkeypatch):
    """The module `cfggan` of a stand-in for the checkout in `tmp_path / "code"`."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "cfggan.py").write_text(CODE)
    (folder / "netdef.py").write_text(NETWORKS)
    before = set(sys.modules)
    assert not before & {"cfggan", "netdef"}
    monkeypatch.syspath_prepend(str(folder))
    import cfggan

    yield cfggan
    stand_ins = sys.modules["cfg_gan_pt"].STAND_INS
    for name in {"cfggan", "netdef", *stand_ins} - before:
        sys.modules.pop(name, None)


@pytest.fixture
def arguments(small, code):
    arguments = [*small.arguments, "--networks", "convolutional", "--methods", "authors"]
    return [*arguments, "--authors", str(small.folder / "code")]


def test_a_run(study, small, code, arguments):
    study.main.main(arguments)
    folder = small.folder / "runs" / "mnist-convolutional-authors-seed0"
    final = json.loads((folder / "final.json").read_text())
    assert (final["status"], final["updates"], final["images"]) == ("finished", 3, 3 * 2 * 64)
    assert sum(final["class_histogram"]) == sum(final["class_histogram_0"]) == 130
    assert final["class_histogram"] != final["class_histogram_0"]  # images of t = 2 and of t = 0
    assert {"torch", "cfg-gan-pt"} < set(final["machine"])
    assert (folder / "samples.png").is_file() and not (folder / "preset").exists()

    optimizer, networks, *calls = code.calls
    assert optimizer == ("optimizer", "RMSprop", 2.5e-4, 0.95, 1e-18)
    # Depth 1: one halving of 8 gives 4. T = 2, eta = .25.
    d, g = ("D", 2, 8, 1, "bn", True, 1), ("G", 100, 2, 8, 1, "bn", False, 1)
    assert networks == ("networks", d, g, 2, 0.25)
    grow = ("grow", 1, (64, 1, 8, 8), -1.0)
    curve = [("generate", 64, 2, 64), ("generate", 64, 0, 64)]
    # 130 images are three mini-batches of which 62 images are left out; 64 for the sheet.
    end = [("generate", 192, 2, 64), ("generate", 192, 0, 64), ("generate", 64, 2, 64)]
    between = ("approximate", 128)
    assert calls == [("initialize", 128), grow, *curve, between, grow, between, grow, *end]

    page = (small.folder / "STUDY.md").read_text()
    assert "| mnist | convolutional | xICFG (the authors' code) | 1 |" in page
    assert "| mnist | convolutional | xICFG (the authors' code), approximator alone | 1 |" in page
    assert "The authors' code is riejohnson/cfg-gan-pt on PyTorch" in page
    assert "RMSprop(learning_rate=0.00025, alpha=0.95, eps=1e-18)" in page


def test_nan(study, small, code, arguments):
    code.fails_at = 3
    study.main.main(arguments)
    folder = small.folder / "runs" / "mnist-convolutional-authors-seed0"
    final = json.loads((folder / "final.json").read_text())
    assert (final["status"], final["updates"]) == ("diverged", 2)
    assert final["reason"] == "training diverged: nan was detected."
    assert final["point"] == 0.5 and final["inception_score"] >= 1


def test_drawing(study, code, tmp_path):
    """From a seed, rounded and clipped, without a change of the training's random numbers."""
    import torch

    config = study.settings.run_config("authors", "convolutional", "mnist", 0, minutes=1)
    model = study.authors.AuthorsXICFG(config, (8, 8, 1), tmp_path / "code")
    images = np.zeros((64, 8, 8, 1), "uint8")
    model.stop_training = True
    model.fit(types.SimpleNamespace(images=images), 1, [])
    model.training.begin()
    state = torch.get_rng_state()
    drawn = model.generate(5, seed=3, steps=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert drawn.shape == (5, 8, 8, 1) and drawn.dtype == np.uint8
    np.testing.assert_array_equal(drawn, model.generate(64, seed=3, steps=1)[:5])
    assert (drawn != model.generate(5, seed=4, steps=1)).any()
    model.training.ddg.latents = lambda count: torch.full((count, 100), -0.5)
    # (-.5 + 1/10 + 1) 127.5 = 76.5, and (-.5 + 15/10 + 1) 127.5 = 255.
    assert set(np.unique(model.generate(2, seed=0, steps=1))) <= {76, 77}
    np.testing.assert_array_equal(model.generate(2, seed=0), 255)


def test_no_checkout(study, tmp_path):
    config = study.settings.run_config("authors", "convolutional", "mnist", 0, minutes=1)
    with pytest.raises(ValueError, match="--authors must be a checkout with cfggan.py, got None"):
        study.runs.build(config, (32, 32, 1))
