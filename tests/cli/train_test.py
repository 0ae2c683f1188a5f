import csv
import json
import sys

import keras
import numpy as np
import pytest

import kzoo
from kzoo import cli
from kzoo.callbacks import SampleGrid
from kzoo.cli import common, training
from kzoo.cli import train as train_command
from kzoo.evaluation import protocols
from tests.cli.conftest import squares

TINY = {
    "vae": ["--set", "latent_dim=2", "--set", "widths=(3,)", "--set", "dense_width=4"],
    "gan": ["--set", "latent_dim=3", "--set", "width=2"],
    "pixelcnn": ["--set", "filters=2", "--set", "num_blocks=1", "--set", "levels=2"],
    "gatedpixelcnn": [
        *("--set", "filters=2", "--set", "num_layers=1", "--set", "levels=2"),
        *("--set", "num_classes=4"),
    ],
    "cfggan": [
        *("--set", "num_steps=2", "--set", "pool_size=8", "--set", "approximator_epochs=1"),
        *("--set", "latent_dim=3", "--set", "width=2", "--batch-size", 4),
    ],
}


@pytest.fixture
def train(kzoo_main, data):
    def run(family, *more):
        few = ["--data", data, "--batch-size", 20, "--epochs", 1, "--output", "new"]
        return kzoo_main("train", family, *few, *TINY[family], *more)

    return run


def log(folder):
    with open(folder / "log.csv") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("family", TINY)
def test_trains_and_saves_a_preset(train, kzoo_main, tmp_path, family):
    code, out, err = train(family)
    assert (code, err) == (0, "")
    assert "Training a " in out and "Saved new." in out
    model = kzoo.GenerativeModel.from_preset(tmp_path / "new")
    assert type(model).__name__.lower() == family and model.image_shape == (8, 8, 1)
    sheets = [path.name for path in (tmp_path / "new-run" / "samples").iterdir()]
    assert sheets == ["epoch_0001.png"]
    rows = log(tmp_path / "new-run")
    assert len(rows) == 1 and set(model.loss_names) <= set(rows[0])
    metadata = json.loads((tmp_path / "new" / "metadata.json").read_text())
    assert metadata["command"].startswith(f"kzoo train {family} --data ")
    assert "squares.npz train" in metadata["data"] and "dataset" not in metadata


def test_training_is_that_of_the_python_api(train, data, tmp_path):
    """The options arrive where they belong: the same training, written out, has equal weights."""
    options = ["--learning-rate", "0.01", "--seed", 5, "--steps-per-epoch", 2, "--epochs", 2]
    assert train("gan", *options)[0] == 0
    keras.utils.set_random_seed(5)
    dataset = kzoo.datasets.from_arrays(data, batch_size=20, seed=5)
    gan = kzoo.GAN((8, 8, 1), latent_dim=3, width=2)
    gan.compile(keras.optimizers.Adam(0.01, beta_1=0.5), keras.optimizers.Adam(0.01, beta_1=0.5))
    batches = ((batch,) for _ in range(2) for batch in dataset)  # 3 in a pass
    sheets = SampleGrid(tmp_path / "s")
    gan.fit(batches, epochs=2, steps_per_epoch=2, verbose=0, callbacks=[sheets])
    trained = kzoo.GAN.from_preset(tmp_path / "new")
    for ours, theirs in zip(gan.weights, trained.weights, strict=True):
        ours, theirs = keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs)
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_goes_on_from_the_last_finished_epoch(train, tmp_path, monkeypatch):
    write = SampleGrid._write

    def interrupted(self, name):
        write(self, name)
        if name == "epoch_0002.png":
            raise KeyboardInterrupt

    monkeypatch.setattr(SampleGrid, "_write", interrupted)
    code, _, err = train("vae", "--epochs", 3)
    assert code == 130
    assert err.startswith("kzoo: stopped, no preset written; ") and err.count("\n") == 1
    assert not (tmp_path / "new").exists()
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert train("vae", "--epochs", 3)[0] == 0
    assert [row["epoch"] for row in log(tmp_path / "new-run")] == ["0", "1", "2"]
    code, _, err = train("vae", "--set", "latent_dim=3", "--epochs", 3)
    assert code == 1
    assert "'new-run' holds a training with other settings (model); give another --work" in err


def test_stages(train, tmp_path):
    code, out, err = train("cfggan", "--stages", 3, "--epochs", 1)
    assert (code, err) == (0, "")
    model = kzoo.CFGGAN.from_preset(tmp_path / "new")
    assert int(keras.ops.convert_to_numpy(model.stage)) == 3


