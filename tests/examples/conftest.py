"""Where the examples run: a folder of their own, with the prepared MNIST or made-up emoji."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import kzoo


@pytest.fixture
def mnist(tfds_dir, tmp_path, monkeypatch):
    """Changes to an empty folder, from which the examples find MNIST; closes their figures."""
    pytest.importorskip("tensorflow_datasets")
    monkeypatch.setenv("TFDS_DATA_DIR", tfds_dir)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    plt.close("all")


@pytest.fixture
def emoji(tmp_path, monkeypatch):
    """Changes to an empty folder, and makes up the pairs of `emoji_pairs`; closes figures.

    In the second style an image is darker. Its name says the colour of its brightest channel.
    """

    def load(name, split, batch_size, *, features, image_size, shuffle):
        assert name == "emoji_pairs"
        images = np.random.default_rng(len(split)).integers(
            0, 256, (6, image_size, image_size, 3), dtype="uint8"
        )
        brightest = np.arange(6) % 3
        images[np.arange(6), ..., brightest] |= 128
        names = np.array(["", "a green one", "a blue one", "a red one", "green", "blue"])
        pairs = {"input_image": images, "target_image": images // 2, "name": names}
        given = {name: pairs[name] for name in features}
        return kzoo.datasets.ArrayDataset(given, batch_size=batch_size, shuffle=shuffle)

    monkeypatch.setattr(kzoo.datasets, "load", load)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    plt.close("all")
