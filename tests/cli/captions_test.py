"""The commands on a model that draws what captions say."""

import json

import numpy as np
import pytest

import kzoo

SHAPE = (8, 8, 1)


@pytest.fixture
def model(tmp_path):
    words = ["dark", "bright", "square"]
    model = kzoo.TextToImageGAN(
        SHAPE, words, latent_dim=3, width=2, text_dim=4, compressed_dim=3, max_words=3
    )
    model.save_to_preset(tmp_path / "squares")
    (tmp_path / "captions.txt").write_text("dark square\n\nbright square\n")
    (tmp_path / "empty.txt").write_text("\n")
    return model


def test_generate(kzoo_main, model):
    for given, captions in (
        ("a dark square", ["a dark square"] * 4),
        ("captions.txt", ["dark square", "bright square"] * 2),
    ):
        arguments = ("-n", 4, "--captions", given, "--npz", "x.npz")
        assert kzoo_main("generate", "squares", *arguments)[0] == 0
        expected = model.generate(4, captions=captions, seed=0)
        np.testing.assert_array_equal(np.load("x.npz")["images"], expected)


def test_words_that_the_model_does_not_know_are_named(kzoo_main, model):
    for caption, printed in (
        ("a blue square", "Words that the model does not know: a, blue\n"),
        ("bright square", ""),
    ):
        given = ("--captions", caption, "--npz", "x.npz")
        assert kzoo_main("generate", "squares", *given)[2] == printed


def test_evaluate(kzoo_main, model, data, saved, tmp_path):
    arguments = ("--captions", "captions.txt", "--num-samples", 30, "--data", data, "--json")
    classifier = ("--classifier", saved / "classifier", "--write")
    code, out, _ = kzoo_main("evaluate", "squares", *arguments, *classifier)
    assert code == 0
    report = json.loads(out)
    assert "--captions captions.txt" in report["command"] and report["scores"]
    assert (tmp_path / "squares" / "samples.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("squares",), "squares: a TextToImageGAN needs captions: --captions"),
        (("squares", "--captions", "absent.txt"), "there is no file 'absent.txt'"),
        (("squares", "--captions", "empty.txt"), "expected a caption in every line, got none"),
        (("squares", "--captions", "blue bee"), "knows no word of the caption 'blue bee'"),
        (("squares", "--labels", "1"), "--labels: a TextToImageGAN takes none"),
        (("gan", "--captions", "dark"), "--captions: a GAN takes none"),
    ],
)
def test_errors(kzoo_main, model, arguments, message):
    kzoo.GAN(SHAPE, latent_dim=2, width=2).save_to_preset("gan")
    code, _, err = kzoo_main("generate", *arguments)
    assert code == 1 and message in err and err.count("\n") == 1


def test_train_does_not_take_it(kzoo_main, data):
    """A vocabulary comes from captions, which the command line's data do not have."""
    code, _, err = kzoo_main("train", "texttoimagegan", "--data", data, "--epochs", 1)
    assert code == 2 and "a TextToImageGAN is trained in Python" in err
