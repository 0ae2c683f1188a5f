"""TextToImageGAN: its losses against NumPy, what it learns and reads, saving, and errors."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.models.batches import prepare
from kzoo.models.text_to_image.losses import matching_aware_loss
from tests.models.text_to_image.toys import GREYS, SHAPE, encoder, gan, numpy, toy, weights_of
from tests.once import once


def terms(real, wrong, fake, is_wrong, hinge=False):
    """Lines 7 to 10 of Algorithm 1 in float64."""
    if hinge:
        right, not_right = (lambda x: np.maximum(0, 1 - x)), (lambda x: np.maximum(0, 1 + x))
    else:
        right = lambda x: -np.log(1 / (1 + np.exp(-x)))  # noqa: E731
        not_right = lambda x: -np.log(1 - 1 / (1 + np.exp(-x)))  # noqa: E731
    s_w = not_right(wrong)[is_wrong].mean() if is_wrong.any() else 0.0
    return right(real).mean() + (s_w + not_right(fake).mean()) / 2, s_w


@pytest.mark.parametrize("hinge", [False, True])
@pytest.mark.parametrize("is_wrong", [[True] * 4, [True, False, False, True], [False] * 4])
def test_matching_aware_loss(hinge, is_wrong):
    values = 2 * np.random.default_rng(0).normal(size=(3, 4, 1))
    is_wrong = np.array(is_wrong)
    got = matching_aware_loss(
        *(ops.convert_to_tensor(v, "float32") for v in values),
        ops.convert_to_tensor(is_wrong),
        hinge,
    )
    np.testing.assert_allclose([float(x) for x in got], terms(*values, is_wrong, hinge), rtol=1e-5)


@pytest.mark.parametrize("interpolation", [True, False])
def test_the_losses_of_a_batch(interpolation):
    model = gan(interpolation=interpolation)
    images, _ = toy(4)
    captions = ["a dark square", "a dark square", "grey", "bright"]  # the first two are equal
    tokens = model.conditioned_on[0].check(captions)
    x = ops.convert_to_tensor(images / np.float32(127.5) - 1)
    latents = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(4, 4)), "float32")
    vectors = model.encoder.embed_captions(captions)
    text, following = vectors, vectors[[1, 2, 3, 0]]

    def match(images, text):
        return numpy(model.match(images, ops.convert_to_tensor(text))).astype("float64")

    fake = model(latents, tokens)
    got = model.discriminator_losses(
        x, fake, ops.convert_to_tensor(tokens), ops.convert_to_tensor(text), training=False
    )
    is_wrong = np.array([False, True, True, True])
    expected = terms(match(x, text), match(x, following), match(fake, text), is_wrong)
    np.testing.assert_allclose([float(v) for v in got], expected, rtol=1e-5)

    between = (text + following) / 2  # beta = .5
    drawn = [(text, fake), (between, model.draw(latents, ops.convert_to_tensor(between)))]
    drawn = drawn[: 1 + interpolation]
    expected = sum(np.log1p(np.exp(-match(image, t))).mean() for t, image in drawn)
    got = model.generator_losses(latents, ops.convert_to_tensor(text), training=False)
    assert float(got) == pytest.approx(expected, rel=1e-5)
    assert np.abs(numpy(model.logits(x, captions=tokens)) - match(x, text)).max() < 1e-6


def test_every_word_gets_its_grey_level(tmp_path):
    keras.utils.set_random_seed(0)
    images, captions = toy()
    model = gan(width=8)
    model.fit_encoder(images, captions, keras.optimizers.Adam(5e-3), epochs=4, verbose=0)
    model.compile(*(keras.optimizers.Adam(4e-3, beta_1=0.5) for _ in range(2)))
    frozen = weights_of(model.encoder)
    model.fit(images, captions, batch_size=24, epochs=26, verbose=0)
    for before, after in zip(frozen, weights_of(model.encoder), strict=True):
        np.testing.assert_array_equal(before, after)
    drawn = model.generate(captions=[f"a {word} square" for word in GREYS] * 8, seed=0)
    means = drawn.reshape(8, 3, -1).mean(axis=(0, 2))
    np.testing.assert_allclose(means, list(GREYS.values()), atol=60)  # the next is 87 away
    assert np.diff(means).min() > 40

    path = model.interpolate("a dark square", "a bright square", num=5, seed=3)
    assert path.shape == (5, *SHAPE) and path.dtype == np.uint8
    assert path[0].mean() + 80 < path[-1].mean()
    for image, caption in ((path[0], "a dark square"), (path[-1], "a bright square")):
        alone = model.generate(captions=caption, seed=3)[0]  # the same latents
        assert np.abs(alone.astype(int) - image).max() <= 1

    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    model.save_to_preset(tmp_path / "preset")
    preset = kzoo.TextToImageGAN.from_preset(str(tmp_path / "preset"))
    for other in (loaded, preset):
        assert other.vocabulary == model.vocabulary
        assert other.get_config() == model.get_config()
        again = other.generate(captions=["grey", "dark"], seed=0)
        np.testing.assert_array_equal(again, model.generate(captions=["grey", "dark"], seed=0))
    assert len(loaded.optimizer.variables) == len(model.optimizer.variables)
    loaded.fit(images, captions, verbose=0)


def test_a_sample_changes_with_its_own_caption_only():
    model = gan()
    first, second = (
        model.generate(captions=["dark", other], seed=0) for other in ("grey", "bright")
    )
    np.testing.assert_array_equal(first[0], second[0])
    latents = np.random.default_rng(0).normal(size=(2, 4)).astype("float32")
    x, y = (
        numpy(model(latents, model.conditioned_on[0].check(["dark", other])))
        for other in ("grey", "bright")
    )
    np.testing.assert_allclose(x[0], y[0], atol=1e-6)
    assert np.abs(x[1] - y[1]).max() > 1e-5
    one, two = model.generate(2, captions="dark", seed=0)  # other latents, the same caption
    assert np.abs(one.astype(int) - two).max() > 0


def test_training_sees_an_encoder_that_was_trained_in_between():
    images, captions = toy(12)
    model = gan()
    assert not model.encoder.trainable_variables
    model.compile()
    x = ops.convert_to_tensor(images / np.float32(127.5) - 1)
    condition = {"captions": ops.convert_to_tensor(model.conditioned_on[0].check(captions))}
    state = model.seed_generator.state
    start, reported = numpy(state).copy(), []
    for _ in range(2):
        state.assign(start)
        reported.append(model.test_on_batch(images, captions, return_dict=True))
        state.assign(start)
        expected = {k: float(numpy(v)) for k, v in model.evaluation(x, condition).items()}
        assert reported[-1] == pytest.approx(expected, rel=1e-4)
        model.reset_metrics()
        model.fit_encoder(images, captions, keras.optimizers.SGD(1.0), epochs=2, verbose=0)
    assert reported[0]["d_loss"] != reported[1]["d_loss"]


@pytest.mark.parametrize(
    "options",
    [
        once(
            {
                "average_decay": 0.9,
                "augment": "color,translation",
                "spectral_normalization": True,
                "generator_loss": "hinge",
            }
        ),
        {"generator": "dcgan_4x4", "discriminator": "resnet", "interpolation": False, "r1": 1.0},
    ],
)
def test_options(options):
    images, captions = toy(8)
    model = gan(**options)
    model.compile()
    logs = model.train_on_batch(images, captions, return_dict=True)
    assert set(logs) == set(model.loss_names) and all(np.isfinite(list(logs.values())))
    same = type(model).from_config(model.get_config())
    assert same.get_config() == model.get_config()
    same.set_weights(model.get_weights())
    for averaged in (True, False):
        pair = [m.generate(captions="dark", seed=0, averaged=averaged) for m in (model, same)]
        np.testing.assert_array_equal(*pair)


@pytest.mark.once
def test_an_encoder_and_networks_of_the_user(tmp_path):
    own = encoder()
    latents, text = keras.Input((4,)), keras.Input((8,))
    joined = keras.layers.Concatenate()([latents, text])
    drawn = keras.layers.Reshape(SHAPE)(keras.layers.Dense(64, "tanh")(joined))
    model = kzoo.TextToImageGAN(
        SHAPE, latent_dim=4, width=4, encoder=own, generator=keras.Model([latents, text], drawn)
    )
    assert (model.vocabulary, model.max_words, model.text_dim) == (own.vocabulary, 4, 8)
    assert model.encoder is own
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.generate(captions="dark", seed=0), model.generate(captions="dark", seed=0)
    )
    assert loaded.encoder.word_dim == own.word_dim == 6
    for arguments, message in (
        ({"encoder": own, "max_words": 5}, "another max_words: expected 4, got 5"),
        ({"encoder": own, "vocabulary": ["red"]}, "another vocabulary: expected .*got .'red'."),
        ({"encoder": own, "image_shape": (16, 16, 1)}, r"of images \(16, 16, 1\), got"),
        ({"encoder": "words"}, "encoder must be a kzoo.TextImageEncoder"),
        (
            {"encoder": own, "discriminator": "fully_connected"},
            "expected a network of convolutions",
        ),
        ({"encoder": own, "generator": drawn}, "generator must be a keras.Model"),
        ({"vocabulary": ["a"], "generator_loss": "l1"}, "generator_loss must be one of"),
        ({"vocabulary": ["a"], "compressed_dim": 0}, "compressed_dim must be a positive integer"),
        ({}, "vocabulary must be a list of words, got None"),
    ):
        with pytest.raises(ValueError, match=message):
            kzoo.TextToImageGAN(**{"image_shape": SHAPE, "latent_dim": 4, "width": 4, **arguments})


@pytest.mark.once
@pytest.mark.parametrize("source", ["arrays", "tf.data", "generator", "dict"])
def test_captions_come_as_strings_from_every_source(source):
    images, captions = toy(16)
    model = gan()
    given = ({"image": images, "caption": captions, "file_name": captions},)
    if source == "arrays":
        given = (images, list(captions))
    elif source == "tf.data":
        tf = pytest.importorskip("tensorflow")
        given = (tf.data.Dataset.from_tensor_slices(given[0]).batch(8),)
    elif source == "generator":
        given = (((images[i : i + 8], list(captions[i : i + 8])) for i in (0, 8)),)
    _, condition = prepare(model, *given)["first"]
    tokens = model.conditioned_on[0].check(captions[: len(condition["captions"])])
    np.testing.assert_array_equal(condition["captions"], tokens)


@pytest.mark.once
def test_errors_of_use():
    model = gan()
    model.compile()
    images, captions = toy(8)
    assert model.unknown_words("a Dark blue bee") == ["bee", "blue"]
    assert model.unknown_words(captions) == []
    model.generate(captions=["a dark bee"])  # one word is enough
    for call, message in (
        (lambda: model.generate(4), "needs captions, got none"),
        (lambda: model.generate(4, captions=["dark", "grey"]), "captions for 4 images, got 2"),
        (lambda: model.generate(2, captions=[3, 4]), "captions as n strings"),
        (lambda: model.generate(2, captions="blue bee"), "knows no word of the caption 'blue bee'"),
        (lambda: model.generate(2, labels=1), "takes no labels; it takes captions"),
        (lambda: model.interpolate("dark", 3), "captions as n strings"),
        (lambda: model.interpolate("dark", "grey", 0), "num must be a positive integer, got 0"),
        (lambda: model.fit(images, verbose=0), "got no captions"),
        (lambda: model.fit(images, captions[:5], verbose=0), "captions for 8 images, got 5"),
        (lambda: model.fit_encoder(images, captions[:5]), "captions for 8 images, got 5"),
        (lambda: kzoo.GAN(SHAPE, 4, width=4).generate(2, captions="a"), "takes no captions"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
