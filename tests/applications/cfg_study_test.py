import csv
import json
import shutil
import types

import keras
import numpy as np
import pytest

import kzoo
from kzoo.evaluation import protocols


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_two_methods_end_to_end(study, small):
    arguments = [*small.arguments, *"--networks convolutional --methods xicfg gan1".split()]
    study.main.main(arguments)
    names = ["mnist-convolutional-xicfg-seed0", "mnist-convolutional-gan1-seed0"]
    assert small.launched == names
    images = {"xicfg": 3 * 2 * 64, "gan1": 3 * 64}
    for name, model_class in zip(names, (kzoo.CFGGAN, kzoo.GAN)):
        folder = small.folder / "runs" / name
        final = json.loads((folder / "final.json").read_text())
        # A second from the call of fit to its beginning, and one for each of three updates.
        assert (final["status"], final["seconds"], final["updates"]) == ("finished", 4.0, 3)
        assert final["images"] == images[name.split("-")[2]]
        assert sum(final["class_histogram"]) == final["num_samples"] == 130
        assert sum(final.get("class_histogram_0", [])) == 130 * (model_class is kzoo.CFGGAN)
        curve = rows_of(folder / "curve.csv")
        points = [(float(row["point"]), row["updates"], row["num_samples"]) for row in curve]
        assert points == [(0.5, "1", "64"), (1.0, "3", "130")]
        assert all(row["d_real"] and row["d_fake"] and row["g_loss"] for row in curve)
        assert bool(curve[-1]["scale"]) == (model_class is kzoo.GAN)
        assert bool(curve[-1]["inception_score_0"]) == (model_class is kzoo.CFGGAN)
        model = model_class.from_preset(str(folder / "preset"))
        samples = protocols.sample(model, 130, seed=0)
        again = kzoo.metrics.evaluate_images(samples, str(small.folder / "classifier"))
        for score in study.tables.SCORES:
            assert final[score] == pytest.approx(again[score], rel=1e-3)
        assert (folder / "samples.png").is_file()

    page = small.folder / "STUDY.md"
    assert "xICFG, approximator alone" in page.read_text()
    sheet = small.folder / "study" / "mnist-convolutional-gan1-seed0.png"
    assert sheet.read_bytes() == (folder / "samples.png").read_bytes()

    study.main.main(arguments)  # nothing left to do
    assert small.launched == names
    kept = small.folder / "study" / "runs"
    assert {path.name for path in kept.iterdir()} == set(names)
    histograms = rows_of(small.folder / "study" / "histograms.csv")
    assert [row["drawn_from"] for row in histograms] == ["G_T", "approximator", "generator"]
    assert [int(histograms[2][f"class_{k}"]) for k in range(4)] == final["class_histogram"]

    shutil.rmtree(kept / names[1])
    (folder / "final.json").unlink()
    page.write_text(page.read_text().replace("is kept -->\n", "is kept -->\nBy hand.\n"))
    study.main.main([*arguments, "--report-only"])
    assert "gan1-seed0: not finished, left out." in page.read_text()
    study.main.main(arguments)
    assert small.launched == [*names, names[1]]
    assert "not finished" not in page.read_text() and "\nBy hand.\n" in page.read_text()
    with pytest.raises(SystemExit, match=r"xicfg-seed0 had width=2, now 3\. Remove it, or"):
        study.main.main([*arguments, "--width", "3"])

    # Without the folder of the runs: none is trained again, and the report is the same.
    before = page.read_text()
    shutil.rmtree(small.folder / "runs")
    study.main.main(arguments)
    assert len(small.launched) == 3 and page.read_text() == before


def test_wgan_gp_in_bfloat16_with_a_fully_connected_generator(study, small):
    arguments = "--networks fully_connected --methods wgan_gp --mixed-precision".split()
    study.main.main([*small.arguments, *arguments])
    assert keras.config.dtype_policy().name == "float32"
    folder = small.folder / "runs" / "mnist-fully_connected-wgan_gp-seed0"
    final = json.loads((folder / "final.json").read_text())
    assert (final["status"], final["images"]) == ("finished", 3 * 5 * 64)
    assert "scale" not in final and np.isfinite(final["g_loss"])


def test_diverged_run(study, small, monkeypatch):
    def fit(model, data, limit, curve):
        return "d_loss is nan"

    monkeypatch.setattr(study.runs, "fit", fit)
    study.main.main([*small.arguments, *"--networks convolutional --methods gan0".split()])
    folder = small.folder / "runs" / "mnist-convolutional-gan0-seed0"
    final = json.loads((folder / "final.json").read_text())
    assert (final["status"], final["reason"], final["updates"]) == ("diverged", "d_loss is nan", 0)
    page = (small.folder / "STUDY.md").read_text()
    assert "| GAN0 | 1, 1 diverged | - | - | - |" in page
    assert "diverged after 0 s (d_loss is nan); its last scores." in page


