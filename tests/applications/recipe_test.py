import csv
import importlib.util
import pathlib

import keras
import numpy as np
import pytest

PATH = pathlib.Path(__file__).resolve().parents[2] / "applications" / "recipe.py"


@pytest.fixture(scope="module")
def recipe():
    spec = importlib.util.spec_from_file_location("recipe", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def arguments(recipe, tmp_path):
    rng = np.random.default_rng(0)
    data = tmp_path / "digits.npz"
    images = rng.integers(0, 256, (40, 8, 8), dtype=np.uint8)
    np.savez(data, x_train=images, y_train=np.arange(40) % 4, x_test=images[:8])

    def parse(*extra):
        parser = recipe.parser(
            "Trains a test.", 3, "weights/vae/mnist", batch_size=10, mixed_precision=True
        )
        return parser.parse_args(["--data", str(data), "--work", str(tmp_path / "run"), *extra])

    return parse


def test_defaults(recipe):
    args = recipe.parser("Trains a test.", 12, "weights/vae/mnist").parse_args([])
    assert (args.data, args.epochs, args.batch_size, args.steps_per_epoch) == (
        "mnist",
        12,
        64,
        None,
    )
    assert args.output == pathlib.Path("weights/vae/mnist")
    assert args.work == pathlib.Path("runs/vae-mnist")


def test_help(recipe, capsys):
    with pytest.raises(SystemExit):
        recipe.parser("Trains a test.", 12, "weights/vae/mnist").parse_args(["--help"])
    text = capsys.readouterr().out
    assert "Trains a test." in text and "(default: weights/vae/mnist)" in text


def test_file_data(recipe, arguments):
    args = arguments("--seed", "3")
    train = recipe.load(args, "train", pad_to=12, labels=True)
    assert (train.image_shape, train.batch_size, train.shuffle) == ((12, 12, 1), 10, True)
    again = recipe.load(args, "train", pad_to=12, labels=True)
    np.testing.assert_array_equal(train[0][0], again[0][0])
    assert not recipe.load(args, "test").shuffle


@pytest.mark.parametrize("options", [(), ("--mixed-precision",)])
def test_trained_models_compute_in_float32(recipe, arguments, options):
    policies = []

    def fit(model):
        policies.append(model.layers[-1].dtype_policy.name)
        model.layers[-1].kernel.assign(model.layers[-1].kernel + 1.0)

    def build():
        return keras.Sequential([keras.Input((2,)), keras.layers.Dense(4)])

    model = recipe.train(arguments("--seed", "7", *options), build, fit)
    assert policies == ["mixed_bfloat16" if options else "float32"]
    assert keras.config.dtype_policy().name == "float32"
    assert model.layers[-1].dtype_policy.name == "float32"
    keras.utils.set_random_seed(7)
    np.testing.assert_allclose(model.get_weights()[0], build().get_weights()[0] + 1.0)


def test_tfds_data(recipe, tfds_dir, monkeypatch):
    pytest.importorskip("tensorflow_datasets")
    monkeypatch.setenv("TFDS_DATA_DIR", tfds_dir)
    args = recipe.parser("Trains a test.", 1, "weights/vae/mnist").parse_args([])
    assert recipe.load(args, "test[:100]", pad_to=32).cardinality() == 2


class Interrupt(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


def test_training_resumes(recipe, arguments):
    def train(*extra, interrupt=None):
        args = arguments(*extra)
        keras.utils.set_random_seed(args.seed)
        model = keras.Sequential(
            [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(4)]
        )
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        data = recipe.load(args, "train", labels=True)
        model.fit(
            data,
            epochs=args.epochs,
            callbacks=[*recipe.callbacks(args, data), Interrupt(interrupt)],
            verbose=0,
        )
        return model

    with pytest.raises(KeyboardInterrupt):
        train(interrupt=2)
    model = train()
    assert int(model.optimizer.iterations) == 3 * 4  # 40 images in batches of 10, once per epoch
    weights = model.get_weights()
    for before, after in zip(weights, train().get_weights(), strict=True):  # nothing left to do
        np.testing.assert_array_equal(before, after)
    assert int(train("--epochs", "5").optimizer.iterations) == 5 * 4
    with open(arguments().work / "log.csv") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0", "1", "2", "3", "4"]
