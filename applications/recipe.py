"""What the recipes share: command-line arguments, data and callbacks.

A recipe is one script per preset, `applications/<family>_<preset>.py`, run from the root of the
repository as `python applications/vae_mnist.py`. It spells out the model and its training and
ends with `save_to_preset(args.output)`.
"""

import argparse
import math
import pathlib

import keras

import kzoo
from kzoo import datasets


class CosineTail(keras.callbacks.Callback):
    """Constant learning rates of a CFGGAN at first, then a cosine to 0 in the last epochs.

    Args:
        rate: of both optimizers.
        epochs: of the whole training.
        start: the fraction of the epochs after which the rates begin to fall.
    """

    def __init__(self, rate, epochs, start=0.5):
        super().__init__()
        self.rate = rate
        self.epochs = epochs
        self.start = start

    def on_epoch_begin(self, epoch, logs=None):
        tail = max(0.0, epoch / self.epochs - self.start) / (1 - self.start)
        rate = self.rate * 0.5 * (1 + math.cos(math.pi * tail))
        self.model.d_optimizer.learning_rate.assign(rate)
        self.model.g_optimizer.learning_rate.assign(rate)


def parser(description, epochs, output, batch_size=64, mixed_precision=False, data="mnist"):
    """The arguments of a recipe.

    Args:
        description: one line for `--help`.
        epochs, batch_size: what the published weights were trained with.
        output: default folder of the preset, "weights/<family>/<preset>".
        mixed_precision: whether there is a `--mixed-precision`, which `train` follows.
        data: TFDS name of the data set.

    Returns:
        `argparse.ArgumentParser`, to which a recipe may add its own arguments.
    """
    family, preset = pathlib.PurePosixPath(output).parts[-2:]
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--data",
        default=data,
        help="TFDS name, or a .npz / .npy file, which needs no TensorFlow "
        "(kzoo.datasets.save_npz writes one)",
    )
    parser.add_argument("--epochs", type=int, default=epochs, help="passes over the data")
    parser.add_argument(
        "--steps-per-epoch", type=int, help="batches per epoch; None for the whole data set"
    )
    parser.add_argument("--batch-size", type=int, default=batch_size, help="images per update")
    if mixed_precision:
        parser.add_argument(
            "--mixed-precision",
            action="store_true",
            help="compute in bfloat16, which newer CPUs and GPUs do faster; weights stay float32",
        )
    parser.add_argument("--seed", type=int, default=0, help="of weights, data order and sampling")
    parser.add_argument(
        "--output", type=pathlib.Path, default=pathlib.Path(output), help="folder of the preset"
    )
    parser.add_argument(
        "--work",
        type=pathlib.Path,
        default=pathlib.Path("runs", f"{family}-{preset}"),
        help="folder of checkpoints, logs and sample sheets; a run goes on from the last epoch "
        "found there, so empty it to start afresh",
    )
    return parser


def train(args, build, fit):
    """Trains a model in the precision that the arguments ask for.

    Args:
        args: what `parser` parsed.
        build: function without arguments that returns the untrained model.
        fit: function of the model that compiles and trains it.

    Returns:
        The trained model, which computes in float32.
    """
    keras.utils.set_random_seed(args.seed)
    if not args.mixed_precision:
        model = build()
        fit(model)
        return model
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        trained = build()
        fit(trained)
    finally:
        keras.config.set_dtype_policy("float32")
    model = build()
    model.set_weights(trained.get_weights())
    return model


def fit(args, model, data, further_callbacks=(), sheets_every=1, **options):
    """`model.fit` for as long as the arguments say, with `callbacks` and sheets of samples.

    Args:
        args: what `parser` parsed.
        model: a compiled `kzoo.GenerativeModel`.
        data: training data.
        further_callbacks: of this recipe.
        sheets_every: epochs from one sheet of samples to the next.
        **options: further arguments of `fit`, such as `validation_data`.
    """
    sheets = []
    if hasattr(model, "generate"):
        sheets = [kzoo.callbacks.SampleGrid(args.work / "samples", every=sheets_every)]
    model.fit(
        data if args.steps_per_epoch is None else datasets.endless(data),
        epochs=args.epochs,
        steps_per_epoch=args.steps_per_epoch,
        callbacks=[
            *further_callbacks,
            *sheets,
            *callbacks(args),
        ],
        verbose=2,
        **options,
    )


def load(args, split, **options):
    """The data set `args.data` in batches of `args.batch_size`.

    Args:
        args: what `parser` parsed.
        split: such as "train" or "test"; only a training split is shuffled.
        **options: of both `kzoo.datasets.load` and `from_arrays`, such as `pad_to`, `binarize`
            and `labels=True`.
    """
    options = {"batch_size": args.batch_size, "seed": args.seed, **options}
    if pathlib.Path(args.data).suffix in (".npz", ".npy"):
        options = {"shuffle": split.startswith("train"), **options}
        return datasets.from_arrays(args.data, split=split, **options)
    return datasets.load(args.data, split, **options)


def callbacks(args, data=None):
    """An error at the first NaN, a CSV log, and a checkpoint of every epoch, to resume from it.

    The checkpoint outlives `fit`, so that a recipe which fails later does not train again, and a
    larger `--epochs` goes on where the last run ended.

    Args:
        args: what `parser` parsed.
        data: training data, if the model is not a `kzoo.GenerativeModel`.
    """
    args.work.mkdir(parents=True, exist_ok=True)
    return [
        kzoo.callbacks.CheckFinite(),
        keras.callbacks.CSVLogger(args.work / "log.csv", append=True),
        kzoo.callbacks.Checkpoint(args.work / "checkpoint", data=data),
    ]