def test_why_training_ended(study):
    def model_that(error):
        def fit(*args, **kwargs):
            if error:
                raise RuntimeError(error)

        return types.SimpleNamespace(fit=fit, max_gap=40.0)

    def reason(error, elapsed):
        limit = types.SimpleNamespace(elapsed=elapsed, seconds=60.0)
        return study.runs.fit(model_that(error), None, limit, None)

    assert reason(None, 60.0) is None
    assert reason("training diverged: d_loss is nan.", 2.0) == "training diverged: d_loss is nan."
    assert reason(None, 59.0) == "D(real) - D(generated) exceeded 40"
    with pytest.raises(RuntimeError, match="out of memory"):
        reason("out of memory", 2.0)


def test_losses_of_a_gan(study, monkeypatch):
    """Against NumPy, for D(x) = the sum of x and a generator of constant grey images."""
    monkeypatch.setattr(study.scores, "BATCH_SIZE", 2)
    monkeypatch.setattr(study.scores, "LATENT_DIM", 3)
    zeros, ones = keras.initializers.Zeros(), keras.initializers.Ones()
    grey = keras.initializers.Constant(0.125)
    generator = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, kernel_initializer=zeros, bias_initializer=grey),
            keras.layers.Reshape((2, 2, 1)),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((2, 2, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(1, kernel_initializer=ones),
        ]
    )
    gan = kzoo.GAN((2, 2, 1), 3, "minimax", generator=generator, discriminator=discriminator)
    images = np.full((4, 2, 2, 1), 255, "uint8")
    images[2:] = 0
    found = study.scores.losses(gan, images)
    real, fake = np.array([4.0, -4.0]), 0.5
    expected = {
        "d_loss": np.log1p(np.exp(-real)).mean() + np.log1p(np.exp(fake)),
        "g_loss": -np.log1p(np.exp(fake)),
        "d_real": 0.0,
        "d_fake": fake,
        "scale": 1 / (1 + np.exp(-fake)),
    }
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_losses_change_nothing(study):
    gan = kzoo.GAN((8, 8, 1), study.settings.LATENT_DIM, width=2, pointwise=True)
    before = [weight.copy() for weight in gan.get_weights()]
    study.scores.losses(gan, np.zeros((64, 8, 8, 1), "uint8"))
    for old, new in zip(before, gan.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_grid(study):
    args = study.main.parser().parse_args("--data mnist svhn=a.npz --seeds 3 4".split())
    configs = study.main.grid(args)
    assert len(configs) == len({study.settings.run_name(c) for c in configs}) == 2 * 2 * 4 * 2
    widths = {(c["data"], c["source"]): c["width"] for c in configs}
    assert widths == {("mnist", "TFDS mnist, train"): 32, ("svhn", "a.npz"): 64}
    points = [1 / 32, 1 / 16, *(k / 8 for k in range(1, 9))]
    assert configs[0]["points"] == pytest.approx(points)
    # The settings of every run describe a model.
    for config in configs:
        small = {**config, "width": 2}
        assert study.runs.build(small, (8, 8, 1)).generate(1).shape == (1, 8, 8, 1)


def test_optimizers(study):
    def of(*arguments):
        found = keras.optimizers.get(study.settings.settings(*arguments)["optimizer"])
        return type(found).__name__, float(found.learning_rate)

    assert of("gan0", "fully_connected", "mnist") == ("Adam", pytest.approx(2e-4))
    assert of("gan0", "fully_connected", "mnist", "rmsprop") == ("RMSprop", pytest.approx(1e-4))
    assert of("wgan_gp", "convolutional", "svhn", "rmsprop") == ("Adam", pytest.approx(1e-4))


def test_grid_with_the_authors_code(study, tmp_path):
    """One more method, of MNIST's convolutional networks: xICFG's settings and its own RMSprop."""
    (tmp_path / "cfggan.py").touch()
    arguments = f"--data mnist svhn --seeds 3 4 --mixed-precision --authors {tmp_path}".split()
    configs = study.main.grid(study.main.parser().parse_args(arguments))
    assert len(configs) == 2 * 2 * 4 * 2 + 2
    theirs = [config for config in configs if config["method"] == "authors"]
    assert [c["seed"] for c in theirs] == [3, 4]
    (ours,) = (
        c for c in configs if study.settings.run_name(c) == "mnist-convolutional-xicfg-seed3"
    )
    same = ("width", "minutes", "points", "num_samples", "classifier")
    assert [theirs[0][name] for name in same] == [ours[name] for name in same]
    steps = ("num_steps", "step_size", "pool_size", "approximator_epochs", "batch_size")
    expected = {name: ours["arguments"][name] for name in steps}
    assert theirs[0]["arguments"] == {**expected, "discriminator_steps": 1}
    assert theirs[0]["optimizer"]["config"]["learning_rate"] == 2.5e-4
    assert (theirs[0]["backend"], theirs[0]["precision"]) == ("torch", "float32")
    only = [*"--methods authors --data mnist --seeds 3".split(), *arguments[-2:]]
    (alone,) = study.main.grid(study.main.parser().parse_args(only))
    assert alone["method"] == "authors"


@pytest.mark.parametrize("arguments", ["--methods authors", "--authors nowhere"])
def test_no_checkout(study, arguments):
    with pytest.raises(SystemExit, match="--authors must be a checkout with cfggan.py, got [Nn]o"):
        study.main.main(arguments.split())


def test_report_without_a_finished_run(study, tmp_path):
    page = tmp_path / "STUDY.md"
    page.write_text(f"A page.\n{study.report.NOTES[0]}\n{study.report.NOTES[1]}\n")
    before = page.read_text()
    arguments = f"--report-only --output {tmp_path}/runs --page {page}".split()
    with pytest.raises(SystemExit, match=r"Failed: the report \(Expected finished runs in"):
        study.main.main(arguments)
    assert page.read_text() == before and list(tmp_path.iterdir()) == [page]


@pytest.mark.parametrize("arguments", ["--data cifar", "--minutes 0", "--methods vae"])
def test_wrong_arguments(study, arguments, capsys):
    with pytest.raises(SystemExit):
        study.main.main(arguments.split())
    assert arguments.split()[0] in capsys.readouterr().err


def test_jobs(study, tmp_path, monkeypatch, capsys):
    """Five runs, two at a time, each on a core that is free; the third fails."""
    busy, seen = set(), []
    monkeypatch.setattr(study.main, "free_cores", lambda jobs: [4, 7])
    monkeypatch.setattr(study.main.time, "sleep", lambda seconds: None)

    def launch(folder, config, core, authors):
        assert core not in busy and config["threads"] == 1
        busy.add(core)
        seen.append(len(busy))
        final = {"status": "finished", "updates": 1000, "inception_score": 2.5}
        (folder / "final.json").write_text(json.dumps(final))
        process = types.SimpleNamespace(returncode=int(len(seen) == 3))
        process.poll = lambda: busy.discard(core) or process.returncode
        return process

    monkeypatch.setattr(study.main, "launch", launch)
    arguments = "--networks convolutional --methods gan0 --jobs 2"
    args = study.main.parser().parse_args(arguments.split())
    args.seeds = range(5)
    failed = study.main.do_runs(study.main.grid(args), tmp_path, args.jobs)
    assert failed == ["mnist-convolutional-gan0-seed2"] and max(seen) == 2
    lines = capsys.readouterr().out.splitlines()
    assert "seed2: failed (exit 1), see" in lines[2] and "0 to go" in lines[4]
    assert "finished after 1,000 updates, inception_score 2.500" in lines[0]


def test_launched_process(study, tmp_path, monkeypatch):
    script = tmp_path / "script.py"
    names = "OMP_NUM_THREADS", "KERAS_BACKEND"
    script.write_text(f"import os, sys; print(sys.argv[1:], *map(os.environ.get, {names}))")
    monkeypatch.setattr(study.main, "RUNS", script)
    config = {"method": "gan1", "backend": "jax", "threads": 1}
    assert study.main.launch(tmp_path, config, 3).wait() == 0
    assert (tmp_path / "log.txt").read_text() == f"['run', '{tmp_path}', '--core', '3'] 1 jax\n"
    config = {"method": "authors", "backend": "torch", "threads": 1}
    assert study.main.launch(tmp_path, config, None, "code").wait() == 0
    log = (tmp_path / "log.txt").read_text()
    assert log == f"['run', '{tmp_path}', '--authors', 'code'] 1 torch\n"


@pytest.mark.parametrize(
    "arguments, threads", [("", None), ("--one-thread", 1), ("--jobs 2", 1)], ids=str
)
def test_threads(study, arguments, threads):
    args = study.main.parser().parse_args(arguments.split())
    assert {config["threads"] for config in study.main.grid(args)} == {threads}


def test_more_jobs_than_cores(study, monkeypatch):
    monkeypatch.setattr(study.main.os, "sched_getaffinity", lambda pid: {2, 5}, raising=False)
    assert study.main.free_cores(2) == [2, 5] and study.main.free_cores(1) == [None]
    with pytest.raises(ValueError, match="--jobs must be at most 2, the cores at hand; got 3"):
        study.main.free_cores(3)
