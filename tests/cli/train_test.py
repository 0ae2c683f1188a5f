import csv
import json
import shutil
import sys

import keras
import numpy as np
import pytest

import kzoo
from kzoo import cli
from kzoo.callbacks import SampleGrid
from kzoo.cli import common, training
from kzoo.cli import train as train_command
from kzoo.evaluation.capabilities import is_binary
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
    assert "squares.npz train" in metadata["data"]
    assert metadata["trained_on"]["num_images"] == 60 and metadata["trained_on"]["sha256"]


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
    options = ["--epochs", 3, "--steps-per-epoch", 2]  # of the 3 in a pass
    code, _, err = train("vae", *options)
    assert code == 130
    assert err.startswith("kzoo: stopped, no preset written; ") and err.count("\n") == 1
    assert not (tmp_path / "new").exists()
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert train("vae", *options)[0] == 0
    assert [row["epoch"] for row in log(tmp_path / "new-run")] == ["0", "1", "2"]
    assert train("vae", *options, "--output", "whole")[0] == 0
    whole, parts = (kzoo.VAE.from_preset(tmp_path / name) for name in ("whole", "new"))
    for a, b in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    code, _, err = train("vae", "--set", "latent_dim=3", *options)
    assert code == 1
    assert "'new-run' holds a training with other settings (the model's latent_dim); give" in err


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
    assert code == 1 and "--set width: the preset 'new' fixes its arguments" in err
    code, _, err = kzoo_main("train", "cfg/new", *few)
    assert code == 2 and "got 'cfg/new'" in err


def opened(*arguments):
    """The training data, their shape and description for a command, and the model."""
    args = cli.parser().parse_args(["train", *map(str, arguments)])
    args.model, args.preset = args.model
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
    assert is_binary(model) and set(np.unique(dataset[0])) == {0, 255}
    assert shape == (28, 28, 1) and "binarized anew in every epoch" in text
    dataset, shape, text, model = opened(family, "--data", data, "--set", small)
    assert not is_binary(model) and len(np.unique(dataset[0])) > 2
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
        (["--set", "kl_weight=big"], "kl_weight must be 0 or positive, got 'big'"),
        (["--set", "likelihood=cauchy"], "got 'cauchy'"),
        (["--data", "missing.npz"], "missing.npz"),
        (["--data", "broken.npz"], "cannot read images from 'broken.npz'"),
        (["--data", "notes.npz"], "notes.npz"),
        (["--data", "notes.txt"], "cannot read images from the file 'notes.txt'"),
        (["--data", "empty"], "no image files"),
        (["--data", "~/no/such/file"], "there is no file or folder '~/no/such/file'"),
        (["--split", "validation"], "no array 'x_validation' among"),
        (["--output", "notes.txt"], "--output: 'notes.txt' is a file"),
        (["--data", "empty", "--split", "test"], "'empty' has no splits, expected 'train'"),
        (["--data", "mnist", "--validation-split", "0.1"], "name a part with --split, such as tr"),
        (["--classifier", "../mine"], "expected the name of a preset or of a folder here"),
        (["--classifier", "none"], "'none' is neither a folder nor a preset"),
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
    assert code == 1
    assert "'mnits', and no folder or file of this name; did you mean mnist" in err


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


def test_another_preset_is_not_replaced_without_a_word(train, tmp_path):
    assert train("vae")[0] == 0
    code, _, err = train("gan", "--work", "other")
    assert code == 1 and "'new' holds a preset already, a VAE" in err and err.count("\n") == 1
    assert isinstance(kzoo.GenerativeModel.from_preset(tmp_path / "new"), kzoo.VAE)
    assert train("gan", "--work", "other", "--overwrite")[0] == 0
    assert isinstance(kzoo.GenerativeModel.from_preset(tmp_path / "new"), kzoo.GAN)


def test_fewer_epochs_than_it_had_are_no_training(train, tmp_path):
    assert train("vae", "--epochs", 2)[0] == 0
    before = (tmp_path / "new" / "metadata.json").read_bytes()
    code, _, err = train("vae", "--epochs", 1)
    assert code == 1 and "--epochs 1: the training in 'new-run' has had 2 epochs already" in err
    assert (tmp_path / "new" / "metadata.json").read_bytes() == before


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
    assert len(log(tmp_path / "new-run")) == len(log(tmp_path / "new-run" / "prior" / "2")) == 2
    assert not (tmp_path / "new-run" / "samples").exists()  # nothing draws before the prior
    code, _, err = kzoo_main("generate", "new", "-n", 2)
    assert (code, err) == (0, ""), err


