"""What each guideline and trick of GAN training changes: with and without, all else equal.

    python applications/gan_tricks.py --data svhn_cropped     # all rows, and GAN_TRICKS.md
    python applications/gan_tricks.py --data mnist --only DCGAN "hinge loss" --seeds 3

The start is a small DCGAN (Radford et al. 2016, arXiv:1511.06434). Every row changes one thing: it
leaves out a guideline of that paper, or adds a trick of the list that Chintala et al. gave in 2016
("How to train a GAN?", the talk), or of later papers. All runs see equally many images. Every
generator is scored twice: with its last weights, and with an average of its weights.

Results are kept in `applications/gan_tricks/<data>.json`. Runs that are there are not run again.
`GAN_TRICKS.md` is written from them.
"""

import argparse
import collections
import json
import pathlib
import time
from typing import NamedTuple

import growing_recipe
import keras
import numpy as np
from keras import layers, ops

import kzoo

FOLDER = pathlib.Path(__file__).parent / "gan_tricks"
PAGE = FOLDER.parent / "GAN_TRICKS.md"
SAMPLES = 5_000
IMAGES = 64_000
BATCH = 64
LATENTS = 64
#: Data, how it is loaded, the classifier that scores it.
DATA = {
    "svhn_cropped": ({}, "svhn"),
    "mnist": ({"pad_to": 32}, "mnist"),
    "cifar10": ({}, "images64"),
}


class Network(NamedTuple):
    """What may differ in the networks; the defaults are DCGAN's guidelines."""

    width: int = 24
    strided: bool = True  # else pooling, and enlarging by repeated pixels
    norm_g: bool = True  # batch norm
    norm_d: bool = True
    hidden: int = 0  # features of a hidden fully connected layer in either network
    leak_g: float = 0.0  # slope of LeakyReLU; 0 is ReLU
    leak_d: float = 0.2
    tanh: bool = True
    spectral: bool = False
    dropout: float = 0.0  # in the generator


def _activation(slope):
    return layers.LeakyReLU(slope) if slope else layers.ReLU()


def generator(shape, n):
    """Latents (b, 64) to images: 4x4 features, doubled in size until they have the image's."""
    start = keras.initializers.RandomNormal(stddev=0.02)
    inputs = x = layers.Input((LATENTS,))
    if n.hidden:
        x = _activation(n.leak_g)(layers.Dense(n.hidden)(x))
    features = n.width * shape[0] // 8
    x = layers.Dense(16 * features, kernel_initializer=start)(x)
    x = layers.Reshape((4, 4, features))(x)
    while True:
        x = layers.BatchNormalization(momentum=0.9)(x) if n.norm_g else x
        x = _activation(n.leak_g)(x)
        x = layers.Dropout(n.dropout)(x) if n.dropout else x
        last = 2 * x.shape[1] == shape[0]
        features = shape[-1] if last else features // 2
        options = {"padding": "same", "kernel_initializer": start.clone()}
        if n.strided:
            x = layers.Conv2DTranspose(features, 4, strides=2, **options)(x)
        else:
            x = layers.Conv2D(features, 4, **options)(layers.UpSampling2D()(x))
        if last:
            return keras.Model(inputs, layers.Activation("tanh")(x) if n.tanh else x)


def discriminator(shape, n):
    """Images to logits (b, 1): halved in size until 4x4 features are left."""

    def layer(made):
        return kzoo.layers.SpectralNormalization(made) if n.spectral else made

    inputs = x = layers.Input(shape)
    features = n.width
    while x.shape[1] > 4:
        start = keras.initializers.RandomNormal(stddev=0.02)
        if n.spectral:
            start = keras.initializers.Orthogonal()
        options = {"padding": "same", "kernel_initializer": start}
        x = layer(layers.Conv2D(features, 4, strides=2 if n.strided else 1, **options))(x)
        x = x if n.strided else layers.MaxPooling2D()(x)
        # Batch norm is left out next to the image, as in the paper.
        batch_norm = n.norm_d and not n.spectral and features > n.width
        x = layers.BatchNormalization(momentum=0.9)(x) if batch_norm else x
        x = _activation(n.leak_d)(x)
        features *= 2
    x = layers.Flatten()(x)
    if n.hidden:
        x = _activation(n.leak_d)(layer(layers.Dense(n.hidden))(x))
    return keras.Model(inputs, layer(layers.Dense(1))(x))


class SmoothedGAN(kzoo.GAN):
    """One-sided label smoothing (Salimans et al. 2016, arXiv:1606.03498): real images count .9."""

    def discriminator_criterion(self, real, fake):
        # -.9 log sigmoid(D) - .1 log(1 - sigmoid(D)) = softplus(-D) + .1 D
        return super().discriminator_criterion(real, fake) + 0.1 * ops.mean(real)


class Row(NamedTuple):
    """A row of the table."""

    source: str
    network: dict = {}  # of Network
    model: dict = {}  # of kzoo.GAN
    d: dict = {}  # of the discriminator's Adam
    g: dict = {}
    model_class: type = kzoo.GAN
    sgd: bool = False  # for the discriminator


