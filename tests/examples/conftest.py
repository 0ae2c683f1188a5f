"""Where the examples run: a folder of their own, with the prepared MNIST."""

import matplotlib.pyplot as plt
import pytest


@pytest.fixture
def mnist(tfds_dir, tmp_path, monkeypatch):
    """Changes to an empty folder, from which the examples find MNIST; closes their figures."""
    pytest.importorskip("tensorflow_datasets")
    monkeypatch.setenv("TFDS_DATA_DIR", tfds_dir)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    plt.close("all")
