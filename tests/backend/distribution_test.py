"""A few models on several devices, in a process of its own: devices are set up before all else."""

import json
import os
import subprocess
import sys

import keras

from tests.conftest import REPOSITORY

BACKEND = keras.backend.backend()


def test_several_devices_do_what_one_does():
    done = subprocess.run(
        [sys.executable, "-m", "tests.distributed", "GAN", "VAE", "CFGGAN"],
        cwd=REPOSITORY,
        env={**os.environ, "KERAS_BACKEND": BACKEND, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    found = {line["model"]: line["difference"] for line in lines}
    assert found["GAN"] < 1e-5 and found["VAE"] < 1e-5
    if BACKEND == "jax":
        assert found["CFGGAN"] < 1e-5
    else:
        assert found["CFGGAN"] == "refused"
