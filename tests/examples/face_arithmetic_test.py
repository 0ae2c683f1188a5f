import keras
import numpy as np
import pytest

import kzoo
from tests.examples import gallery


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with an untrained GAN and a classifier of three attributes that depend on grey."""
    monkeypatch.chdir(tmp_path)
    shape = (8, 8, 3)
    layers = keras.layers
    generator = keras.Sequential(
        [keras.Input((4,)), layers.Dense(192, "tanh"), layers.Reshape(shape)]
    )
    discriminator = keras.Sequential([keras.Input(shape), layers.Flatten(), layers.Dense(1)])
    gan = kzoo.GAN(shape, latent_dim=4, generator=generator, discriminator=discriminator)
    gan.save_to_preset("gan")
    names = ["Smiling", "Eyeglasses", "Male"]
    classifier = kzoo.Classifier(shape, 3, widths=(4,), multi_label=True, class_names=names)
    classifier.save_to_preset("classifier")
    return tmp_path


def test_runs_to_its_end(folder, monkeypatch):
    rng = np.random.default_rng(0)
    activations = kzoo.Classifier.activations

    def any_attribute(self, images):
        return activations(self, images)[0], rng.random((len(images), 3))

    monkeypatch.setattr(kzoo.Classifier, "activations", any_attribute)
    variables = gallery.run(
        "generative/face_arithmetic.py", GAN="gan", CLASSIFIER="classifier", FACES=200
    )
    assert variables["smiling_men"].shape == (3, 4, 4)
    assert variables["women_with_glasses"].shape == (3, 4, 4)
    assert set(variables["directions"]) == {"Smiling", "Eyeglasses", "Male"}
    for z in (variables["smiling_men"], *variables["rows"][1:]):
        np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 2, rtol=1e-5)  # sqrt(4)
    pictures = {path.name for path in (folder / "face_arithmetic").iterdir()}
    assert pictures == {"faces.png", "smile.png", "glasses.png", "directions.png", "walk.png"}
