"""One run of `cfg_study.py`, in a process of its own: trains a model for a given time, scores it.

    python applications/cfg_study_runs.py run runs/cfg_study/mnist-convolutional-gan1-seed0
    python applications/cfg_study_runs.py prepare mnist mnist.npz runs/cfg_study/data/mnist.npy

The folder of a run holds `config.json` (`cfg_study_settings.run_config`). The run adds

* `curve.csv`: a row of `COLUMNS` per point in time,
* `final.json`: the outcome, written last: with it the run is done, and without it a run starts
  afresh,
* `samples.png`: 64 images from the end,
* `preset/`: the trained model in float32, for `kzoo evaluate`; not of the authors' code.

Time is that of updates alone, from the call of `fit`: the approximator's initialization and what a
backend compiles at the first update count; drawing and scoring images do not.
"""

import argparse
import csv
import json
import os
import pathlib
import platform
import shutil
import subprocess
import time

import keras
import numpy as np
from cfg_study_scores import LOSSES, all_scores, losses
from cfg_study_settings import BATCH_SIZE, DATA, LATENT_DIM

import kzoo
from kzoo.classifier.classifier import SCORES

COLUMNS = (
    "point",  # share of the time
    "seconds",
    "wall_seconds",  # of the clock, scoring included
    "updates",  # of the generator; stages of xICFG
    "images",  # real images seen
    "num_samples",
    *SCORES,
    *(f"{name}_0" for name in SCORES),  # xICFG: of the approximator alone
    *LOSSES,
)
REAL = 640  # real and generated images that `losses` looks at


def prepare(name, source, path):
    """Writes the images of a data set as one uint8 array (n, h, w, c), which all runs share.

    Args:
        name: of `DATA`.
        source: a .npz or .npy file, or "tfds".
        path: .npy file to write, replaced as a whole.
    """
    tfds_name, split, options, *_ = DATA[name]
    if source == "tfds":
        data = kzoo.datasets.load(tfds_name, split, 512, shuffle=False, cache=False, **options)
        images, _ = kzoo.datasets.to_arrays(data)
    else:
        images = kzoo.datasets.from_arrays(source, **options).images
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.{os.getpid()}.npy")
    try:
        np.save(part, images)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def build(config, image_shape, authors=None):
    """The untrained model of a run.

    Args:
        config: of the run.
        image_shape: (h, w, c).
        authors: the checkout of the authors' code, if the run is of that.
    """
    if config["method"] == "authors":
        import cfg_study_authors

        return cfg_study_authors.AuthorsXICFG(config, image_shape, authors)
    return getattr(kzoo, config["model"])(
        image_shape, LATENT_DIM, width=config["width"], **config["arguments"]
    )


class Curve(keras.callbacks.Callback):
    """Scores the model whenever a point in time has passed, and writes `curve.csv`.

    The last point is the end of training, which `run` scores.

    Args:
        config: of the run.
        limit: the run's `TimeLimit`, which comes before this callback.
        classifier: a `kzoo.Classifier`.
        images: real images, for `losses`.
        path: the file to write.
    """

    def __init__(self, config, limit, classifier, images, path):
        super().__init__()
        self.config, self.limit, self.classifier = config, limit, classifier
        self.images, self.path = images, path
        self.points = config["points"][:-1]
        self.updates, self.last = 0, {}
        self._begin, self._wall = limit.now(), time.perf_counter()
        with path.open("w", newline="") as file:
            csv.DictWriter(file, COLUMNS).writeheader()

    def on_train_begin(self, logs=None):
        self.limit.elapsed += self.limit.now() - self._begin

    def on_train_batch_end(self, batch, logs=None):
        self.updates += 1
        share = self.limit.elapsed / self.limit.seconds
        passed = [point for point in self.points if point <= share]
        if passed and share < 1:
            self.points = self.points[len(passed) :]
            self.write(self.model, passed[-1], self.config["curve_samples"])

    def write(self, model, point, num_samples):
        """Adds a row; returns the class histograms."""
        columns, histograms = all_scores(model, self.classifier, num_samples)
        self.last = {
            "point": point,
            "seconds": self.limit.elapsed,
            "wall_seconds": time.perf_counter() - self._wall,
            "updates": self.updates,
            "images": self.updates * model.examples_per_step(BATCH_SIZE),
            "num_samples": num_samples,
            **columns,
            **losses(model, self.images),
        }
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, COLUMNS).writerow(self.last)
        return histograms


