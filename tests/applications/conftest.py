import itertools
import pathlib
import sys
import types

import numpy as np
import pytest

import kzoo
from kzoo.callbacks import stopping as time_limit

APPLICATIONS = pathlib.Path(__file__).resolve().parents[2] / "applications"
NAMES = (
    *("", "_settings", "_folders", "_scores", "_runs", "_authors"),
    *("_tables", "_figures", "_protocol", "_report"),
)


@pytest.fixture(scope="session")
def study():
    """The modules `cfg_study*.py` as attributes: main, settings, runs, tables, report, ..."""
    sys.path.insert(0, str(APPLICATIONS))
    try:
        modules = {n[1:] or "main": __import__(f"cfg_study{n}") for n in NAMES}
    finally:
        sys.path.remove(str(APPLICATIONS))
    return types.SimpleNamespace(**modules)


@pytest.fixture
def small(study, tmp_path, monkeypatch):
    """Arguments of a study of 8x8 images; every look at its clock takes a second."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (400, 8, 8, 1), dtype=np.uint8)
    np.savez(tmp_path / "digits.npz", x_train=images)
    classifier = kzoo.Classifier((8, 8, 1), num_classes=4, widths=(3, 5))
    labels = np.arange(400) % 4
    classifier.reference = kzoo.metrics.measure_reference(classifier, images, labels, images)
    classifier.save_to_preset(tmp_path / "classifier")
    name, split, _, *rest = study.settings.DATA["mnist"]
    monkeypatch.setitem(study.settings.DATA, "mnist", (name, split, {}, *rest))
    for name, value in (("num_steps", 2), ("pool_size", 128), ("approximator_epochs", 1)):
        monkeypatch.setitem(study.settings.XICFG["convolutional"], name, value)
    monkeypatch.setitem(study.settings.XICFG_BY_DATA, "mnist", {})
    seconds = itertools.count()
    clock = types.SimpleNamespace(process_time=lambda: float(next(seconds)))
    monkeypatch.setattr(time_limit, "time", clock)

    launched = []

    def launch(folder, config, core, authors):
        launched.append(folder.name)
        study.runs.run(folder, authors=authors)
        return types.SimpleNamespace(poll=lambda: 0, returncode=0)

    def prepare(args):
        for name, source in args.data:
            study.runs.prepare(name, source, args.output / "data" / f"{name}.npy")

    monkeypatch.setattr(study.main, "launch", launch)
    monkeypatch.setattr(study.main, "prepare", prepare)
    arguments = f"--data mnist={tmp_path}/digits.npz --classifiers mnist={tmp_path}/classifier"
    arguments += f" --output {tmp_path}/runs --page {tmp_path}/STUDY.md --seeds 0"
    arguments += f" --minutes {4 / 60} --width 2 --evaluations 2"
    arguments += " --num-samples 130 --curve-samples 64"
    return types.SimpleNamespace(arguments=arguments.split(), launched=launched, folder=tmp_path)
