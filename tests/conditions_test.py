"""What each kind of condition takes, and what it says to the rest; networks' data format."""

import keras
import numpy as np
import pytest

import kzoo
from kzoo import conditions
from kzoo.models.batches import prepare

WORDS = {"a": 1, "red": 2, "flower": 3}


def tokenize(texts):
    rows = [[WORDS.get(word, 0) for word in text.split()] for text in texts]
    return [row + [0] * (3 - len(row)) for row in rows]


def test_labels():
    labels = conditions.Labels(3)
    np.testing.assert_array_equal(labels.check(2, 4), [2, 2, 2, 2])
    np.testing.assert_array_equal(labels.check([0, 1]), [0, 1])
    for check in (labels.check, labels.check_batch):  # as in `keras.datasets.cifar10`
        np.testing.assert_array_equal(check(np.array([[0], [2]])), [0, 2])
    np.testing.assert_array_equal(labels.default(5), [0, 1, 2, 0, 1])
    for wrong in ([0, 3], [-1, 0], [0.5, 1], ["0", "1"], [[0, 1]], [0]):
        with pytest.raises(ValueError, match="label"):
            labels.check(wrong, 2)


def test_feature_maps_and_images():
    maps = conditions.FeatureMap((2, 2, 3))
    assert maps.check(np.zeros((4, 2, 2, 3)), 4).dtype == "float32"
    with pytest.raises(ValueError, match=r"shape \(None, 2, 2, 3\), got \(4, 2, 2, 1\)"):
        maps.check(np.zeros((4, 2, 2, 1)))
    with pytest.raises(ValueError, match="context for 3 images, got 4"):
        maps.check(np.zeros((4, 2, 2, 3)), 3)
    images = conditions.Image((2, 2, 3))
    given = np.full((4, 2, 2, 3), 255, "uint8")
    assert images.check(given) is given
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(images.to_tensor(given)), 1.0)
    with pytest.raises(ValueError, match=r"'sources' expects float images in \[-1, 1\]"):
        images.check(given.astype("float32"))
    with pytest.warns(UserWarning, match="sources: the float images have values from 0 to 1"):
        images.check(np.random.default_rng(0).integers(0, 2, (4, 2, 2, 3)).astype("float32"))


def test_texts():
    text = conditions.Text(tokenize)
    expected = [[1, 2, 3], [3, 0, 0]]
    np.testing.assert_array_equal(text.check(["a red flower", "flower"]), expected)
    np.testing.assert_array_equal(text.check(np.array([b"a red flower", b"flower"])), expected)
    np.testing.assert_array_equal(text.check(np.array(expected)), expected)
    np.testing.assert_array_equal(text.check("flower", 2), [[3, 0, 0]] * 2)
    with pytest.raises(ValueError, match="captions as n strings or int tokens"):
        text.check(np.zeros((2, 3)))


class Captioned(kzoo.GenerativeModel):
    """Takes a caption and a source image; learns nothing."""

    conditioned_on = (conditions.Text(tokenize), conditions.Image((4, 4, 1)))

    def update(self, x, condition):
        tokens = keras.ops.cast(keras.ops.sum(condition["captions"]), "float32")
        return {"loss": tokens + keras.ops.mean(condition["sources"])}

    evaluation = update


@pytest.mark.parametrize("source", ["arrays", "generator", "tf.data"])
def test_texts_reach_a_model_as_tokens_with_further_conditions(source):
    model = Captioned((4, 4, 1))
    model.built = True
    model.compile()
    features = {
        "image": np.full((4, 4, 4, 1), 128, "uint8"),
        "caption": np.array(["a red flower", "flower", "", "a a a"]),
        "input_image": np.full((4, 4, 4, 1), 255, "uint8"),
        "file_name": np.array(["x"] * 4),
    }
    if source == "arrays":
        given = features
    elif source == "generator":
        given = (features for _ in range(1))
    else:
        tf = pytest.importorskip("tensorflow")
        given = tf.data.Dataset.from_tensor_slices(features).batch(4)
    logs = model.evaluate(given, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(6 + 3 + 0 + 3 + 1)  # the tokens, and white sources
    with pytest.raises(ValueError, match="found no captions among the features 'image'"):
        prepare(model, {"image": features["image"]})
    with pytest.raises(ValueError, match="has several conditions: expected a dict"):
        prepare(model, features["image"], features["caption"])


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


@pytest.mark.parametrize(
    "make",
    [
        lambda: kzoo.GAN((16, 16, 1), 4, width=4, generator="resnet", discriminator="resnet"),
        lambda: kzoo.GAN((16, 16, 1), 4, width=4),
        lambda: kzoo.GAN((16, 16, 1), 4, width=4, generator="dcgan_4x4", discriminator="dcgan_4x4"),
        lambda: kzoo.VAE((16, 16, 1), 4, widths=(4,), likelihood="gaussian", scale=1.0),
        lambda: kzoo.VQVAE((16, 16, 1), width=4, num_codes=4, code_dim=2),
        lambda: kzoo.Autoencoder((16, 16, 1), 4, widths=(4,)),
        lambda: kzoo.LadderVAE((16, 16, 1), latent_dims=(2,), widths=(4,)),
    ],
)
def test_nothing_depends_on_the_data_format_of_keras(make, channels_first):
    model = make()
    model.compile()
    model.fit(np.random.RandomState(0).randint(0, 256, (8, 16, 16, 1)).astype("uint8"), verbose=0)
    classifier = kzoo.Classifier((16, 16, 1), 2, widths=(4, 4))
    assert classifier.activations(np.zeros((2, 16, 16, 1), "uint8"))[1].shape == (2, 2)


def test_the_shape_of_images_is_that_of_the_users_networks():
    generator = keras.Sequential(
        [
            keras.layers.Input((4,)),
            keras.layers.Dense(256, "tanh"),
            keras.layers.Reshape((16, 16, 1)),
        ]
    )
    discriminator = keras.Sequential(
        [keras.layers.Input((16, 16, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    gan = kzoo.GAN(latent_dim=4, generator=generator, discriminator=discriminator)
    assert gan.image_shape == (16, 16, 1)
    with pytest.raises(ValueError, match="discriminator does not take inputs of shape"):
        kzoo.GAN((8, 8, 1), 4, generator=generator, discriminator=discriminator)