def run(folder, images=None, authors=None):
    """Does the run of a folder.

    Args:
        folder: with `config.json`.
        authors: the checkout of the authors' code, if the run is of that.
        images: uint8 array (n, h, w, c); read from `../data/<data>.npy` if None.

    Returns:
        What it wrote to `final.json`.
    """
    folder = pathlib.Path(folder)
    config = json.loads((folder / "config.json").read_text())
    if images is None:
        images = np.load(folder.parent / "data" / f"{config['data']}.npy", mmap_mode="r")
    classifier = kzoo.Classifier.from_preset(config["classifier"])  # computes in float32
    keras.utils.set_random_seed(config["seed"])
    data = kzoo.datasets.from_arrays(
        images, batch_size=BATCH_SIZE, seed=config["seed"], drop_remainder=True
    )
    keras.config.set_dtype_policy(config["precision"])
    try:
        model = build(config, data.image_shape, authors)
        model.compile(config["optimizer"], config["optimizer"])
        limit = kzoo.callbacks.TimeLimit(60 * config["minutes"], clock=config["clock"])
        curve = Curve(config, limit, classifier, images[:REAL], folder / "curve.csv")
        reason = fit(model, data, limit, curve)
    finally:
        keras.config.set_dtype_policy("float32")
    outcome = {"status": "diverged" if reason else "finished", "reason": reason}
    if not reason:
        if config["precision"] != "float32":
            trained, model = model, build(config, data.image_shape)
            model.set_weights(trained.get_weights())
        outcome.update(curve.write(model, 1.0, config["num_samples"]))
        sheet = model.generate(64, seed=0)
        kzoo.visualization.image_grid(sheet, columns=8, path=folder / "samples.png")
        if config["method"] != "authors":
            model.save_to_preset(folder / "preset")
    outcome = {
        **outcome,
        **curve.last,
        "seconds": limit.elapsed,
        "updates": curve.updates,
        "images": curve.updates * model.examples_per_step(BATCH_SIZE),
        "reference": {name: float(classifier.reference.scores[name]) for name in SCORES},
        "machine": {**machine(), **(model.versions() if config["method"] == "authors" else {})},
    }
    part = folder / ".final.json"
    part.write_text(json.dumps(outcome, indent=2) + "\n")
    part.replace(folder / "final.json")
    return outcome


def fit(model, data, limit, curve):
    """Trains a model until the limit; returns why it ended before, or None."""
    callbacks = [limit, kzoo.callbacks.CheckFinite(), curve]
    try:
        model.fit(data, epochs=10**9, callbacks=callbacks, verbose=0)
    except RuntimeError as error:
        if "training diverged" not in str(error):
            raise
        return str(error)
    if limit.elapsed < limit.seconds:
        return f"D(real) - D(generated) exceeded {model.max_gap:g}"
    return None


def machine():
    """The processor and the versions that a run had; a GPU's name where there is one."""
    name = platform.processor() or platform.machine()
    if pathlib.Path("/proc/cpuinfo").is_file():
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        name = next((x.partition(":")[2].strip() for x in lines if x[:10] == "model name"), name)
    facts = {"processor": name, "cores": os.cpu_count(), "keras": keras.__version__}
    if shutil.which("nvidia-smi") and not os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        facts["gpu"] = subprocess.run(query, capture_output=True, text=True).stdout.strip()
    return facts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("run", help="does a run")
    one.add_argument("folder", help="of the run, with its config.json")
    one.add_argument("--core", type=int, help="processor core to stay on")
    one.add_argument("--authors", help="checkout of the authors' code")
    data = commands.add_parser("prepare", help="writes the images of a data set as one array")
    for name in ("name", "source", "path"):
        data.add_argument(name)
    args = parser.parse_args()
    if args.command == "prepare":
        prepare(args.name, args.source, args.path)
        return
    if args.core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {args.core})  # before a backend starts its threads
    run(args.folder, authors=args.authors)


if __name__ == "__main__":
    main()
