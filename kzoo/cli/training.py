"""How `kzoo train` trains: optimizers, checkpoints, the folder of a run."""

import json
import sys

from kzoo.cli import data, pairs
from kzoo.evaluation.capabilities import can, takes_pairs


def compile_model(model, learning_rate, **losses):
    """Compiles a model with the paper's optimizers, at another learning rate if one is given.

    Args:
        model: the model.
        learning_rate: a number, or `None`.
        **losses: further arguments of `compile`, of a model that does not define its losses.
    """
    optimizers = model.default_optimizers()
    if learning_rate is not None:
        optimizers = {n: with_rate(o, learning_rate) for n, o in optimizers.items()}
    model.compile(**optimizers, **losses)


def with_rate(optimizer, learning_rate):
    """An optimizer like another one, at another learning rate; a schedule begins with it."""
    config = optimizer.get_config()
    schedule = config["learning_rate"]
    if isinstance(schedule, dict):
        schedule["config"]["initial_learning_rate"] = learning_rate
    else:
        config["learning_rate"] = learning_rate
    return type(optimizer).from_config(config)


def training_settings(args):
    """The settings that a run must share with the one whose checkpoint it continues."""
    names = ("model", "preset", "data", "sources", "split", "image_size", "channels")
    names += ("steps_per_epoch", "batch_size", "learning_rate", "seed", "validation_split")
    return {f"--{name.replace('_', '-')}": getattr(args, name) for name in names[1:]}


def has_checkpoint(work):
    """Whether a training in that folder can go on."""
    return any(work.glob("checkpoint/epoch_*.npz"))


def check_output(args):
    """Checks that no other training's preset would be replaced, and that epochs are left to train.

    Raises:
        ValueError: if the output folder holds a preset and the work folder no training of it, or if
            the training found there has had more epochs than it is asked for.
    """
    from kzoo.callbacks import Checkpoint
    from kzoo.presets.sources import CONFIG, LocalFiles

    resumed = has_checkpoint(args.work)
    if (args.output / CONFIG).exists() and not resumed and not args.overwrite:
        there = LocalFiles(args.output).read(CONFIG).get("class_name", "model")
        raise ValueError(
            f"--output: {str(args.output)!r} holds a preset already, a {there}; give another "
            "--output, or --overwrite to replace it"
        )
    done = Checkpoint(args.work / "checkpoint").epochs_done()
    if not args.stages and done > args.epochs:
        raise ValueError(
            f"--epochs {args.epochs}: the training in {str(args.work)!r} has had {done} epochs "
            f"already; give more than {done}, or another --work and --output"
        )


def check_data(model, dataset, args):
    """`ValueError` unless a model's `fit` takes the data, before anything is written."""
    from kzoo.models import batches

    if hasattr(model, "examples_per_step"):  # a classifier is trained by Keras
        grouped = args.steps_per_epoch is None  # else the images are taken again and again
        batches.prepare(model, dataset, batch_size=args.batch_size, grouped=grouped)


def claim(work, settings):
    """Makes the work folder, or checks that the training found there had the same settings.

    Raises:
        ValueError: if it had others.
    """
    from kzoo.presets.storage import write_json

    path = work / "settings.json"
    settings["model"].pop("name", None)
    settings = json.loads(json.dumps(settings))
    if path.is_file() and has_checkpoint(work):
        before = json.loads(path.read_text(encoding="utf-8"))
        changed = [name for name in settings if before.get(name) != settings[name]]
        if "model" in changed:
            names = _changed_arguments(before.get("model", {}), settings["model"])
            changed[changed.index("model")] = f"the model's {' and '.join(names)}"
        if changed:
            raise ValueError(
                f"the folder {str(work)!r} holds a training with other settings "
                f"({', '.join(changed)}); give another --work, or empty it"
            )
    work.mkdir(parents=True, exist_ok=True)
    write_json(path, settings)


def _changed_arguments(before, now):
    """Names of the constructor arguments that differ in two configs of models."""
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


def has_prior(model):
    """Whether a model has a prior of its latents that is fitted after the model (a VQVAE)."""
    return can(model, "default_prior", "set_prior", "fit_prior")


def fit(model, dataset, args):
    """Trains a model, or goes on training it from the last checkpoint.

    Returns:
        The `keras.callbacks.History` of the epochs of this call.

    Raises:
        RuntimeError: when a loss is no longer a finite number, before that gets into a checkpoint.
    """
    from kzoo.callbacks import SampleGrid, StageLimit
    from kzoo.datasets import endless

    callbacks = []
    if can(model, "generate") and not has_prior(model):  # which is not trained yet
        sheet = {"columns": 8, "scale": 2, **sheet_of_pairs(model, args)}
        callbacks.append(SampleGrid(args.work / "samples", **sheet))
    if args.stages:
        callbacks.append(StageLimit(model.stages_done + args.stages))
    history = model.fit(
        dataset if args.steps_per_epoch is None else endless(dataset),
        batch_size=args.batch_size,
        epochs=args.stages or args.epochs,  # a stage takes less than an epoch
        steps_per_epoch=args.steps_per_epoch,
        callbacks=[*callbacks, *checkpoints(args.work)],
        verbose=verbose(),
    )
    if has_prior(model):
        fit_prior(model, dataset, args)
    return history


def sheet_of_pairs(model, args):
    """What sheets of samples need for a model that learns pairs: the first sources."""
    if not takes_pairs(model):
        return {}
    _, sources, _ = pairs.load(model, data.of_training(args), most=64)
    return {"num_images": len(sources), "sources": sources}


def fit_prior(model, dataset, args):
    """Trains a model's prior on the codes of the same images, with a learning rate of its own.

    The prior depends on nothing but the model's weights and the arguments: not on when the
    training of the model was interrupted, nor on priors of a model that had had fewer epochs.
    """
    import keras

    from kzoo.datasets import to_arrays

    if hasattr(model, "order_codes"):
        model.order_codes()
    dataset.set_epoch(0)  # else their order would depend on where the training has begun
    images, labels = to_arrays(dataset)
    work = args.work / "prior" / str(args.epochs)
    work.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(args.seed)
    model.fit_prior(
        images,
        labels,
        batch_size=args.batch_size,
        epochs=args.epochs,
        steps_per_epoch=args.steps_per_epoch,
        callbacks=checkpoints(work),
        verbose=verbose(),
    )


def checkpoints(work):
    """Callbacks that watch for NaN, write a log, and let a training in that folder be resumed."""
    import keras

    from kzoo.callbacks import CheckFinite, Checkpoint

    return [
        CheckFinite(),
        keras.callbacks.CSVLogger(work / "log.csv", append=True),
        Checkpoint(work / "checkpoint"),
    ]


def verbose():
    """Keras's progress bar redraws its line, which only a terminal shows well."""
    return 1 if sys.stdout.isatty() else 2
