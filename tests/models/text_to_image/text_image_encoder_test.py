"""The joint embedding against loops in NumPy; that it learns, and that it is saved."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.models.text_to_image.losses import joint_embedding_loss
from tests.models.text_to_image.toys import SHAPE, encoder, halves, numpy, toy


def loss_by_hand(images, texts, same):
    """Eqs. 1 to 3 as hinges, every pair of a batch for itself, in float64."""
    total, count = 0.0, 0
    for i, (v, t) in enumerate(zip(images, texts)):
        for j in range(len(images)):
            if not same[i][j]:
                total += max(0.0, 1.0 + v @ texts[j] - v @ t)  # the image, a wrong text
                total += max(0.0, 1.0 + images[j] @ t - v @ t)  # the text, a wrong image
                count += 1
    return total / max(count, 1)


@pytest.mark.parametrize("classes", [[0, 1, 2, 3, 4], [0, 1, 0, 1, 2], [0, 0, 0, 0, 0]])
def test_joint_embedding_loss(classes):
    rng = np.random.default_rng(0)
    images, texts = rng.normal(size=(2, 5, 3))
    same = np.equal.outer(classes, classes)
    got = joint_embedding_loss(
        ops.convert_to_tensor(images, "float32"), ops.convert_to_tensor(texts, "float32"), same
    )
    assert float(got) == pytest.approx(loss_by_hand(images, texts, same), rel=1e-5)


def text_by_hand(model, tokens):
    """phi(t) of one caption: vectors of words, phrases, means, dense layer, in float64."""
    layers = {layer.name: layer for layer in model.text_encoder.layers}
    table, (kernel, bias), (weight, offset) = (
        numpy(layers["words"].weights[0]).astype("float64"),
        [numpy(w).astype("float64") for w in layers["phrases"].weights],
        [numpy(w).astype("float64") for w in layers["text"].weights],
    )
    words = [table[token] for token in tokens if token]
    padded = [np.zeros_like(words[0]), *words, np.zeros_like(words[0])]
    outputs = []
    for i in range(len(words)):
        phrase = np.maximum(sum(padded[i + k] @ kernel[k] for k in range(3)) + bias, 0)
        outputs.append(np.concatenate([words[i], phrase]))
    return np.mean(outputs, axis=0) @ weight + offset


def test_the_vector_of_a_caption():
    model = encoder()
    captions = ["a dark square", "square", "bright what grey dark"]
    tokens = model.conditioned_on[0].check(captions)
    expected = [text_by_hand(model, row) for row in tokens]
    np.testing.assert_allclose(model.embed_captions(captions), expected, rtol=1e-5, atol=1e-5)
    longer = encoder(max_words=9)
    longer.set_weights(model.get_weights())
    np.testing.assert_allclose(longer.embed_captions(captions), expected, rtol=1e-5, atol=1e-5)


def test_it_learns_and_is_saved(tmp_path):
    keras.utils.set_random_seed(0)
    images, captions = halves()
    model = encoder(captions)
    model.compile(keras.optimizers.Adam(1e-2))
    history = model.fit({"image": images, "caption": captions}, batch_size=12, epochs=6, verbose=0)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    vectors = model.embed_images(images)
    scores = vectors @ model.embed_captions(captions[:3]).T
    assert (scores.argmax(axis=1) == np.arange(len(images)) % 3).mean() > 0.9
    x = ops.convert_to_tensor(images[:3] / np.float32(127.5) - 1)
    tokens = model.conditioned_on[0].check(["left", "right", "top"])
    expected = np.sum(vectors[:3] * model.embed_captions(["left", "right", "top"]), axis=1)
    np.testing.assert_allclose(numpy(model(x, tokens)), expected, rtol=1e-4)
    assert model.evaluate(images, captions, verbose=0, return_dict=True)["accuracy"] > 0.9

    model.save(tmp_path / "encoder.keras")
    model.save_to_preset(tmp_path / "preset")
    for loaded in (
        keras.models.load_model(tmp_path / "encoder.keras"),
        kzoo.TextImageEncoder.from_preset(str(tmp_path / "preset")),
    ):
        assert loaded.get_config() == model.get_config()
        np.testing.assert_allclose(loaded.embed_images(images), vectors, rtol=1e-5)
        np.testing.assert_allclose(
            loaded.embed_captions("top"), model.embed_captions("top"), rtol=1e-5
        )


def test_equal_captions_are_no_wrong_partners():
    model = encoder()
    images, captions = toy(6)
    tokens = model.conditioned_on[0].check(captions)
    x = ops.convert_to_tensor(images / np.float32(127.5) - 1)
    loss, scalars = model.objective(x, ops.convert_to_tensor(tokens))
    vectors = numpy(model.image_vectors(x)), numpy(model.text_vectors(tokens))
    same = np.equal.outer(captions, captions)
    assert float(numpy(loss)) == pytest.approx(loss_by_hand(*vectors, same), rel=1e-4)
    best = (vectors[0] @ vectors[1].T).argmax(axis=1)
    expected = np.mean(captions[best] == captions)
    assert float(scalars["accuracy"]) == pytest.approx(expected)


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vocabulary": None}, "vocabulary must be a list of words, got None; .*from_captions"),
        ({"vocabulary": "red"}, "vocabulary must be a list of words, got 'red'"),
        ({"vocabulary": ["Red"]}, "single lower-case words, got 'Red'"),
        ({"vocabulary": ["a red"]}, "single lower-case words, got 'a red'"),
        ({"vocabulary": ["a", "b", "a"]}, "every word once, got 'a' twice"),
        ({"max_words": 0}, "max_words must be a positive integer, got 0"),
        ({"text_dim": 1.5}, "text_dim must be a positive integer, got 1.5"),
    ],
)
def test_arguments_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        kzoo.TextImageEncoder(**{"image_shape": SHAPE, "vocabulary": ["a"], **arguments})


def test_it_draws_nothing():
    model = encoder()
    assert not hasattr(model, "generate")
    with pytest.raises(ValueError, match="expects images of shape"):
        model.embed_images(np.zeros((2, 4, 4, 1), "uint8"))
