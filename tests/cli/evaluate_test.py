import json
import math
import shutil

import numpy as np
import pytest
from PIL import Image

import kzoo
from kzoo.classifier.classifier import SCORES
from kzoo.cli import card, generate
from kzoo.evaluation.likelihood_scores import likelihood_scores
from kzoo.metrics import evaluate_images, measure_reference
from kzoo.presets import PresetMixin
from tests.cli.conftest import squares
from tests.small_models import small


@pytest.fixture
def evaluate(kzoo_main, data, saved):
    """Evaluates a preset on the tiny data; returns its JSON report."""

    def run(preset, *arguments):
        code, out, err = kzoo_main(
            *("evaluate", preset, "--data", data, "--classifier", saved / "classifier"),
            *("--num-samples", 60, "--importance-samples", 8, "--json", *arguments),
        )
        assert code == 0 and "\n" not in err.rstrip()
        return json.loads(out)

    return run


def scores_of(report):
    return {score["name"]: score["value"] for score in report["scores"]}


def test_vae(evaluate, data, saved):
    report = evaluate(saved / "vae", "--seed", 3)
    model = kzoo.VAE.from_preset(saved / "vae")
    images = kzoo.datasets.from_arrays(
        data, split="test", binarize="static", seed=3, shuffle=False, batch_size=30
    )[0]
    # Many samples instead of 8 and 1, with other noise: untrained, their spread is small.
    nll = -model.log_likelihood(images, num_samples=200, seed=9).mean()
    assert scores_of(report)["nll"] == pytest.approx(nll, rel=0.01)
    model.compile()
    bound = model.evaluate(images, verbose=0, return_dict=True)["loss"]
    assert scores_of(report)["negative_elbo"] == pytest.approx(bound, rel=0.02)
    assert scores_of(report)["nll"] < scores_of(report)["negative_elbo"]
    assert report["scores"][1] == {
        "name": "nll",
        "value": scores_of(report)["nll"],
        "unit": "nats",
        "protocol": "30 images of squares.npz test, not known whether trained on, binarized once "
        "with seed 3; 8 importance samples, seed 3",
        "reference": None,
        "deviation": None,
        "interval": None,
    }
    assert evaluate(saved / "vae", "--seed", 3) == report
    assert scores_of(evaluate(saved / "vae", "--seed", 4)) != scores_of(report)


def test_autoencoder(evaluate, data, saved):
    scores = scores_of(evaluate(saved / "autoencoder"))
    model = kzoo.Autoencoder.from_preset(saved / "autoencoder")
    images = kzoo.datasets.from_arrays(data, split="test", shuffle=False, batch_size=30)[0]
    model.compile()
    loss = model.evaluate(images, verbose=0, return_dict=True)["reconstruction"]
    assert scores["reconstruction"] == pytest.approx(loss, rel=1e-4)
    difference = model.decode(model.encode(images)) - (images / 127.5 - 1)
    assert scores["mse"] == pytest.approx(np.mean((difference / 2) ** 2), rel=1e-4)


def test_card_of_an_autoencoder(kzoo_main, data, saved, tmp_path):
    folder = tmp_path / "own"
    shutil.copytree(saved / "autoencoder", folder)
    assert kzoo_main("evaluate", folder, "--data", data, "--write")[0] == 0
    card = (folder / "README.md").read_text()
    assert "| mse |" in card and "![" not in card
    kzoo.visualization.image_grid(squares(0, 4)[0], path=folder / "reconstructions.png")
    assert kzoo_main("evaluate", folder, "--data", data, "--write")[0] == 0
    assert "](reconstructions.png)" in (folder / "README.md").read_text()


@pytest.mark.parametrize("name", ["GAN", "LSGAN", "PixelCNN"])
def test_a_description_refers_to_no_list_that_is_not_there(name):
    line, _, arguments = card.describe(small(name)).partition(". ")
    assert line[-1].isalpha() and "[" not in line and arguments.startswith("Constructor")


def test_the_card_of_a_cfggan_shows_its_growth(tmp_path):
    model = kzoo.CFGGAN((8, 8, 1), 3, num_steps=5, pool_size=8, batch_size=8, width=2)
    model.save_to_preset(tmp_path)
    card.write(tmp_path, model, [], "kzoo evaluate x")
    text = (tmp_path / "README.md").read_text()
    assert "after t = 0, 2, 3 and 5 functional gradient steps:\n\n![Growth](growth.png)" in text
    sheet = np.asarray(Image.open(tmp_path / "growth.png"))
    cell = 8 * generate.SCALE + 2
    assert sheet.shape[:2] == (4 * cell + 2, 12 * cell + 2)


