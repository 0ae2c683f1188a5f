"""Classifiers that start from a trained encoder."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import kzoo
from kzoo import Autoencoder, Classifier

SHAPE = (8, 8, 1)
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def numpy_of(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.fixture
def autoencoder():
    return Autoencoder(SHAPE, 3, widths=(4,), dense_width=6, seed=0)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (12, *SHAPE), dtype="uint8")


def test_features_are_the_codes(autoencoder, images):
    classifier = Classifier.from_encoder(autoencoder.encoder, 5)
    assert classifier.num_features == 3 and classifier.image_shape == SHAPE
    features = numpy_of(classifier.features(images))
    assert_allclose(features, autoencoder.encode(images), atol=1e-6)
    kernel, bias = map(numpy_of, classifier.head.weights)
    assert_allclose(numpy_of(classifier(images)), features @ kernel + bias, atol=1e-5)
    assert classifier.activations(images)[1].shape == (12, 5)


@pytest.mark.parametrize("layer", [-2, 3, "dense"])
def test_features_of_a_hidden_layer(layer, images):
    x = keras.Input(SHAPE)
    hidden = keras.layers.Flatten(name="flat")(x)
    hidden = keras.layers.Dense(7, "relu", name="other")(hidden)
    hidden = keras.layers.Dense(6, "relu", name="dense")(hidden)
    encoder = keras.Model(x, keras.layers.Dense(2)(hidden))
    classifier = Classifier.from_encoder(encoder, 4, layer=layer)
    expected = keras.Model(x, hidden)(images / np.float32(127.5) - 1)
    assert_allclose(numpy_of(classifier.features(images)), numpy_of(expected), atol=1e-6)


def test_features_of_a_convolution_are_flattened(autoencoder):
    assert Classifier.from_encoder(autoencoder.encoder, 4, layer=1).num_features == 4 * 4 * 4


@pytest.mark.parametrize("trainable", [False, True])
def test_training_moves_the_copy_only_and_only_if_it_may(trainable, autoencoder, images):
    before = [numpy_of(w) for w in autoencoder.encoder.weights]
    classifier = Classifier.from_encoder(autoencoder.encoder, 2, trainable_encoder=trainable)
    start = [numpy_of(w) for w in classifier.backbone.weights]
    assert len(classifier.trainable_variables) == 2 + 6 * trainable
    classifier.compile(keras.optimizers.Adam(0.01), LOSS)
    classifier.fit(images, np.arange(12) % 2, epochs=2, verbose=0)
    for a, b in zip(before, autoencoder.encoder.weights, strict=True):
        assert_array_equal(a, numpy_of(b))
    moved = [np.any(a != numpy_of(b)) for a, b in zip(start, classifier.backbone.weights)]
    assert all(moved) if trainable else not any(moved)


def test_pretrained_features_separate_what_random_ones_do_not():
    """Two classes that differ in one small patch under strong nuisance variation."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    images = np.zeros((400, *SHAPE), "uint8")
    images[:, :4] = rng.integers(0, 255, (400, 1, 1, 1))
    images[labels == 1, 4:] = 200
    keras.utils.set_random_seed(0)
    autoencoder = Autoencoder(SHAPE, 2, "fully_connected", "fully_connected", widths=(16,), seed=0)
    autoencoder.compile(keras.optimizers.Adam(0.01))
    autoencoder.fit(images, batch_size=50, epochs=10, verbose=0)
    classifier = Classifier.from_encoder(autoencoder.encoder, 2, trainable_encoder=False)
    classifier.compile(keras.optimizers.Adam(0.1), LOSS)
    classifier.fit(images[:20], labels[:20], epochs=30, verbose=0)
    predictions = classifier.activations(images[20:])[1].argmax(axis=1)
    assert np.mean(predictions == labels[20:]) > 0.95


@pytest.mark.parametrize("trainable", [False, True])
def test_survives_saving(trainable, autoencoder, images, tmp_path):
    classifier = Classifier.from_encoder(
        autoencoder.encoder, 4, trainable_encoder=trainable, layer=-2, dropout=0.1, name="digits"
    )
    classifier.compile(keras.optimizers.Adam(0.01), LOSS)
    classifier.fit(images, np.arange(12) % 4, verbose=0)
    classifier.save(tmp_path / "c.keras")
    classifier.save_to_preset(tmp_path / "preset")
    loaded = keras.saving.load_model(tmp_path / "c.keras")
    for copy in (loaded, Classifier.from_preset(tmp_path / "preset")):
        for name in ("name", "num_classes", "widths", "dropout"):
            assert copy.get_config()[name] == classifier.get_config()[name]
        assert len(copy.trainable_variables) == len(classifier.trainable_variables)
        for mine, theirs in zip(classifier.activations(images), copy.activations(images)):
            assert_allclose(theirs, mine, atol=1e-6)
    assert len(loaded.optimizer.variables) == len(classifier.optimizer.variables)


def test_the_mean_of_a_posterior(images, tmp_path):
    vae = kzoo.VAE(SHAPE, 3, widths=(4,), dense_width=6)
    classifier = Classifier.from_encoder(kzoo.latents.latent_network(vae), 2)
    mean, _ = vae.encode(images)
    assert_allclose(numpy_of(classifier.features(images)), mean, atol=1e-6)
    assert Classifier.from_encoder(vae.encoder, 2).num_features == 6  # mean and log-variance
    classifier.save_to_preset(tmp_path / "preset")
    loaded = Classifier.from_preset(tmp_path / "preset")
    assert_allclose(numpy_of(loaded(images)), numpy_of(classifier(images)), atol=1e-6)


def test_errors(autoencoder):
    with pytest.raises(ValueError, match="expected a name|layer.*-9"):
        Classifier.from_encoder(autoencoder.encoder, 3, layer=-9)
    with pytest.raises(ValueError, match="layer.*'hidden'"):
        Classifier.from_encoder(autoencoder.encoder, 3, layer="hidden")
    with pytest.raises(ValueError, match="encoder must be a keras.Model"):
        Classifier.from_encoder("convolutional", 3)
    x = keras.Input(SHAPE)
    flat = keras.layers.Flatten()(x)
    two = keras.Model(x, [keras.layers.Dense(2)(flat), keras.layers.Dense(2)(flat)])
    with pytest.raises(ValueError, match="2 outputs.*latent_network"):
        Classifier.from_encoder(two, 3)
    with pytest.raises(ValueError, match=r"widths must be None, got \(4,\)"):
        Classifier(SHAPE, 3, widths=(4,), backbone=autoencoder.encoder)
    with pytest.raises(ValueError, match="does not take images"):
        Classifier((9, 9, 3), 3, backbone=autoencoder.encoder)
    with pytest.raises(ValueError, match=r"\(None, d\)"):
        Classifier(SHAPE, 3, backbone=keras.Sequential([keras.layers.ReLU()]))
