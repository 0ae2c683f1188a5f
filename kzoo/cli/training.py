"""How `kzoo train` trains: optimizers, checkpoints, the folder of a run."""

import itertools
import json
import math
import sys


def compile_model(model, learning_rate):
    """Compiles a model with the paper's optimizers, at another learning rate if one is given."""
    if learning_rate is None:
        model.compile()
        return
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"--learning-rate must be a positive number, got {learning_rate}")
    optimizers = model.default_optimizers()
    for optimizer in optimizers.values():
        optimizer.learning_rate = learning_rate
    model.compile(**optimizers)


def training_settings(args):
    """What a run must have in common with the one whose checkpoint it goes on from."""
    names = ("model", "preset", "data", "split", "image_size", "channels")
    names += ("steps_per_epoch", "batch_size", "learning_rate", "seed")
    return {f"--{name.replace('_', '-')}": getattr(args, name) for name in names[1:]}


def claim(work, settings):
    """Makes the work folder, or checks that the training found there had the same settings.

    Raises:
        ValueError: if it had others.
    """
    from kzoo.presets.storage import write_json

    path = work / "settings.json"
    settings["model"].pop("name", None)
    settings = json.loads(json.dumps(settings))
    if path.is_file() and any(work.glob("backup/*.h5")):
        before = json.loads(path.read_text(encoding="utf-8"))
        changed = [name for name in settings if before.get(name) != settings[name]]
        if changed:
            raise ValueError(
                f"the folder {str(work)!r} holds a training with other settings "
                f"({', '.join(changed)}); give another --work, or empty it"
            )
    work.mkdir(parents=True, exist_ok=True)
    write_json(path, settings)


def endless(dataset):
    """A data set's batches without end: Keras would stop an epoch where the data set ends."""
    if hasattr(dataset, "repeat"):
        return dataset.repeat()
    return (batch for _ in itertools.count() for batch in dataset)


def has_prior(model):
    """Whether a model has a prior of its latents that is fitted after the model (a VQVAE)."""
    from kzoo.evaluation.capabilities import can

    return can(model, "default_prior", "set_prior", "fit_prior")


def draws(model):
    """Whether a model draws images."""
    from kzoo.evaluation.capabilities import can

    return can(model, "generate")


def fit(model, dataset, args):
    """Trains a model, or goes on training it from the last checkpoint.

    Raises:
        RuntimeError: when a loss is no longer a finite number, before that gets into a checkpoint.
    """
    from kzoo.callbacks import SampleGrid, StageLimit

    callbacks = checkpoints(args.work)
    if draws(model) and not has_prior(model):  # which is not trained yet
        callbacks.append(SampleGrid(args.work / "samples", columns=8, scale=2))
    if args.stages:
        callbacks.append(StageLimit(model.stages_done + args.stages))
    model.fit(
        dataset if args.steps_per_epoch is None else endless(dataset),
        batch_size=args.batch_size,
        epochs=args.stages or args.epochs,  # a stage takes less than an epoch
        steps_per_epoch=args.steps_per_epoch,
        callbacks=callbacks,
        verbose=verbose(),
    )
    if has_prior(model):
        fit_prior(model, dataset, args)


def fit_prior(model, dataset, args):
    """Trains a model's prior on the codes of the same images, with a learning rate of its own."""
    from kzoo.datasets import to_arrays

    if hasattr(model, "order_codes"):
        model.order_codes()
    images, labels = to_arrays(dataset)
    work = args.work / "prior"
    work.mkdir(exist_ok=True)
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

    from kzoo.callbacks import CheckFinite

    return [
        CheckFinite(),
        # Kept after the training, so that it can go on with more epochs.
        keras.callbacks.BackupAndRestore(
            work / "backup", double_checkpoint=True, delete_checkpoint=False
        ),
        keras.callbacks.CSVLogger(work / "log.csv", append=True),
    ]


def verbose():
    """Keras's progress bar redraws its line, which only a terminal shows well."""
    return 1 if sys.stdout.isatty() else 2