def test_pixelcnn(evaluate, saved):
    # Untrained, it takes all images to be equally likely: 64 pixels of one bit.
    scores = scores_of(evaluate(saved / "pixelcnn", "--num-images", 7))
    assert scores["nll"] == pytest.approx(64 * math.log(2), rel=1e-6)
    assert scores["bits_per_dim"] == pytest.approx(1.0, rel=1e-6)


def test_class_conditional(evaluate, data, saved):
    report = evaluate(saved / "gatedpixelcnn")
    model = kzoo.GatedPixelCNN.from_preset(saved / "gatedpixelcnn")
    images, labels = kzoo.datasets.from_arrays(
        data, split="test", binarize="static", seed=0, shuffle=False, labels=True, batch_size=30
    )[0]
    nll = -model.log_likelihood(images, labels=labels).mean()
    assert scores_of(report)["nll"] == pytest.approx(nll, rel=1e-4)
    assert report["scores"][0]["protocol"].endswith("exact, given the labels")


def test_grey_images_have_no_binary_likelihood(saved):
    for family in ("vae", "pixelcnn"):
        model = PresetMixin.from_preset(saved / family)
        with pytest.raises(ValueError, match="needs binarized images"):
            likelihood_scores(model, squares(0, 3)[0])


@pytest.mark.parametrize("family, steps", [("gan", None), ("cfggan", None), ("cfggan", 0)])
def test_samples(evaluate, saved, family, steps):
    more = [] if steps is None else ["--steps", steps]
    report = evaluate(saved / family, *more)
    model = kzoo.GenerativeModel.from_preset(saved / family)
    images = model.generate(60, seed=0, **({} if steps is None else {"steps": steps}))
    classifier = kzoo.Classifier.from_preset(saved / "classifier")
    expected = evaluate_images(images, classifier)
    for score in report["scores"]:
        assert score["value"] == pytest.approx(expected[score["name"]], rel=1e-4)
        assert score["reference"] == pytest.approx(expected["reference"][score["name"]])
    origin = {"gan": "", "cfggan": " of G_2" if steps is None else " of G_0"}[family]
    assert report["scores"][0]["protocol"] == (
        f"classifier {saved / 'classifier'}, against 60 images of squares.npz train, not known "
        f"whether trained on; real value: 30 others; 60 samples{origin}, seed 0, clipped to [-1, 1]"
    )
    assert report["class_histogram"] == expected["class_histogram"].tolist()
    assert sum(report["class_histogram"]) == 60


def test_classifier(evaluate, saved):
    report = evaluate(saved / "classifier")
    images, labels = squares(1, 30)
    classifier = kzoo.Classifier.from_preset(saved / "classifier")
    predictions = classifier.activations(images)[1].argmax(axis=1)
    assert scores_of(report)["accuracy"] == pytest.approx(100 * np.mean(predictions == labels))
    for name, value in classifier.reference.scores.items():
        assert scores_of(report)[name] == pytest.approx(value, rel=1e-4)


def test_table_states_value_reference_and_protocol(kzoo_main, saved):
    code, out, err = kzoo_main(
        *("evaluate", saved / "gan", "--classifier", saved / "classifier", "--num-samples", 60)
    )
    assert (code, err) == (0, "") and "…" not in out
    assert out.startswith(f"GAN {saved / 'gan'}, ")
    rows = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    report = evaluate_images(
        kzoo.GAN.from_preset(saved / "gan").generate(60, seed=0),
        kzoo.Classifier.from_preset(saved / "classifier"),
    )
    for name in SCORES:
        _, value, real, protocol = rows[name].split(maxsplit=3)
        assert float(value) == pytest.approx(report[name], rel=1e-3)
        assert float(real) == pytest.approx(report["reference"][name], rel=1e-3)
        assert "60 samples" in protocol
    assert "images per class: 0: " in out


def test_images_of_another_size_are_fitted_to_the_model(evaluate, saved, tmp_path):
    np.save(tmp_path / "large.npy", np.repeat(squares(1, 9)[0], 2, axis=1))
    report = evaluate(saved / "pixelcnn", "--data", tmp_path / "large.npy")
    assert (
        "9 images of large.npy, not known whether trained on, cropped and resized to 8x8"
        in (report["scores"][0]["protocol"])
    )


