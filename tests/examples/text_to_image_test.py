import numpy as np

from tests.examples import gallery


def test_runs_to_its_end(emoji):
    variables = gallery.run(
        "generative/text_to_image.py",
        SIDE=16,
        WIDTH=2,
        BATCH_SIZE=5,
        ENCODER_EPOCHS=1,
        EPOCHS=1,
        CHOICE=3,
        STEPS=4,
        CAPTIONS=("a red one", "a blue one"),
        UNKNOWN="a blue moon",
    )
    gan = variables["gan"]
    assert sorted(gan.vocabulary) == ["a", "blue", "green", "one", "red"]
    assert len(variables["images"]) == 5  # one emoji has no name
    assert gan.unknown_words(variables["UNKNOWN"]) == ["moon"]
    walk = variables["walk"]
    assert walk.shape == (4, 16, 16, 3)
    for image, caption in zip(walk[[0, -1]], variables["CAPTIONS"], strict=True):
        expected = gan.generate(1, captions=caption, seed=0)[0]
        np.testing.assert_allclose(image.astype(int), expected, atol=1)
    assert all(0 <= share <= 1 for share in variables["shares"].values())
    assert {path.name for path in (emoji / "text_to_image").iterdir()} == {
        "captions.png",
        "curves.png",
        "test.png",
        "walk.png",
    }
