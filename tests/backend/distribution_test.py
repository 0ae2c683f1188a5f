"""Several devices, in processes of their own: devices are set up before all else."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import kzoo
from tests.conftest import REPOSITORY
from tests.small_models import small

BACKEND = keras.backend.backend()
MODELS = ["GAN", "VAE", "Classifier"]
if BACKEND == "torch":
    MODELS.append("PixelCNNPlusPlus")  # whose processes begin with statistics of all their data


def test_several_devices_do_what_one_does():
    done = subprocess.run(
        [sys.executable, "-m", "tests.distributed", *MODELS, "CFGGAN"],
        cwd=REPOSITORY,
        env={**os.environ, "KERAS_BACKEND": BACKEND, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    found = {line["model"]: line["difference"] for line in lines}
    assert all(found[name] < 1e-5 for name in MODELS)
    if BACKEND == "jax":
        assert found["CFGGAN"] < 1e-5
    else:
        assert found["CFGGAN"] == "refused"


def train(rank, folder):
    """One of two processes: it trains for four epochs, and for two and then up to the fourth."""
    import torch

    meeting = f"file://{folder}/meeting"
    torch.distributed.init_process_group("gloo", meeting, rank=rank, world_size=2)
    images = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), dtype="uint8")
    for name, parts in ((f"whole{rank}", [4]), ("resumed", [2, 4])):
        for epochs in parts:
            torch.distributed.barrier()  # the first has written
            keras.utils.set_random_seed(0)
            model = small("GAN")
            model.compile()
            options = {"callbacks": [kzoo.callbacks.Checkpoint(folder / name)], "verbose": 0}
            history = model.fit(images[rank::2], batch_size=8, epochs=epochs, **options)
            assert len(history.epoch) == (2 if name == "resumed" else 4)
        variables = (*model.trainable_variables, *model.optimizer.variables)
        values = [keras.ops.convert_to_numpy(v) for v in variables]
        losses = [history.history[key][-1] for key in model.loss_names]  # of all parts together
        np.savez(folder / f"{name.rstrip('01')} {rank}.npz", *values, losses)
    torch.distributed.destroy_process_group()


@pytest.mark.skipif(BACKEND != "torch", reason="several processes")
def test_one_of_several_processes_writes_checkpoints_and_all_go_on_from_them(tmp_path):
    import torch

    torch.multiprocessing.spawn(train, (tmp_path,), nprocs=2)
    assert not (tmp_path / "whole1").exists()
    files = sorted(path.name for path in (tmp_path / "whole0").iterdir())
    assert files == ["epoch_00000003.npz", "epoch_00000004.npz"]
    with np.load(tmp_path / "whole 0.npz") as expected:
        for name in ("whole 1", "resumed 0", "resumed 1"):
            with np.load(tmp_path / f"{name}.npz") as found:
                for key in expected:
                    np.testing.assert_array_equal(expected[key], found[key])
