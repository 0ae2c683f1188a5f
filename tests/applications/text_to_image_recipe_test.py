import pathlib
import sys
import types

import keras
import numpy as np
import pytest

import kzoo
from tests.models.text_to_image.toys import SHAPE, gan, toy

APPLICATIONS = pathlib.Path(__file__).resolve().parents[2] / "applications"


@pytest.fixture(scope="module")
def recipes():
    """The modules of the recipes, by name."""
    sys.path.insert(0, str(APPLICATIONS))
    try:
        import growing_recipe
        import text_to_image_flowers
        import text_to_image_recipe
    finally:
        sys.path.remove(str(APPLICATIONS))
    return types.SimpleNamespace(
        growing=growing_recipe, shared=text_to_image_recipe, flowers=text_to_image_flowers
    )


def test_images_without_a_caption_get_a_sentence_of_their_species(recipes):
    sentence = recipes.flowers.sentence
    assert sentence(" a red flower ", "rose") == "a red flower"
    assert sentence("", "rose") == "a photo of a rose"
    assert sentence(" ", "anthurium") == "a photo of an anthurium"


def test_batches_keep_captions_beside_their_images(recipes):
    images, _ = toy(12)
    tokens = np.arange(24).reshape(12, 2)
    given = recipes.growing.batches(images, 8, 0, mirror=True, sources=tokens, crop=8)
    batch, beside = next(given)
    for image, row in zip(batch, beside, strict=True):
        same = images[row[0] // 2]
        assert np.array_equal(image, same) or np.array_equal(image, same[:, ::-1])


def test_a_recipe_stops_goes_on_and_judges(recipes, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(recipes.growing, "UPDATES", 2)
    monkeypatch.setattr(recipes.growing, "SHEETS", 1)
    monkeypatch.setattr(recipes.shared, "build", build)
    args = types.SimpleNamespace(
        mixed_precision=False,
        batch_size=6,
        seed=0,
        epochs=1,
        width=2,
        images=12,
        data="emoji_pairs",
        work=tmp_path / "work",
        output=tmp_path / "preset",
    )
    for images in (12, 24):
        args.images = images
        recipes.shared.run(args, toy(12), toy(9), METADATA, mirror=True)
    out = capsys.readouterr().out
    assert "goes on after 2 updates, until 4" in out
    assert "9 drawn images of held-out captions" in out and "its caption among 3" in out
    loaded = kzoo.TextToImageGAN.from_preset(str(tmp_path / "preset"))
    assert "bright" in loaded.vocabulary and loaded.generate(captions="dark").shape == (1, *SHAPE)
    names = sorted(path.name.partition(".")[0] for path in (tmp_path / "work").glob("*.h5"))
    assert names == ["encoder", "judge_1", "judge_2", "judge_3"]
    assert (tmp_path / "preset" / "samples.png").is_file()
    assert "caption_retrieval_drawn" in (tmp_path / "preset" / "README.md").read_text()


METADATA = {name: name.upper() for name in ("title", "description", "data", "command")}


def build(encoder, width):
    """As the recipe's, but smaller, and with another optimizer."""
    options = {"text_dim": None, "max_words": None, "vocabulary": None, "average_decay": 0.9}
    model = gan(encoder=encoder, width=width, generator="dcgan_4x4", **options)
    model.compile(*(keras.optimizers.SGD(0.01) for _ in range(2)))
    return model
