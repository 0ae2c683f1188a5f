"""Transfer learning from autoencoders: accuracy with few labels, random against trained encoders.

    python applications/transfer_learning.py --data mnist
    python applications/transfer_learning.py --data svhn=svhn.npz --labels 100 300
    python applications/transfer_learning.py --report-only

Encoders are trained without labels on all training images: by an autoencoder, a denoising
autoencoder and a VAE of equal networks; a fourth one is left random. Each becomes a classifier by
`kzoo.Classifier.from_encoder`, which learns from a few labels and is tested on the whole test set:
a linear layer on the frozen encoder's code, or on its hidden layer, or both that layer's features
and the linear layer are fine-tuned. Labels are drawn at random, equally many of each class, the
same for all encoders; every draw gives one row of the CSV file.

A row that exists is not computed again, and trained encoders are kept in the work folder: a run
that was stopped goes on. At the end, and with `--report-only`, `transfer_learning_report.py` draws
the curves and writes the page.
"""

import argparse
import csv
import pathlib
import time

import keras
import numpy as np
from transfer_learning_report import rows_of, write
from transfer_learning_settings import (
    BATCH,
    ENCODERS,
    EPOCHS,
    LATENT_DIM,
    MASKED,
    MODES,
    NETWORK,
    PRETRAINING_BATCH,
    PRETRAINING_RATE,
    RATES,
    UPDATES,
)

import kzoo

HERE = pathlib.Path(__file__).resolve().parent
FIELDS = ("data", "encoder", "mode", "labels", "draw", "accuracy", "seconds")
TFDS = {"mnist": "mnist", "svhn": "svhn_cropped"}


def parser():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    add = parser.add_argument
    add(
        "--data",
        nargs="+",
        type=named,
        default=[("mnist", None), ("svhn", None)],
        metavar="NAME[=FILE]",
        help=f"of {', '.join(TFDS)}; from TFDS, or from a .npz file, without TensorFlow",
    )
    add("--encoders", nargs="+", choices=ENCODERS, default=list(ENCODERS), help="what is compared")
    add("--modes", nargs="+", choices=MODES, default=list(MODES), help="of learning")
    add("--labels", nargs="+", type=int, choices=UPDATES, default=list(UPDATES), help="how many")
    add("--draws", type=int, default=5, help="of the labels")
    add("--epochs", type=int, help=f"of training without labels; None for {EPOCHS}")
    add(
        "--output",
        type=pathlib.Path,
        default=HERE / "transfer_learning",
        help="folder of results.csv and of the curves; the page stands beside it",
    )
    add(
        "--work",
        type=pathlib.Path,
        default=pathlib.Path("runs/transfer_learning"),
        help="folder of the trained encoders",
    )
    add("--report-only", action="store_true", help="only write the report on the rows there are")
    return parser


def named(text):
    """`name` or `name=file` as a pair."""
    name, _, file = text.partition("=")
    if name not in TFDS:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(TFDS)}, got {name!r}")
    return name, file or None


def load(name, file, split):
    """All images and labels of a split, as they are stored."""
    options = {"labels": True, "shuffle": False, "batch_size": 500}
    if file is None:
        data = kzoo.datasets.load(TFDS[name], split, **options)
    else:
        data = kzoo.datasets.from_arrays(file, split=split, **options)
    return kzoo.datasets.to_arrays(data)


def build(encoder, image_shape, seed):
    """The untrained model that an encoder belongs to; all encoders have the same layers."""
    keras.utils.set_random_seed(seed)
    # Digits are nearly black and white, house numbers are not.
    grey = image_shape[-1] == 1
    if encoder == "vae":
        likelihood = "bernoulli" if grey else "gaussian"
        return kzoo.VAE(image_shape, LATENT_DIM, likelihood, seed=seed, **NETWORK)
    noise = {"corruption": "masking", "corruption_level": MASKED} if encoder == "denoising" else {}
    loss = "cross_entropy" if grey else "l2"
    return kzoo.Autoencoder(
        image_shape, LATENT_DIM, reconstruction_loss=loss, seed=seed, **noise, **NETWORK
    )