def with_metadata(folder, **entries):
    """Adds entries to a preset's `metadata.json`; returns the preset."""
    metadata = json.loads((folder / "metadata.json").read_text())
    (folder / "metadata.json").write_text(json.dumps({**metadata, **entries}))
    return folder


def test_the_preset_names_its_classifier(kzoo_main, saved, tmp_path, monkeypatch):
    shutil.copytree(saved / "classifier", tmp_path / "weights" / "classifier" / "squares")
    monkeypatch.setattr("kzoo.presets.shipped.folders", lambda: [tmp_path / "weights"])
    shutil.copytree(saved / "gan", tmp_path / "mine")
    with_metadata(tmp_path / "mine", classifier="squares")
    reports = []
    for arguments in ([], ["--classifier", "squares"], ["--classifier", saved / "classifier"]):
        code, out, _ = kzoo_main("evaluate", "mine", "--num-samples", 60, "--json", *arguments)
        assert code == 0
        reports.append(json.loads(out))
    assert reports[0] == reports[1]
    assert reports[0]["command"] == "kzoo evaluate mine --num-samples 60"
    assert reports[0]["scores"][0]["protocol"].startswith("classifier squares, against 60 images")
    assert reports[2]["command"].endswith(f"--classifier {saved / 'classifier'}")
    assert scores_of(reports[2]) == scores_of(reports[0])


def test_the_preset_names_its_data(kzoo_main, data, saved, tmp_path, monkeypatch):
    opened = []

    def open_data(source, split, **options):
        opened.append((source, split))
        return kzoo.datasets.from_arrays(data, split="test", labels=True, shuffle=False)

    monkeypatch.setattr("kzoo.cli.data.open_data", open_data)
    shutil.copytree(saved / "classifier", tmp_path / "judge")
    with_metadata(tmp_path / "judge", trained_on=None, dataset="lsun/bedroom")
    for arguments, expected in [
        ([], ("lsun/bedroom", "validation")),
        (["--data", "mnist"], ("mnist", "test")),
        (["--split", "train"], ("lsun/bedroom", "train")),
    ]:
        code, out, _ = kzoo_main("evaluate", "judge", "--json", *arguments)
        assert code == 0 and opened.pop() == expected and not opened
        report = json.loads(out)
        assert report["command"] == " ".join(["kzoo", "evaluate", "judge", *arguments])
        assert "30 images of " in report["scores"][0]["protocol"]


@pytest.mark.parametrize("family, option", [("gan", "--classifier"), ("vae", "--data")])
def test_the_preset_does_not_say_what_to_measure_with(kzoo_main, saved, family, option):
    code, _, err = kzoo_main("evaluate", saved / family)
    assert code == 1 and "the preset " in err and option in err and err.count("\n") == 1


def test_samples_are_compared_with_the_data_that_are_given(evaluate, saved):
    """The classifier's own statistics are of other images: they do not count."""
    others = squares(2, 40)[0], squares(3, 20)[0]
    np.savez("others.npz", x_train=others[0], x_test=others[1])
    report = evaluate(saved / "gan", "--data", "others.npz")
    classifier = kzoo.Classifier.from_preset(saved / "classifier")
    classifier.reference = measure_reference(classifier, others[0], None, others[1])
    expected = evaluate_images(kzoo.GAN.from_preset(saved / "gan").generate(60, seed=0), classifier)
    for score in report["scores"]:
        assert score["value"] == pytest.approx(expected[score["name"]], rel=1e-4)
        assert score["reference"] == pytest.approx(expected["reference"][score["name"]], rel=1e-4)
        assert "against 40 images of others.npz train, not known whether" in score["protocol"]
        assert "; real value: 20 images of others.npz test, not known" in score["protocol"]