DCGAN = "arXiv:1511.06434"
TALK = "Chintala et al. 2016"
ROWS = {
    "DCGAN": Row(DCGAN),
    # Its guidelines, left out.
    "pooling in place of strides": Row(DCGAN, {"strided": False}),
    "no batch norm in G": Row(DCGAN, {"norm_g": False}),
    "no batch norm in D": Row(DCGAN, {"norm_d": False}),
    "hidden fully connected layers": Row(DCGAN, {"hidden": 256}),
    "LeakyReLU in G": Row(TALK, {"leak_g": 0.2}),
    "ReLU in D": Row(DCGAN, {"leak_d": 0.0}),
    "G without tanh": Row(TALK, {"tanh": False}),
    "Adam with beta_1 = .9": Row(DCGAN, d={"beta_1": 0.9}, g={"beta_1": 0.9}),
    # Losses.
    "minimax loss (GAN0)": Row("arXiv:1406.2661", model={"generator_loss": "minimax"}),
    "hinge loss": Row("arXiv:1705.02894", model={"generator_loss": "hinge"}),
    # Tricks, added.
    "label smoothing": Row("arXiv:1606.03498", model_class=SmoothedGAN),
    "instance noise of .1": Row("arXiv:1701.04862", model={"instance_noise": 0.1}),
    "dropout of .5 in G": Row(TALK, {"dropout": 0.5}),
    "SGD for D": Row(TALK, sgd=True),
    "two updates of D": Row("arXiv:1406.2661", model={"discriminator_steps": 2}),
    "two time scales": Row(
        "arXiv:1706.08500", d={"learning_rate": 4e-4}, g={"learning_rate": 1e-4}
    ),
    "R1, gamma = 1": Row("arXiv:1801.04406", model={"r1": 1.0}),
    "spectral normalization of D": Row("arXiv:1802.05957", {"spectral": True}),
    "spectral normalization, hinge loss": Row(
        "arXiv:1802.05957", {"spectral": True}, {"generator_loss": "hinge"}
    ),
    "translated images": Row("arXiv:2006.10738", model={"augment": "translation"}),
    "translation, color, cutout": Row(
        "arXiv:2006.10738", model={"augment": "color,translation,cutout"}
    ),
    "spectral norm., hinge, two time scales, translation": Row(
        "all of these",
        {"spectral": True},
        {"generator_loss": "hinge", "augment": "translation"},
        {"learning_rate": 4e-4, "beta_1": 0.0},
        {"learning_rate": 2e-4, "beta_1": 0.0},
    ),
}


def load(data, split="train"):
    options, _ = DATA[data]
    dataset = kzoo.datasets.load(data, split=split, batch_size=256, shuffle=False, **options)
    return kzoo.datasets.to_arrays(dataset)[0]


def run(row, images, seed, count):
    """Trains one GAN on `count` images; returns it and the seconds of processor time."""
    keras.utils.set_random_seed(seed)
    network = Network(**row.network)
    shape = images.shape[1:]
    model = row.model_class(
        generator=generator(shape, network),
        discriminator=discriminator(shape, network),
        image_shape=shape,
        latent_dim=LATENTS,
        average_decay=0.999,
        **row.model,
    )
    adam = {"learning_rate": 2e-4, "beta_1": 0.5}
    model.compile(
        d_optimizer=keras.optimizers.SGD(0.01)
        if row.sgd
        else keras.optimizers.Adam(**{**adam, **row.d}),
        g_optimizer=keras.optimizers.Adam(**{**adam, **row.g}),
    )
    start = time.process_time()
    model.fit(
        growing_recipe.batches(images, BATCH, seed),
        steps_per_epoch=count // BATCH // model.discriminator_steps,
        verbose=0,
    )
    seconds = time.process_time() - start
    growing_recipe.settle(model)
    return model, seconds


def score(model, classifier, reference, averaged):
    """`{score: value}` of `SAMPLES` images."""
    measured = kzoo.metrics.FrechetDistance(classifier, reference)
    inception = kzoo.metrics.InceptionScore(classifier)
    images = model.generate(SAMPLES, seed=0, averaged=averaged)
    for start in range(0, SAMPLES, 500):
        part = images[start : start + 500]
        if part.shape[1:] != classifier.image_shape and classifier.image_shape[2] == 3:
            part = kzoo.evaluation.classifier_metric.enlarge(part, classifier.image_shape)
        measured.update_state(part)
        inception.update_state(part)
    return {"frechet": float(measured.result()), "inception": float(inception.result())}