def test_goes_on_from_a_preset(train, kzoo_main, data, tmp_path):
    """The weights are the preset's before training and others afterwards; so is the count."""
    assert train("cfggan", "--stages", 1)[0] == 0
    few = ["--data", data, "--batch-size", 4, "--stages", 2, "--output", "more"]
    code, out, err = kzoo_main("train", "cfggan/new", *few)
    assert (code, err) == (0, "")
    more = kzoo.CFGGAN.from_preset(tmp_path / "more")
    assert more.num_steps == 2 and int(keras.ops.convert_to_numpy(more.stage)) == 3
    code, _, err = kzoo_main("train", "cfggan/new", *few, "--batch-size", 5, "--work", "w")
    assert code == 1 and "the preset cfggan/new has batch_size 4, the command 5" in err
    code, _, err = kzoo_main("train", "cfggan/new", *few, "--set", "width=3", "--work", "w")
    assert code == 1 and "--set width: the preset 'new' has its arguments" in err
    code, _, err = kzoo_main("train", "cfg/new", *few)
    assert code == 2 and "got 'cfg/new'" in err


def opened(*arguments):
    """The training data, their shape and description for a command, and the model."""
    args = cli.parser().parse_args(["train", *map(str, arguments)])
    model, dataset, text = train_command.prepare(args, common.model_class(args.model))
    return dataset, model.image_shape, text, model


@pytest.fixture
def digits(tmp_path):
    """A file of 20 grey images of 28x28."""
    images = np.random.default_rng(0).integers(0, 256, (20, 28, 28), dtype="uint8")
    np.save(tmp_path / "digits.npy", images)
    return tmp_path / "digits.npy"


@pytest.mark.parametrize("family", ["vae", "pixelcnn"])
def test_binary_images_by_default_for_digits(digits, data, family):
    small = {"vae": "widths=(3,)", "pixelcnn": "num_blocks=1"}[family]
    dataset, shape, text, model = opened(family, "--data", digits, "--set", small)
    assert protocols.is_binary(model) and set(np.unique(dataset[0])) == {0, 255}
    assert shape == (28, 28, 1) and "binarized anew in every epoch" in text
    dataset, shape, text, model = opened(family, "--data", data, "--set", small)
    assert not protocols.is_binary(model) and len(np.unique(dataset[0])) > 2
    assert shape == (8, 8, 1) and "binarized" not in text
    other = {"vae": "likelihood=gaussian", "pixelcnn": "levels=4"}[family]
    dataset, _, text, _ = opened(family, "--data", digits, "--set", small, "--set", other)
    assert len(np.unique(dataset[0])) > 2 and "binarized" not in text


def test_digits_are_padded_for_a_gan(digits):
    dataset, shape, text, model = opened(
        "gan", "--data", digits, "--set", "width=2", "--set", "latent_dim=2"
    )
    assert shape == model.image_shape == (32, 32, 1) and "zero-padded" in text
    assert dataset[0].shape == (20, 32, 32, 1) and not dataset[0][:, :2].any()


def test_a_folder_of_images(tmp_path):
    (tmp_path / "photos").mkdir()
    for i, image in enumerate(squares(0, 6)[0]):
        rgb = np.repeat(np.repeat(image, 3, axis=2), 1 + i % 2, axis=0)
        kzoo.visualization.grid.write_png(tmp_path / "photos" / f"{i}.png", rgb)
    with pytest.raises(ValueError, match="images have different sizes"):
        opened("gan", "--data", "photos")
    few = ["--data", "photos", "--set", "width=2"]
    _, shape, text, model = opened("gan", *few, "--image-size", 8)
    assert shape == model.image_shape == (8, 8, 3) and "cropped and resized" in text
    assert opened("gan", *few, "--image-size", "8x16", "--channels", 1)[1] == (8, 16, 1)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--set", "latents=3"], "--set latents: not an argument to set for a VAE: expected one"),
        (["--set", "image_shape=3"], "it follows from the data (--image-size)"),
        (["--set", "encoder=3"], "encoder must be a keras.Model, got 3"),
        (["--stages", "3"], "--stages: a VAE does not train in stages"),
        (["--set", "latent_dim=big"], "latent_dim must be a positive integer, got 'big'"),
        (["--set", "kl_weight=big"], "--set {"),
        (["--set", "likelihood=cauchy"], "got 'cauchy'"),
        (["--learning-rate", "-1"], "--learning-rate must be a positive number, got -1.0"),
        (["--data", "missing.npz"], "missing.npz"),
        (["--data", "broken.npz"], "cannot read images from 'broken.npz'"),
        (["--data", "notes.npz"], "notes.npz"),
        (["--data", "notes.txt"], "cannot read images from the file 'notes.txt'"),
        (["--data", "empty"], "no image files"),
        (["--data", "~/no/such/file"], "there is no file or folder '~/no/such/file'"),
        (["--split", "validation"], "no array 'x_validation' among"),
        (["--output", "notes.txt"], "--output: 'notes.txt' is a file"),
    ],
)
def test_mistakes(train, tmp_path, arguments, message):
    (tmp_path / "broken.npz").write_bytes(b"PK\3\4")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "notes.npz").write_text("some notes")
    (tmp_path / "empty").mkdir()
    code, _, err = train("vae", *arguments)
    assert code == 1
    assert err.startswith("kzoo: error: ") and err.count("\n") == 1
    assert message in err and "allow_pickle" not in err
    assert not (tmp_path / "new").exists()


