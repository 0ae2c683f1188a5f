"""The tiny presets and images of `tests/cli`, and files of every wrong kind."""

import shutil

import numpy as np
import pytest
from PIL import Image

import kzoo
from kzoo.cli import main
from tests.cli.conftest import SHAPE, data, kzoo_main, saved, squares  # noqa: F401

PAIRS = (16, 16, 3)
#: A training that is done already.
TRAINING = "train vae --data squares.npz --set latent_dim=2 --set widths=(3,) --set dense_width=4"


def write_images(folder, images):
    folder.mkdir(parents=True)
    for i, image in enumerate(images):
        Image.fromarray(image.squeeze()).save(folder / f"{i:02}.png")


@pytest.fixture(scope="package")
def original(tmp_path_factory, saved, data):  # noqa: F811
    """A folder of presets, images and what a user may take for them."""
    folder = tmp_path_factory.mktemp("wrong") / "place"
    shutil.copytree(saved, folder)
    shutil.copy(data, folder / "squares.npz")
    kzoo.TextToImageGAN(
        SHAPE, ["dark", "bright"], latent_dim=3, width=2, text_dim=4, compressed_dim=3, max_words=3
    ).save_to_preset(folder / "captioned")
    kzoo.Pix2Pix(PAIRS, width=2, receptive_field=16).save_to_preset(folder / "pix2pix")
    kzoo.CycleGAN(PAIRS, width=2, blocks=1, receptive_field=16).save_to_preset(folder / "cyclegan")
    images, labels = squares(0, 12)
    write_images(folder / "photos", images)
    write_images(folder / "sources", images[:5])
    write_images(folder / "sizes", [images[0], np.repeat(images[1], 2, axis=0)])
    for name in ("empty", "texts", "damaged"):
        (folder / name).mkdir()
    for name in ("texts/notes.txt", "notes.txt", "notes.npz", "notes.npy", "notes.keras"):
        (folder / name).write_text("some notes")
    (folder / "blank.txt").write_text("\n")
    (folder / "damaged" / "0.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    np.save(folder / "few.npy", images[:5])
    np.save(folder / "numbers.npy", np.arange(5))
    np.savez(folder / "labels.npz", y_train=labels)
    np.savez(folder / "lengths.npz", x_train=images, y_train=labels[:3])
    np.savez(folder / "halves.npz", images=images, labels=labels / 2)
    np.savez(folder / "rgb.npz", x_train=np.repeat(images, 3, axis=3))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main([*TRAINING.split(), "--epochs", "2"]) == 0
    return folder


@pytest.fixture
def place(original, tmp_path, monkeypatch):
    """A copy of that folder, in which the test runs."""
    place = tmp_path / "place"
    shutil.copytree(original, place)
    monkeypatch.chdir(place)
    return place
