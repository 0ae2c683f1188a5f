"""Tiny presets of every class, and a file of tiny images."""

import keras
import numpy as np
import pytest

import kzoo
from kzoo.cli.trained_on import fingerprint
from kzoo.metrics import measure_reference
from tests.models.autoregressive import pixel_checks

SHAPE = (8, 8, 1)

MODELS = {
    "autoencoder": lambda: kzoo.Autoencoder(SHAPE, 2, widths=(3,), dense_width=4, seed=0),
    "vae": lambda: kzoo.VAE(SHAPE, latent_dim=2, widths=(3,), dense_width=4, seed=0),
    "gan": lambda: kzoo.GAN(SHAPE, latent_dim=3, width=2),
    "pixelcnn": lambda: kzoo.PixelCNN(SHAPE, filters=2, num_blocks=1, head_filters=2),
    "gatedpixelcnn": lambda: kzoo.GatedPixelCNN(
        SHAPE, filters=2, num_layers=1, head_filters=2, num_classes=4
    ),
    "cfggan": lambda: kzoo.CFGGAN(
        SHAPE, latent_dim=3, num_steps=2, pool_size=8, batch_size=4, width=2, step_size=5.0
    ),
    "classifier": lambda: kzoo.Classifier(SHAPE, num_classes=4, widths=(3, 5)),
}


def squares(seed, n):
    """Images with one bright quadrant each, and which one: uint8 (n, 8, 8, 1), (n,)."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, n)
    images = rng.integers(0, 128, (n, *SHAPE), dtype="uint8")
    for image, label in zip(images, labels, strict=True):
        top, left = 4 * (label // 2), 4 * (label % 2)
        image[top : top + 4, left : left + 4] += 127
    return images, labels


@pytest.fixture(scope="package")
def data(tmp_path_factory):
    """An .npz file of 60 training and 30 test images."""
    path = tmp_path_factory.mktemp("data") / "squares.npz"
    (x_train, y_train), (x_test, y_test) = squares(0, 60), squares(1, 30)
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


@pytest.fixture(scope="package")
def saved(tmp_path_factory, data):
    """A folder with one untrained preset per class, `vae`, `gan`, ...

    The classifier's records that it has statistics of the tiny training images.
    """
    folder = tmp_path_factory.mktemp("presets")
    keras.utils.set_random_seed(0)  # a fixture of a package comes before `fixed_seed`
    for family, make in MODELS.items():
        model, metadata = make(), {}
        if family == "classifier":
            model.reference = measure_reference(model, *squares(0, 60), squares(1, 30)[0])
            record = {"data": str(data), "split": "train", "sha256": fingerprint(data, "train")}
            metadata["trained_on"] = record
        if family == "cfggan":
            for snapshot in model.snapshots:  # so that a functional gradient step shows
                snapshot.assign(np.random.default_rng(0).normal(size=snapshot.shape))
        if family == "gatedpixelcnn":
            pixel_checks.randomize(model, scale=4.0)
        model.save_to_preset(folder / family, **metadata)
    return folder


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Every test runs in a folder of its own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def kzoo_main(capsys):
    """Runs a command; returns `(exit code, standard output, standard error)`."""
    from kzoo.cli import main

    def run(*arguments):
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as exit_:  # argparse
            code = exit_.code
        return code, *capsys.readouterr()

    return run
