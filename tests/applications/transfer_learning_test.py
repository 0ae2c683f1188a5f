"""The transfer-learning study at a tiny setting."""

import importlib
import pathlib

import numpy as np
import pytest

APPLICATIONS = pathlib.Path(__file__).resolve().parents[2] / "applications"


@pytest.fixture
def study(monkeypatch):
    monkeypatch.syspath_prepend(APPLICATIONS)
    study = importlib.import_module("transfer_learning")
    monkeypatch.setattr(
        study,
        "NETWORK",
        {"widths": (3,), "kernel_size": 3, "dense_width": 6, "activation": "relu"},
    )
    monkeypatch.setattr(study, "LATENT_DIM", 4)
    monkeypatch.setattr(study, "UPDATES", {100: 3, 300: 4})
    return study


@pytest.fixture
def digits(tmp_path):
    """An .npz file of 320 training and 40 test images of 10 classes, grey squares."""
    rng = np.random.default_rng(0)
    arrays = {}
    for split, n in (("train", 320), ("test", 40)):
        labels = np.arange(n) % 10
        images = rng.integers(0, 30, (n, 8, 8, 1)) + 20 * labels[:, None, None, None]
        arrays |= {f"x_{split}": images.astype("uint8"), f"y_{split}": labels}
    path = tmp_path / "digits.npz"
    np.savez(path, **arrays)
    return path


def test_draws_are_balanced_and_nested(study):
    labels = np.repeat(np.arange(10), [500, 30, *[100] * 8])
    few, many = (study.draw_labels(labels, n, seed=3) for n in (100, 300))
    assert (np.bincount(labels[few]) == 10).all() and (np.bincount(labels[many]) == 30).all()
    assert len(set(many)) == 300 and set(few) <= set(many)
    assert set(study.draw_labels(labels, 100, seed=4)) != set(few)
    assert len(study.draw_labels(labels, 10_000, seed=0)) == len(labels)


def test_rows_report_and_resume(study, digits, tmp_path, capsys):
    output, work = tmp_path / "transfer_learning", tmp_path / "work"
    arguments = ["--data", f"mnist={digits}", "--output", str(output), "--work", str(work)]
    arguments += ["--epochs", "1", "--draws", "2"]
    study.main([*arguments, "--labels", "100", "--encoders", "random", "denoising"])
    rows = study.rows_of(output / "results.csv")
    assert len(rows) == 2 * 3 * 2
    assert all(0 <= float(row["accuracy"]) <= 100 for row in rows)
    assert (work / "mnist-denoising" / "config.json").is_file()
    assert not (work / "mnist-random").exists()

    study.main([*arguments, "--labels", "100", "300", "--encoders", "random", "vae"])
    later = study.rows_of(output / "results.csv")
    assert later[: len(rows)] == rows  # nothing is computed again
    assert len(later) == len(rows) + 2 * 3 * 2 + 3 * 2

    page = (tmp_path / "TRANSFER_LEARNING.md").read_text()
    mean = np.mean([float(r["accuracy"]) for r in rows if r["encoder"] == "denoising"][:2])
    assert f"| frozen code | denoising autoencoder | {mean:.1f} ± " in page
    assert "(transfer_learning/mnist.png)" in page and (output / "mnist.png").is_file()
    assert "over 2 draws" in page


def test_learning_starts_from_the_given_weights_every_time(study, digits):
    images, labels = study.load("mnist", str(digits), "train")
    model = study.build("autoencoder", images.shape[1:], seed=0)
    classifier = study.classifier_of(model, "fine-tuned", seed=0)
    weights = classifier.get_weights()
    trainer = study.Trainer(classifier, 1e-2)
    train, test = (images[:100], labels[:100]), (images, labels)
    first, other, again = (trainer.accuracy(weights, train, test, 5, seed) for seed in (0, 1, 0))
    after = classifier.get_weights()
    assert first == pytest.approx(again, abs=1.0)
    assert any(np.any(a != b) for a, b in zip(weights, after))


def test_errors(study, tmp_path, capsys):
    with pytest.raises(SystemExit):
        study.main(["--data", "cifar10"])
    assert "expected one of mnist, svhn, got 'cifar10'" in capsys.readouterr().err
    with pytest.raises(ValueError, match="no results"):
        study.main(["--report-only", "--output", str(tmp_path / "none")])