def test_a_prior_s_training_goes_on_as_if_nothing_had_happened(kzoo_main, data, tmp_path):
    """It depends neither on the epochs that this process has trained, nor on earlier priors."""
    few = ["--data", data, "--batch-size", 20, "--output", "new"]
    small = ["--set", "num_codes=4", "--set", "width=4", "--set", "code_dim=2", "--set", "blocks=1"]
    work = tmp_path / "new-run"

    def weights(epochs):
        keras.utils.clear_session()  # the prior's name counts models, as in a new process
        code, _, err = kzoo_main("train", "vqvae", *few, *small, "--epochs", epochs)
        assert (code, err) == (0, ""), err
        return kzoo.VQVAE.from_preset(tmp_path / "new").get_weights()

    whole = weights(2)
    (work / "prior" / "2" / "checkpoint" / "epoch_00000002.npz").unlink()
    second_epoch = weights(2)
    shutil.rmtree(work / "prior")  # killed as soon as the model was trained
    all_epochs = weights(2)
    shutil.rmtree(work)
    shutil.rmtree(tmp_path / "new")
    weights(1)
    orderly = weights(2)
    for again in (second_epoch, all_epochs, orderly):
        for a, b in zip(whole, again, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_rate_that_decays_begins_with_the_one_given():
    model = kzoo.PixelCNNPlusPlus((4, 4, 1), 2, num_resnets=1, num_mixtures=1, num_resolutions=1)
    training.compile_model(model, 0.25)
    config = model.optimizer.get_config()
    assert config["learning_rate"]["config"]["initial_learning_rate"] == 0.25
    assert config["learning_rate"]["config"]["decay_rate"] == 0.999995
    assert config["use_ema"] and config["beta_1"] == 0.95
    gan = kzoo.GAN((8, 8, 1), latent_dim=2, width=2)
    training.compile_model(gan, 0.25)
    assert gan.d_optimizer.learning_rate == gan.g_optimizer.learning_rate == 0.25


def test_an_autoencoder_is_trained_without_sheets(kzoo_main, data, tmp_path):
    few = ["--data", data, "--batch-size", 20, "--epochs", 1, "--output", "new"]
    small = ["--set", "latent_dim=2", "--set", "widths=(3,)", "--set", "dense_width=4"]
    code, out, err = kzoo_main("train", "autoencoder", *few, *small)
    assert (code, err) == (0, "") and "Next: kzoo evaluate new" in out
    assert kzoo.Autoencoder.from_preset(tmp_path / "new").image_shape == (8, 8, 1)
    assert not (tmp_path / "new-run" / "samples").exists()


def write_photos(folder, n):
    """Image files of squares, in a subfolder for each class."""
    for i, (image, label) in enumerate(zip(*squares(0, n), strict=True)):
        (folder / f"class_{label}").mkdir(parents=True, exist_ok=True)
        kzoo.visualization.grid.write_png(folder / f"class_{label}" / f"{i:03}.png", image)


def scores(report):
    return {score["name"]: score for score in json.loads(report)["scores"]}


def test_a_share_is_held_out_and_measured_on(train, kzoo_main, tmp_path):
    write_photos(tmp_path / "photos", 50)
    few = ["--data", "photos", "--channels", 1, "--validation-split", 0.2]
    code, out, err = train("vae", *few)
    assert (code, err) == (0, "") and "on photos, 20 % held out, images of 8x8x1" in out
    report = kzoo_main("evaluate", "new", "--importance-samples", 2, "--json")[1]
    assert scores(report)["nll"]["protocol"].startswith("10 images of photos, held out; ")
    report = json.loads(kzoo_main("neighbors", "new", "-n", 2, "--json")[1])
    assert report["training_images"] == "40 images of photos, training images"
    assert report["held_out"] == "10 images of photos, held out"
    assert report["mean_distance_of_held_out"] > 0

    (tmp_path / "photos" / "class_0").rename(tmp_path / "photos" / "class_9")
    code, _, err = kzoo_main("evaluate", "new")
    assert code == 1 and "'photos' has changed since the model was trained on it" in err
    code, _, err = train("vae", *few)
    assert code == 1 and "holds a training with other settings (images)" in err


def test_a_folder_without_held_out_images(train, kzoo_main, tmp_path):
    write_photos(tmp_path / "photos", 20)
    text = train("gan", "--data", "photos", "--channels", 1)[1]
    assert "no images held out" in text and "kzoo evaluate new --classifier PRESET (" in text
    code, out, _ = kzoo_main("neighbors", "new", "-n", 2)
    assert code == 0 and "nearest of 20 images of photos, training images" in out
    assert "none: photos has no others" in out and "held-out" not in out
    code, _, err = kzoo_main("evaluate", "new")
    assert code == 1 and "names no classifier of photos: name one with --classifier" in err


def test_a_classifier_of_own_labels_scores_later_models(train, kzoo_main, tmp_path):
    write_photos(tmp_path / "photos", 100)
    few = ["--data", "photos", "--channels", 1]
    small = ["--set", "widths=(8, 6)", "--epochs", 4, "--batch-size", 10, "--learning-rate", 0.01]
    code, out, err = kzoo_main("train", "classifier", *few, *small)
    assert (code, err) == (0, ""), err
    assert "% on 10 images of photos, held out." in out and "Saved classifier-photos." in out
    classifier = kzoo.Classifier.from_preset("classifier-photos")
    assert (classifier.num_classes, classifier.num_features) == (4, 6)
    assert (classifier.reference.num_train, classifier.reference.num_test) == (90, 10)
    found = scores(kzoo_main("evaluate", "classifier-photos", "--json")[1])
    assert f"Accuracy {found['accuracy']['value']:.4g} % on" in out
    assert found["accuracy"]["protocol"].startswith("10 images of photos, held out; ")
    assert found["frechet_distance"]["value"] == pytest.approx(
        classifier.reference.scores["frechet_distance"], rel=1e-3
    )

    assert train("gan", *few, "--classifier", "classifier-photos")[0] == 0
    report = kzoo_main("evaluate", "new", "--num-samples", 20, "--json")[1]
    assert json.loads(report)["command"] == "kzoo evaluate new --num-samples 20"
    score = scores(report)["frechet_distance"]
    assert score["protocol"].startswith(
        "classifier classifier-photos, against 90 images of photos, training images; real value: "
        "10 others; 20 samples"
    )
    assert score["reference"] == classifier.reference.scores["frechet_distance"]

    write_photos(tmp_path / "more", 3)
    code, _, err = kzoo_main("evaluate", "classifier-photos", "--data", "more")
    assert code == 1 and "'more' has the classes class_" in err and "expected those that" in err


def test_a_classifier_s_training_goes_on_as_if_nothing_had_happened(kzoo_main, tmp_path):
    write_photos(tmp_path / "photos", 40)
    few = ["--data", "photos", "--channels", 1, "--set", "widths=(3, 2)", "--batch-size", 9]
    for output, parts in (("whole", [3]), ("parts", [1, 3])):
        for epochs in parts:
            keras.utils.clear_session()
            options = ["--epochs", epochs, "--output", output]
            code, _, err = kzoo_main("train", "classifier", *few, *options)
            assert (code, err) == (0, ""), err
    whole, parts = (kzoo.Classifier.from_preset(tmp_path / name) for name in ("whole", "parts"))
    for a, b in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--data", "photos"], 'fewer features by --set "widths=(16,32,2)"'),
        (["--data", "real.npz"], "expected labels that are class numbers 0, 1, ..., one for each"),
        (["--data", "all.npy"], "a .npy file holds no labels"),
        (["--set", "backbone=3"], "--set backbone: not an argument to set for a Classifier"),
    ],
)
def test_what_no_classifier_can_learn(kzoo_main, tmp_path, arguments, message):
    write_photos(tmp_path / "photos", 30)
    images, labels = squares(0, 9)
    np.savez("real.npz", images=images, labels=labels / 2)
    np.save("all.npy", images)
    code, _, err = kzoo_main("train", "classifier", "--channels", 1, *arguments)
    assert code == 1 and message in err and err.count("\n") == 1
