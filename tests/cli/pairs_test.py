"""The commands on a model that learns pairs of images."""

import json

import numpy as np
import pytest
from PIL import Image

import kzoo

SHAPE = (16, 16, 3)


def pairs(seed, n):
    rng = np.random.default_rng(seed)
    sources = rng.integers(0, 256, (n, *SHAPE), dtype="uint8")
    return 255 - sources, sources


@pytest.fixture
def files(tmp_path):
    """`pairs.npz`, and the folders `images` and `sources` of the training images."""
    arrays = {}
    for split, (images, sources) in {"train": pairs(0, 12), "test": pairs(1, 5)}.items():
        arrays |= {f"image_{split}": images, f"source_{split}": sources}
    np.savez(tmp_path / "pairs.npz", **arrays)
    for name in ("image", "source"):
        (tmp_path / f"{name}s").mkdir()
        for i, image in enumerate(arrays[f"{name}_train"]):
            Image.fromarray(image).save(tmp_path / f"{name}s" / f"{i:02}.png")


@pytest.fixture
def saved(tmp_path):
    model = kzoo.Pix2Pix(SHAPE, width=2, receptive_field=16)
    model.save_to_preset(tmp_path / "negative")
    return model


SETTINGS = ("--set", "width=2", "--set", "receptive_field=16", "--epochs", 1, "--batch-size", 6)


@pytest.mark.parametrize(
    "data, held_out",
    [
        (("--data", "pairs.npz"), "5 pairs of pairs.npz test, held out; "),
        (
            ("--data", "images", "--sources", "sources", "--validation-split", 0.25),
            "3 pairs of images, held out; ",
        ),
    ],
)
def test_train(kzoo_main, files, tmp_path, data, held_out):
    code, out, err = kzoo_main("train", "pix2pix", *data, *SETTINGS, "--output", "mine")
    assert (code, err) == (0, ""), err
    assert "Training a Pix2Pix" in out
    assert (tmp_path / "mine-run" / "samples" / "epoch_0001.png").is_file()
    assert kzoo.Pix2Pix.from_preset("mine").source_shape == SHAPE
    score = json.loads(kzoo_main("evaluate", "mine", "--json")[1])["scores"][0]
    assert score["protocol"].startswith(held_out)


def test_generate(kzoo_main, files, saved, tmp_path):
    sources = pairs(0, 12)[1]
    assert kzoo_main("generate", "negative", "--sources", "sources", "--npz", "x.npz")[0] == 0
    images = np.load("x.npz")["images"]
    np.testing.assert_array_equal(images, saved.generate(sources=sources, seed=0))
    one = ("--sources", "sources/03.png", "-n", 2, "--npz", "y.npz")
    assert kzoo_main("generate", "negative", *one)[0] == 0
    expected = saved.generate(sources=sources[[3, 3]], seed=0)
    np.testing.assert_array_equal(np.load("y.npz")["images"], expected)


def test_evaluate(kzoo_main, files, saved, tmp_path):
    kzoo.Classifier(SHAPE, num_classes=2, widths=(3, 4)).save_to_preset("eye")
    images, sources = pairs(1, 5)
    options = ("--data", "pairs.npz", "--judge", "eye", "--write", "--json")
    code, out, _ = kzoo_main("evaluate", "negative", *options)
    assert code == 0
    scores = {score["name"]: score for score in json.loads(out)["scores"]}
    assert list(scores) == ["l1", "psnr", "ssim", "eye_frechet_distance"]
    drawn = saved.generate(sources=sources, seed=0)
    expected = np.abs(drawn / 255 - images / 255).mean()
    assert scores["l1"]["value"] == pytest.approx(expected, rel=1e-6)
    assert scores["psnr"]["value"] == pytest.approx(kzoo.metrics.psnr(drawn, images).mean())
    assert scores["psnr"]["unit"] == "dB" and scores["eye_frechet_distance"]["value"] > 0
    assert scores["l1"]["protocol"].startswith(
        "5 pairs of pairs.npz test, not known whether trained on; tr"
    )
    assert "| psnr |" in (tmp_path / "negative" / "README.md").read_text()


def test_a_model_of_two_domains(kzoo_main, files, tmp_path):
    settings = (*SETTINGS, "--set", "blocks=1", "--output", "mine")
    code, out, err = kzoo_main("train", "cyclegan", "--data", "pairs.npz", *settings)
    assert (code, err) == (0, ""), err
    assert "Next: kzoo generate mine --sources FOLDER, kzoo evaluate mine" in out
    model = kzoo.CycleGAN.from_preset("mine")
    b, a = pairs(0, 12)
    for options, expected in ((("--to", "a"), model.translate(a, "a")), ((), model.translate(a))):
        code = kzoo_main("generate", "mine", "--sources", "sources", *options, "--npz", "x.npz")[0]
        assert code == 0
        np.testing.assert_array_equal(np.load("x.npz")["images"], expected)
    kzoo.Classifier(SHAPE, num_classes=2, widths=(3, 4)).save_to_preset("eye")
    options = ("--data", "pairs.npz", "--judge", "eye", "--json")
    code, out, _ = kzoo_main("evaluate", "mine", *options)
    assert code == 0
    scores = {score["name"]: score["value"] for score in json.loads(out)["scores"]}
    assert set(scores) == {
        "l1",
        "psnr",
        "ssim",
        "eye_frechet_distance",
        "cycle_l1_a",
        "cycle_l1_b",
        "eye_frechet_distance_to_a",
    }
    b, a = pairs(1, 5)
    for name, images, there, back in (("a", a, "b", "a"), ("b", b, "a", "b")):
        cycled = model.translate(model.translate(images, there), back)
        error = np.abs(cycled / 255 - images / 255).mean()
        assert scores[f"cycle_l1_{name}"] == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("generate", "negative"), "a Pix2Pix needs sources: --sources"),
        (("generate", "negative", "--sources", "absent"), "there is no file or folder 'absent'"),
        (("generate", "gan", "--sources", "sources"), "--sources: a GAN takes none"),
        (("generate", "gan", "--to", "a"), "--to: a GAN takes none"),
        (("evaluate", "gan", "--sources", "sources"), "--sources: a GAN takes none"),
        (("evaluate", "negative", "--data", "images"), "needs the folder of their sources"),
        (("train", "gan", "--sources", "sources"), "--sources: a GAN takes none"),
        (
            ("train", "pix2pix", "--data", "pairs.npz", "--sources", "sources"),
            "--sources goes with a folder of images, got --data pairs.npz",
        ),
        (("train", "pix2pix", "--data", "plain.npz"), "no images of pairs among y, noise"),
    ],
)
def test_errors(kzoo_main, files, saved, arguments, message):
    kzoo.GAN((8, 8, 1), latent_dim=2, width=2).save_to_preset("gan")
    np.savez("plain.npz", y_train=np.zeros(3), noise_train=np.zeros(3))
    code, _, err = kzoo_main(*arguments)
    assert code == 1 and message in err and err.count("\n") == 1