def finite(model):
    return all(np.isfinite(w).all() for w in model.get_weights())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=sorted(DATA), default="svhn_cropped")
    parser.add_argument("--images", type=int, default=IMAGES, help="that every run sees")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", nargs="*", choices=list(ROWS), help="rows")
    args = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{args.data}.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    images = load(args.data)
    classifier = kzoo.Classifier.from_preset(DATA[args.data][1])
    reference = None
    if classifier.image_shape[:2] == (64, 64):  # statistics of these images, enlarged
        metric = kzoo.metrics.FrechetDistance(classifier)
        enlarge = kzoo.evaluation.classifier_metric.enlarge
        metric.set_reference(enlarge(images, classifier.image_shape))
        reference = metric.reference
    for seed in range(args.seeds):
        for name in args.only or ROWS:
            key = f"{name}, seed {seed}"
            if results.get(key, {}).get("images") == args.images:
                continue
            model, seconds = run(ROWS[name], images, seed, args.images)
            results[key] = {"images": args.images, "seconds": round(seconds, 1)}
            if finite(model):
                for kind, averaged in (("last", False), ("average", True)):
                    results[key][kind] = score(model, classifier, reference, averaged)
            print(key, json.dumps(results[key]), flush=True)
            path.write_text(json.dumps(results, indent=1) + "\n")
    PAGE.write_text(page())


def named(key):
    """The row of a run's key, such as "DCGAN, seed 0"."""
    return key.rsplit(", seed ", 1)[0]


def cell(values):
    """Mean and deviation over the seeds."""
    if not values:
        return "not finite"
    spread = f" ± {np.std(values, ddof=1):.2f}" if len(values) > 1 else ""
    return f"{np.mean(values):.2f}{spread}"


def table(data, results):
    """The part of `GAN_TRICKS.md` about one data set."""
    options, classifier = DATA[data]
    seen = sorted({r["images"] for r in results.values()})
    runs_of = collections.Counter(named(key) for key in results)
    once = 1 in runs_of.values()
    lines = [
        f"## {data}",
        "",
        f"{', '.join(f'{n:,}' for n in seen)} images seen by every run; scores on the features of "
        f"classifier {classifier}.",
        *(["Small differences of a row with one seed may be chance."] if once else []),
        "",
        "| | source | Frechet distance | with averaged weights | inception score "
        "| with averaged weights | seconds | seeds |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, row in ROWS.items():
        runs = [r for key, r in results.items() if named(key) == name]
        if not runs:
            continue
        good = [r for r in runs if "last" in r]
        cells = [
            cell([r[kind][s] for r in good])
            for s in ("frechet", "inception")
            for kind in ("last", "average")
        ]
        seconds = f"{np.mean([r['seconds'] for r in runs]):.0f}"
        lines.append(f"| {name} | {row.source} | {' | '.join(cells)} | {seconds} | {len(runs)} |")
    return [*lines, ""]


def verdict(name, results):
    """Whether a row is "better" or "worse" than DCGAN for every seed, by the averaged weights."""

    def distance(run):  # weights that are not finite are worse than all others
        return run["average"]["frechet"] if "average" in run else np.inf

    verdicts = set()
    for key, run in results.items():
        row, seed = key.rsplit(", seed ", 1)
        dcgan = results.get(f"DCGAN, seed {seed}")
        if row == name and dcgan:
            here, there = distance(run), distance(dcgan)
            verdicts.add("better" if here < there else "worse" if here > there else "")
    return verdicts.pop() if len(verdicts) == 1 else ""


def summary(results):
    """The part of `GAN_TRICKS.md` that compares the data sets; `results` has those of each."""
    lines = [
        "## In short",
        "",
        "Better or worse than the row DCGAN, by the Frechet distance with averaged weights, for",
        "every seed; no word where the seeds disagree. A change without effect gets a word by",
        "chance: with two seeds in one case of two, with three in one of four.",
        "",
        f"| | {' | '.join(results)} |",
        "| --- |" + " --- |" * len(results),
    ]
    for name in list(ROWS)[1:]:
        lines.append(f"| {name} | {' | '.join(verdict(name, r) for r in results.values())} |")
    return [*lines, ""]


def page():
    """`GAN_TRICKS.md`, from the results in `applications/gan_tricks/`."""
    lines = [
        "# What the guidelines and tricks of GAN training are worth",
        "",
        "`python applications/gan_tricks.py --data NAME` trains the GANs and writes this page. The",
        'row "DCGAN" is a small GAN that follows the guidelines of its paper. Every other row',
        "changes what it names, and nothing else. All runs see equally many images, so a row with",
        "two updates of D has half as many updates of G.",
        "",
        f"Scores are of {SAMPLES:,} samples: means over the seeds, with the standard deviation",
        "over the seeds. A lower Frechet distance is better, and a higher inception score. The",
        "average of the generator's weights has a decay of .999 per update. Seconds are processor",
        "time of training, on one core.",
        "",
        "These are short runs of small networks. A trick that helps late in a long training does",
        "not show here.",
        "",
    ]
    paths = {data: FOLDER / f"{data}.json" for data in DATA}
    results = {data: json.loads(path.read_text()) for data, path in paths.items() if path.exists()}
    lines += summary(results)
    for data, of_data in results.items():
        lines += table(data, of_data)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    main()
