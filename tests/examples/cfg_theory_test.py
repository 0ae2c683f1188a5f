import matplotlib.pyplot as plt
import numpy as np
import pytest

from tests.examples import gallery

SMALL = {
    "STEP_SIZES": (0.01, 0.005),
    "TIME": 0.2,
    "SHOWN": (0.0, 0.2),
    "NUM_STEPS": 8,
    "DISCRIMINATOR_STEPS": (1, 10),
    "STEP_SIZE": 0.004,
    "BATCH_SIZE": 64,
    "UNITS": 32,
    "NUM_SAMPLES": 500,
    "GROWTH": (0, 8),
}


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    plt.close("all")


def test_runs_to_its_end(empty_folder):
    variables = gallery.run("generative/cfg_theory.py", **SMALL)
    # The exact discriminators: every step lowers the divergence, as the theorem says.
    largest = {}
    for key, (densities, measured, predicted) in variables["results"].items():
        assert (np.diff(measured) < 0).all()
        assert measured[0] - measured[-1] > 0.1
        largest[key] = np.abs(measured - predicted).max()
        for nodes, density in densities:
            assert np.trapezoid(density, nodes) == pytest.approx(1, abs=1e-2)
    assert len(largest) == 4 and max(largest.values()) < 0.01
    assert largest["normal", 0.005] == pytest.approx(largest["normal", 0.01] / 2, rel=0.1)

    # The learned ones: the points of all steps, towards the data.
    assert set(variables["runs"]) == {1, 10}
    for samples, rates in variables["runs"].values():
        assert np.shape(samples) == (9, 500, 2) and len(rates) == 8 and min(rates) > 0
    measured, predicted = variables["measured"], variables["predicted"]  # of 10 updates
    assert measured[-1] < 0.8 * measured[0]
    assert (np.diff(predicted) < 0).all() and predicted[0] == measured[0]

    assert {path.name for path in (empty_folder / "cfg_theory").iterdir()} == {
        "line.png",
        "plane.png",
        "samples.png",
    }