def test_a_data_set_without_tensorflow(train, monkeypatch):
    for name in ("tensorflow", "tensorflow_datasets"):
        monkeypatch.setitem(sys.modules, name, None)
    code, _, err = train("vae", "--data", "mnist")
    assert code == 1 and err.startswith("kzoo: error: --data mnist: ") and err.count("\n") == 1
    assert "Give --data a folder of image files or a file.npz" in err
    assert "kzoo.datasets.save_npz('file.npz', 'mnist')" in err


def test_an_unknown_data_set(train, tfds_dir, monkeypatch):
    pytest.importorskip("tensorflow_datasets")
    monkeypatch.setenv("TFDS_DATA_DIR", tfds_dir)
    code, _, err = train("vae", "--data", "mnits")
    assert code == 1 and "unknown data set 'mnits'; did you mean mnist" in err


def test_too_few_images(train, tmp_path):
    np.save(tmp_path / "few.npy", squares(0, 7)[0])
    code, _, err = train("cfggan", "--data", "few.npy")
    assert code == 1 and "takes 8 images; the data have fewer" in err
    # A run that failed before its first epoch is none to go on from.
    training.claim(tmp_path / "new-run", {"model": {"latent_dim": 5}})


def test_divergence_is_no_preset(train, tmp_path):
    code, _, err = train("vae", "--learning-rate", "1e30", "--epochs", 3)
    assert code == 1 and "training diverged: " in err and err.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_a_conditional_model_learns_the_folders_of_its_images(kzoo_main, tmp_path):
    for i, (image, label) in enumerate(zip(*squares(0, 20), strict=True)):
        folder = tmp_path / "photos" / f"class_{label}"
        folder.mkdir(parents=True, exist_ok=True)
        kzoo.visualization.grid.write_png(folder / f"{i}.png", image)
    few = ["--data", "photos", "--channels", 1, "--batch-size", 10, "--epochs", 1]
    small = ["--set", "latent_dim=2", "--set", "width=2", "--set", "num_classes=4"]
    code, out, err = kzoo_main("train", "gan", *few, *small, "--output", "new")
    assert (code, err) == (0, ""), err
    assert kzoo.GAN.from_preset(tmp_path / "new").num_classes == 4


def test_a_prior_is_trained_after_its_model(kzoo_main, data, tmp_path):
    few = ["--data", data, "--batch-size", 20, "--epochs", 2, "--output", "new"]
    small = ["--set", "num_codes=4", "--set", "width=4", "--set", "code_dim=2", "--set", "blocks=1"]
    code, out, err = kzoo_main("train", "vqvae", *few, *small)
    assert (code, err) == (0, ""), err
    assert len(log(tmp_path / "new-run")) == len(log(tmp_path / "new-run" / "prior")) == 2
    assert not (tmp_path / "new-run" / "samples").exists()  # nothing draws before the prior
    assert kzoo_main("generate", "new", "-n", 2)[0] == 0


def test_an_autoencoder_is_trained_without_sheets(kzoo_main, data, tmp_path):
    few = ["--data", data, "--batch-size", 20, "--epochs", 1, "--output", "new"]
    small = ["--set", "latent_dim=2", "--set", "widths=(3,)", "--set", "dense_width=4"]
    code, out, err = kzoo_main("train", "autoencoder", *few, *small)
    assert (code, err) == (0, "") and "Next: kzoo evaluate new" in out
    assert kzoo.Autoencoder.from_preset(tmp_path / "new").image_shape == (8, 8, 1)
    assert not (tmp_path / "new-run" / "samples").exists()
