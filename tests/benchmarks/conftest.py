import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "benchmarks"))


@pytest.fixture
def tiny():
    """Arguments of a CFGGAN that takes no time."""
    return {
        "latent_dim": 3,
        "num_steps": 2,
        "discriminator_steps": 1,
        "pool_size": 8,
        "batch_size": 4,
        "approximator_epochs": 1,
        "image_shape": (8, 8, 1),
        "width": 2,
        "step_size": 0.5,
    }
