"""A model that kzoo has never heard of: every command takes it, and nothing else needs a change."""

import json
import math

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.classifier.classifier import SCORES
from kzoo.presets import shipped


class Painter(kzoo.GenerativeModel):
    """Paints what one dense layer makes of a latent, and learns the average image."""

    def __init__(self, image_shape, latent_dim=2, **kwargs):
        super().__init__(image_shape, latent_dim, **kwargs)
        size = math.prod(self.image_shape)
        self.network = keras.Sequential(
            [keras.layers.Dense(size, "tanh"), keras.layers.Reshape(self.image_shape)]
        )
        self.network.build((None, self.latent_dim))
        self.built = True

    def distance(self, x):
        latents = ops.ones((1, self.latent_dim))
        return ops.mean(ops.square(self.network(latents) - x))

    def update(self, x, condition):
        loss, _ = self.minimize(lambda: self.distance(x), self.trainable_variables, self.optimizer)
        return {"loss": loss}

    def evaluation(self, x, condition):
        return {"loss": self.distance(x)}

    def transform_noise(self, noise):
        return self.network(noise)


@keras.saving.register_keras_serializable(package="kzoo")
class Toy(Painter):
    """A model with samples only."""


@keras.saving.register_keras_serializable(package="others")
class DensityToy(Painter):
    """A model of another package, with a likelihood: every value is as likely as any other."""

    def log_likelihood(self, images):
        return np.full(len(images), -math.prod(self.image_shape) * math.log(256))


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder of presets, which no other presets come with."""
    monkeypatch.setattr(shipped, "folders", lambda: [tmp_path / "weights"])
    return tmp_path / "weights"


@pytest.mark.parametrize("model_class", [Toy, DensityToy])
def test_every_command_knows_the_model(kzoo_main, data, saved, root, model_class):
    family = model_class.__name__.lower()
    code, out, err = kzoo_main(
        *("train", family, "--data", data, "--epochs", 3, "--batch-size", 20),
        *("--set", "latent_dim=3", "--learning-rate", "0.1", "--output", root / family / "squares"),
        *("--work", "run"),
    )
    assert (code, err) == (0, ""), err
    assert f"Training a {model_class.__name__} of 256 parameters" in out

    record = json.loads(kzoo_main("list", "--model", family, "--json")[1])[0]
    assert record["preset"] == f"{family}/squares" and record["class"] == model_class.__name__

    code, out, err = kzoo_main("generate", f"{family}/squares", "-n", 5, "--npz", "x.npz")
    assert (code, err) == (0, "")
    model = model_class.from_preset("squares")
    assert type(model) is model_class and model.latent_dim == 3
    np.testing.assert_array_equal(np.load("x.npz")["images"], model.generate(5, seed=0))

    code, out, err = kzoo_main(
        *("evaluate", "squares", "--model", family, "--data", data, "--num-samples", 60, "--json"),
        *("--classifier", saved / "classifier", "--write"),
    )
    assert code == 0
    scores = {score["name"]: score for score in json.loads(out)["scores"]}
    if model_class is Toy:
        assert list(scores) == list(SCORES)
    else:
        assert list(scores) == ["nll", "bits_per_dim"]
        assert scores["bits_per_dim"]["value"] == pytest.approx(8)
        assert scores["nll"]["protocol"] == "30 images of squares.npz test, held out; exact"
    card = (root / family / "squares" / "README.md").read_text()
    assert f"# {model_class.__name__}, squares" in card and "A model " in card

    assert kzoo_main("train", f"{family}/squares", "--data", data, "--epochs", 1)[0] == 0
    assert f" {family}," in kzoo_main("train", "--help")[1].replace("\n", "").replace("  ", " ")


def test_options_that_the_model_does_not_have(kzoo_main, data):
    code, _, err = kzoo_main("train", "toy", "--data", data, "--set", "width=3")
    assert code == 1 and "--set width: not an argument to set for a Toy: expected one of la" in err
    code, _, err = kzoo_main("train", "toy", "--data", data, "--stages", 3)
    assert code == 1 and "--stages: a Toy does not train in stages" in err


def test_a_model_that_can_do_nothing_has_no_scores(kzoo_main, saved):
    from kzoo.evaluation import measuring

    with pytest.raises(ValueError, match="A Dense cannot be scored: expected a model"):
        measuring.measure(keras.layers.Dense(3), measuring.Given(None, None))
