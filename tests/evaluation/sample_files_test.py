import tracemalloc

import numpy as np
import pytest
from PIL import Image

import kzoo
from kzoo.evaluation import protocols


@pytest.fixture
def model():
    return kzoo.GAN((8, 8, 1), latent_dim=3, width=2)


def test_files_hold_what_generate_draws(model, tmp_path):
    images = model.generate(12, seed=4)
    assert kzoo.save_samples(model, tmp_path / "new" / "x.npy", 12, seed=4) == (
        tmp_path / "new" / "x.npy"
    )
    np.testing.assert_array_equal(np.load(tmp_path / "new" / "x.npy"), images)
    kzoo.save_samples(model, tmp_path / "folder", 12, seed=4)
    files = sorted((tmp_path / "folder").iterdir())
    assert [file.name for file in files] == [f"{i:02}.png" for i in range(12)]
    np.testing.assert_array_equal(np.stack([Image.open(f) for f in files]), images[..., 0])


def test_a_name_of_another_kind(model, tmp_path):
    with pytest.raises(ValueError, match="a folder or the name of a .npy file"):
        kzoo.save_samples(model, tmp_path / "x.npz", 2)
    assert not list(tmp_path.iterdir())


def test_what_is_broken_off_leaves_nothing(model, tmp_path, monkeypatch):
    monkeypatch.setattr(protocols, "SAMPLE_GROUP", 2)
    drawn = []

    def generate(count, **options):
        if drawn:
            raise KeyboardInterrupt
        drawn.append(count)
        return np.zeros((count, 8, 8, 1), "uint8")

    monkeypatch.setattr(model, "generate", generate)
    with pytest.raises(KeyboardInterrupt):
        kzoo.save_samples(model, tmp_path / "x.npy", 4)
    assert drawn == [2] and not list(tmp_path.iterdir())


def test_memory_does_not_grow_with_the_number(model, tmp_path, monkeypatch):
    """What Python holds at most is a few groups, and not all images."""
    monkeypatch.setattr(protocols, "SAMPLE_GROUP", 64)
    zeros = lambda count, **options: np.zeros((count, 64, 64, 3), "uint8")  # noqa: E731
    monkeypatch.setattr(model, "generate", zeros)
    kzoo.save_samples(model, tmp_path / "x.npy", 64)
    tracemalloc.start()
    kzoo.save_samples(model, tmp_path / "x.npy", 64 * 40)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * zeros(64).nbytes
    assert np.load(tmp_path / "x.npy", mmap_mode="r").shape == (64 * 40, 64, 64, 3)