def test_write(kzoo_main, evaluate, saved, tmp_path):
    shutil.copytree(saved / "cfggan", tmp_path / "mine" / "squares")
    (tmp_path / "mine" / "squares" / "README.md").write_text(
        "# Squares\n\nOld.\n\n## Notes\n\nTwo minutes.\n\nOne core.\n\n## Files\n\n- None.\n"
    )
    code, out, err = kzoo_main(
        *("evaluate", "mine/squares", "--classifier", saved / "classifier"),
        *("--num-samples", 60, "--write"),
    )
    assert code == 0 and "into mine/squares" in err
    folder = tmp_path / "mine" / "squares"
    card = (folder / "README.md").read_text()
    assert card.startswith("# Squares\n\nGenerator grown by composite functional gradients")
    assert "num_steps=2" in card and "Two minutes.\n\nOne core.\n" in card
    command = f"kzoo evaluate mine/squares --num-samples 60 --classifier {saved / 'classifier'}"
    assert f"`{command}`" in card and "; real test images " in card
    metadata = json.loads((folder / "metadata.json").read_text())
    assert [score["name"] for score in metadata["scores"]] == list(SCORES)
    assert {score["command"] for score in metadata["scores"]} == {command}
    # Its name is no plain one: it is given anew each time. A folder's name is remembered.
    assert "classifier" not in metadata
    counts = metadata["class_histogram"]
    assert len(counts) == 4 and sum(counts) == 60
    counts = ", ".join(f"{k}: {n}" for k, n in enumerate(counts))
    assert f"\nSamples per class: {counts}.\n" in card and f"images per class: {counts}\n" in out
    for score in metadata["scores"]:  # the numbers of the card are those that are printed
        assert f"{score['value']:.5g}" in out and f"| {score['value']:.5g} |" in card

    assert kzoo_main("generate", "mine/squares")[0] == 0
    assert (tmp_path / "samples.png").read_bytes() == (folder / "samples.png").read_bytes()
    kzoo.CFGGAN.from_preset(folder)
    shutil.copytree(saved / "classifier", tmp_path / "judge")
    few = ("--num-samples", 60, "--json")
    assert kzoo_main("evaluate", folder, "--classifier", "judge", "--write", *few)[0] == 0
    assert "classifier judge, against" in kzoo_main("evaluate", folder, *few)[1]


def test_a_card_without_a_sheet(evaluate, saved, tmp_path):
    shutil.copytree(saved / "classifier", tmp_path / "judge")
    evaluate("judge", "--write")
    assert "samples.png" not in (tmp_path / "judge" / "README.md").read_text()
    metadata = json.loads((tmp_path / "judge" / "metadata.json").read_text())
    assert metadata["scores"][0]["name"] == "accuracy" and metadata["data"]


def test_card_shows_the_manifold_and_pictures_of_recipes(kzoo_main, data, tmp_path):
    folder = tmp_path / "two"
    model = kzoo.VAE((8, 8, 1), latent_dim=2, widths=(3,), dense_width=4, seed=0)
    model.save_to_preset(folder)
    kzoo.visualization.image_grid(squares(0, 4)[0], path=folder / "smile.png")
    options = ("--data", data, "--importance-samples", 2, "--write")
    assert kzoo_main("evaluate", folder, *options)[0] == 0
    card = (folder / "README.md").read_text()
    assert "squares of equal probability:\n\n![Manifold](manifold.png)" in card
    assert "less and more smiling:\n\n![Smile](smile.png)" in card
    assert "arithmetic.png" not in card and (folder / "manifold.png").is_file()


def test_a_classifier_of_attributes(kzoo_main, tmp_path):
    images, quadrants = squares(2, 40)
    attributes = np.stack([quadrants < 2, quadrants % 2 == 0], axis=1)
    np.savez(tmp_path / "faces.npz", image_test=images, attributes_test=attributes)
    classifier = kzoo.Classifier((8, 8, 1), 2, widths=(3, 5), multi_label=True)
    classifier.save_to_preset(tmp_path / "attributes")
    command = ("evaluate", tmp_path / "attributes", "--data", tmp_path / "faces.npz", "--json")
    code, out, _ = kzoo_main(*command)
    (score,) = json.loads(out)["scores"]
    right = (classifier.activations(images)[1] > 0.5) == attributes
    each = [right[attributes[:, k] == there, k].mean() for k in (0, 1) for there in (False, True)]
    assert code == 0 and score["name"] == "balanced_accuracy"
    assert score["value"] == pytest.approx(100 * np.mean(each), abs=1e-3)
    np.savez(tmp_path / "faces.npz", image_test=images, attributes_test=attributes[:, :1])
    code, _, err = kzoo_main(*command)
    assert code == 1 and "attributes of shape (1,); expected (2,)" in err
