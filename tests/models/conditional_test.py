"""Class-conditional models learn a toy of three classes, each with a grey level of its own."""

import keras
import numpy as np
import pytest

import kzoo
from tests.once import once, once_but

GREYS = np.array([40, 128, 215])
ADVERSARIAL = [kzoo.GAN, kzoo.LSGAN, kzoo.WGAN, kzoo.WGANGP, kzoo.CFGGAN]


def toy(count=240):
    labels = np.arange(count) % 3
    noise = np.random.RandomState(0).randint(-8, 9, (count, 8, 8, 1))
    return (GREYS[labels][:, None, None, None] + noise).astype("uint8"), labels


OPTIONS = {
    "GAN": {},
    "LSGAN": {},
    "WGANGP": {"discriminator_steps": 2, "penalty_weight": 1.0},
    "CFGGAN": {
        "num_steps": 5,
        "pool_size": 48,
        "batch_size": 24,
        "approximator_epochs": 4,
        "restart_optimizer": False,
    },
}
EPOCHS = {"WGANGP": 24}  # 16 by default


@pytest.mark.parametrize(
    "name, conditioning",
    [
        ("GAN", "projection"),
        once("GAN", "concatenation"),
        ("GAN", "auxiliary"),
        once("WGANGP", "projection"),
        once("LSGAN", "auxiliary"),
        ("CFGGAN", "projection"),
    ],
)
def test_every_class_gets_its_grey_level(name, conditioning):
    options = {"latent_dim": 4, "num_classes": 3, "width": 8, "conditioning": conditioning}
    model = getattr(kzoo, name)((8, 8, 1), **options, **OPTIONS[name])
    model.compile(*(keras.optimizers.Adam(2e-3, beta_1=0.5) for _ in range(2)))
    model.fit(*toy(), batch_size=24, epochs=EPOCHS.get(name, 16), verbose=0)
    images = model.generate(48, seed=0)  # the classes in turn
    means = images.reshape(16, 3, -1).mean(axis=(0, 2))
    np.testing.assert_allclose(means, GREYS, atol=60)  # the next class is 87 away
    assert np.diff(means).min() > 40


@pytest.mark.parametrize("model_class", once_but([kzoo.GAN, kzoo.CFGGAN], ADVERSARIAL))
@pytest.mark.parametrize("conditioning", ["projection", "concatenation"])
def test_a_sample_changes_with_its_own_label_only(model_class, conditioning):
    model = model_class((8, 8, 1), 4, num_classes=3, width=4, conditioning=conditioning)
    latents = np.random.RandomState(1).normal(size=(2, 4)).astype("float32")
    images = [
        keras.ops.convert_to_numpy(model(latents, labels=np.array(labels, "int32")))
        for labels in ([0, 1], [0, 2])
    ]
    np.testing.assert_allclose(images[0][0], images[1][0], atol=1e-6)
    assert np.abs(images[0][1] - images[1][1]).max() > 1e-6
    x = np.random.RandomState(2).uniform(-1, 1, (1, 8, 8, 1)).astype("float32")
    values = [
        float(keras.ops.convert_to_numpy(model.logits(x, labels=np.array([k], "int32")))[0, 0])
        for k in range(2)
    ]
    assert values[0] != values[1]


def test_the_projection_is_a_product_of_features_and_a_vector():
    """Eq. 4 of Miyato and Koyama 2018: D(x, y) = D(x) + <V y, phi(x)>."""
    model = kzoo.GAN((8, 8, 1), 4, num_classes=3, width=4)
    x = np.random.RandomState(2).uniform(-1, 1, (3, 8, 8, 1)).astype("float32")
    network = model.discriminator
    last = next(a for a in reversed(network.layers) if isinstance(a, keras.layers.Dense))
    parts = keras.Model(network.inputs[0], [last.input, last.output])
    features, values = map(keras.ops.convert_to_numpy, parts(x))
    vectors = keras.ops.convert_to_numpy(network.get_layer("projection").embeddings)
    expected = values[:, 0] + (features * vectors[[2, 0, 1]]).sum(axis=1)
    got = model.logits(x, labels=np.array([2, 0, 1], "int32"))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(got)[:, 0], expected, atol=1e-5)


@pytest.mark.once
def test_networks_of_the_users_own_take_labels_too():
    def network(inputs, outputs):
        labels = keras.layers.Input((), dtype="int32")
        x = keras.layers.Flatten()(inputs)
        x = keras.layers.Concatenate()([x, keras.layers.Embedding(3, 2)(labels)])
        return keras.Model([inputs, labels], outputs(x))

    images = keras.layers.Input((8, 8, 1))
    discriminator = network(images, keras.layers.Dense(1))
    generator = network(
        keras.layers.Input((4,)),
        lambda x: keras.layers.Reshape((8, 8, 1))(keras.layers.Dense(64, "tanh")(x)),
    )
    model = kzoo.LSGAN(
        (8, 8, 1), 4, num_classes=3, discriminator=discriminator, generator=generator
    )
    model.compile()
    model.fit(*toy(48), verbose=0)
    assert model.generate(labels=[0, 1, 2]).shape == (3, 8, 8, 1)
    with pytest.raises(ValueError, match=r"discriminator does not take inputs of shape .* and"):
        kzoo.GAN((8, 8, 1), 4, num_classes=3, discriminator=keras.Sequential([images]))


@pytest.mark.once
@pytest.mark.parametrize("model_class", ADVERSARIAL)
def test_saved_models_keep_their_classes(model_class, tmp_path):
    model = model_class((8, 8, 1), 4, num_classes=3, width=4, conditioning="concatenation")
    expected = model.generate(6, seed=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert (loaded.num_classes, loaded.conditioning) == (3, "concatenation")
    np.testing.assert_array_equal(loaded.generate(6, seed=0), expected)
    model.save_to_preset(tmp_path / "preset")
    loaded = model_class.from_preset(tmp_path / "preset")
    np.testing.assert_array_equal(loaded.generate(6, seed=0), expected)


@pytest.mark.once
@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: kzoo.GAN((8, 8, 1), conditioning="magic"), "conditioning must be one of"),
        (lambda: kzoo.GAN((8, 8, 1), num_classes=0), "num_classes must be a positive integer"),
        (lambda: kzoo.GAN((8, 8, 1), width=4).generate(2, labels=1), "takes no labels"),
        (lambda: kzoo.GAN((8, 8, 1), width=4, num_classes=3).generate(2, labels=3), "in 0..2"),
        (lambda: kzoo.GAN((8, 8, 1), width=4, num_classes=3).generate(), "needs num_samples"),
        (lambda: kzoo.GAN((8, 8, 1), width=4, num_classes=3).generate(3, labels=[1]), "each of 3"),
        (lambda: kzoo.GAN((8, 8, 1), codes=3, information=1.0, num_classes=3), "num_classes=None"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