def trained(encoder, images, epochs, folder):
    """The model of an encoder, trained on images without labels or loaded from its folder."""
    if (folder / "config.json").is_file():
        return kzoo.GenerativeModel.from_preset(folder)
    model = build(encoder, images.shape[1:], seed=0)
    model.compile(keras.optimizers.Adam(PRETRAINING_RATE))
    model.fit(images, batch_size=PRETRAINING_BATCH, epochs=epochs, verbose=2)
    model.save_to_preset(folder)
    return model


def draw_labels(labels, count, seed):
    """Indices of `count` examples, equally many of each class (or one more)."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(labels))
    # The k-th example of every class comes before the (k+1)-th of any.
    rank = np.empty(len(labels), int)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        rank[members] = np.arange(len(members))
    return order[np.argsort(rank[order], kind="stable")][:count]


def classifier_of(model, mode, seed):
    """A classifier on a model's encoder, up to its code (a posterior's mean) or hidden layer."""
    keras.utils.set_random_seed(seed)
    if mode == "frozen code":
        code = kzoo.latents.latent_network(model)
        return kzoo.Classifier.from_encoder(code, 10, trainable_encoder=False)
    return kzoo.Classifier.from_encoder(
        model.encoder, 10, trainable_encoder=mode == "fine-tuned", layer=-2
    )


class Trainer:
    """Trains one classifier again and again from given weights: one compiled program for all."""

    def __init__(self, classifier, rate):
        self.classifier = classifier
        classifier.compile(
            keras.optimizers.Adam(rate),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        classifier.optimizer.build(classifier.trainable_variables)
        self.start = [keras.ops.convert_to_numpy(v) for v in classifier.optimizer.variables]

    def accuracy(self, weights, train, test, updates, seed):
        """The accuracy on `test`, in percent, after some updates on `train` from `weights`."""
        self.classifier.set_weights(weights)
        for variable, value in zip(self.classifier.optimizer.variables, self.start, strict=True):
            variable.assign(value)
        images, labels = train
        generator = np.random.default_rng(seed)
        passes = -(-updates * BATCH // len(images))
        order = np.concatenate([generator.permutation(len(images)) for _ in range(passes)])
        order = order[: updates * BATCH]
        self.classifier.fit(
            images[order], labels[order], batch_size=BATCH, shuffle=False, verbose=0
        )
        _, probabilities = self.classifier.activations(test[0])
        return 100.0 * float(np.mean(probabilities.argmax(axis=1) == test[1]))


def append(path, row):
    new = not path.is_file()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if new:
            writer.writeheader()
        writer.writerow(row)


def run(args, name, file):
    """Computes the rows of one data set that are not there yet."""
    path = args.output / "results.csv"
    done = {tuple(row[field] for field in FIELDS[:5]) for row in rows_of(path)}
    todo = [
        (encoder, mode, count, draw)
        for encoder in args.encoders
        for mode in args.modes
        for count in args.labels
        for draw in range(args.draws)
        if (name, encoder, mode, str(count), str(draw)) not in done
    ]
    if not todo:
        return
    train, test = load(name, file, "train"), load(name, file, "test")
    models, trainers = {}, {}
    for encoder, mode, count, draw in todo:
        start = time.perf_counter()
        if encoder == "random":
            model = build("autoencoder", train[0].shape[1:], seed=1 + draw)
        else:
            if encoder not in models:
                folder = args.work / f"{name}-{encoder}"
                models[encoder] = trained(encoder, train[0], args.epochs or EPOCHS[name], folder)
                start = time.perf_counter()
            model = models[encoder]
        classifier = classifier_of(model, mode, seed=draw)
        weights = classifier.get_weights()
        # Encoders have equal layers (but the VAE's code), so one program serves all of a kind.
        kind = (mode, mode == "frozen code" and encoder == "vae")
        if kind not in trainers:
            trainers[kind] = Trainer(classifier, RATES[mode])
        few = draw_labels(train[1], count, draw)
        accuracy = trainers[kind].accuracy(
            weights, (train[0][few], train[1][few]), test, UPDATES[count], draw
        )
        seconds = round(time.perf_counter() - start, 1)
        values = (name, encoder, mode, count, draw, round(accuracy, 2), seconds)
        append(path, dict(zip(FIELDS, values)))
        print(*values, flush=True)


def main(arguments=None):
    args = parser().parse_args(arguments)
    args.output.mkdir(parents=True, exist_ok=True)
    if not args.report_only:
        for name, file in args.data:
            run(args, name, file)
    print(f"Report: {write(args.output)}")


if __name__ == "__main__":
    main()
