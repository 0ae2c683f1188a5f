"""`kzoo train`: trains a model and saves it as a preset."""

import argparse
import ast
import inspect
import pathlib
import shlex

from kzoo.cli import common, data, training

_EPILOG = """\
If a run was stopped, give the same command again: it goes on from the last finished
epoch. With more --epochs, a finished run goes on too.

The model chooses constructor arguments that suit the images; --set changes them. For the
GANs, 28x28 images are padded with zeros to 32x32. For the VAE, the LadderVAE and the pixel
models, 28x28 grey images become black and white pixels, drawn anew in every epoch. Other
images keep 256 values, and PixelCNN++ always models 256 values.
With --set num_classes=K a model learns from the labels too. A VQVAE is trained for the
given epochs, and then its prior for as many.

The presets were trained by the scripts in applications/, which have their settings.
"""

# Constructor arguments that follow from the data or from other options of the command.
_NOT_SETTABLE = {
    "image_shape": "it follows from the data (--image-size)",
    "batch_size": "use --batch-size",
}


def add_parser(commands):
    parser = common.add_command(
        commands,
        "train",
        run,
        "train a model on MNIST or on images of your own and save it as a preset",
        [
            "kzoo train vae --epochs 20",
            "kzoo train cfggan --data mnist.npz --output digits --learning-rate 1e-4",
            "kzoo train gan --data photos/ --image-size 64 --set width=64",
            "kzoo train vae --set latent_dim=2 --set likelihood=gaussian",
            "kzoo train cfggan/mnist --stages 50 --learning-rate 1e-5",
        ],
    )
    parser.epilog = f"{_EPILOG}\n{parser.epilog}"
    names = ", ".join(map(str.lower, common.trained_models()))
    parser.add_argument(
        "model",
        type=start,
        action=_Start,
        metavar="MODEL",
        help=f"what to train: {names}; or MODEL/PRESET, to go on with a preset's weights",
    )
    data.add_argument(parser)
    parser.add_argument("--split", default="train", help="split of the data (train)")
    parser.add_argument(
        "--image-size",
        type=common.image_size,
        metavar="N|HxW",
        help="crop the images to this aspect ratio and resize them",
    )
    parser.add_argument(
        "--channels",
        type=int,
        choices=(1, 3),
        default=3,
        help="convert a folder's files to 1 (grey) or 3 (colour) channels (3)",
    )
    parser.add_argument(
        "--epochs", type=common.positive, default=10, help="passes over the data (10)"
    )
    parser.add_argument(
        "--stages",
        type=common.positive,
        metavar="N",
        help="for a model that trains in stages (CFGGAN): stop after N stages; replaces --epochs",
    )
    parser.add_argument(
        "--steps-per-epoch",
        type=common.positive,
        metavar="S",
        help="updates per epoch (one pass over the data); an update of a CFGGAN is a stage",
    )
    parser.add_argument(
        "--batch-size", type=common.positive, default=64, help="images per mini-batch (64)"
    )
    parser.add_argument(
        "--learning-rate", type=float, metavar="RATE", help="learning rate (that of the paper)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=setting,
        metavar="NAME=VALUE",
        help="a constructor argument of the model; may be given several times",
    )
    parser.add_argument(
        "--seed", type=common.seed, default=0, help="seed of weights, data order and samples (0)"
    )
    parser.add_argument(
        "--output", type=pathlib.Path, metavar="FOLDER", help="where the preset goes (MODEL-DATA)"
    )
    parser.add_argument(
        "--work",
        type=pathlib.Path,
        metavar="FOLDER",
        help="where to write checkpoints, log and sample sheets (OUTPUT-run)",
    )


def start(text):
    """`vae` or `vae/mnist` as (class name, preset or `None`)."""
    family, slash, preset = text.partition("/")
    names = common.trained_models()
    for name in names:
        if name.lower() == family.lower() and bool(preset) == bool(slash):
            return name, preset or None
    raise argparse.ArgumentTypeError(
        f"expected one of {', '.join(map(str.lower, names))}, or one of them with /PRESET; "
        f"got {text!r}"
    )


class _Start(argparse.Action):
    """Stores what `start` returns as `model` and `preset`."""

    def __call__(self, parser, namespace, values, option_string=None):
        namespace.model, namespace.preset = values


def setting(text):
    """`name=value` as a pair; the value is a Python literal or else a string."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, {"true": True, "false": False}.get(value.lower(), value)


def run(args):
    keras = common.import_keras()
    model_class = common.model_class(args.model)
    args.model = args.model.lower()  # as folders and messages have it
    source = pathlib.PurePath(args.data).stem or "data"
    args.output = (args.output or pathlib.Path(f"{args.model}-{source}")).expanduser()
    if args.output.exists() and not args.output.is_dir():
        raise ValueError(f"--output: {str(args.output)!r} is a file, expected a folder")
    args.work = (args.work or args.output.with_name(f"{args.output.name}-run")).expanduser()
    with common.without_notices():  # it imports TensorFlow too, where there is one
        keras.utils.set_random_seed(args.seed)

    check_settings(args, model_class)
    model, dataset, text = prepare(args, model_class)
    training.compile_model(model, args.learning_rate)
    training.claim(args.work, {"model": model.get_config(), **training.training_settings(args)})
    print(
        f"Training {common.with_article(type(model).__name__)} of {model.count_params():,} "
        f"parameters on {text}. Checkpoints, log and sample sheets go into {args.work}."
    )
    try:
        training.fit(model, dataset, args)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "stopped, no preset written; the same command goes on from the last finished epoch"
        ) from None
    command = shlex.join(["kzoo", *args.argv])
    metadata = {"data": f"Trained on {text}.", "command": command}
    if not data.is_file(args.data):
        metadata["dataset"] = args.data  # on which `kzoo evaluate` will measure it
    model.save_to_preset(args.output, **metadata)
    draw = f"kzoo generate {args.output}, " if training.draws(model) else ""
    print(
        f"Saved {args.output}. Next: {draw}kzoo evaluate {args.output} "
        f"--data {shlex.quote(args.data)}"
    )


def prepare(args, model_class):
    """The model, new or a preset's, and its training images: `(model, dataset, text)`.

    The model says what it takes: the size, the labels, black and white pixels only.
    """
    from kzoo.evaluation.capabilities import is_binary, learns_labels

    given = data.image_shape(open_training_data(args))
    arguments = model_class.arguments_for(given, args.batch_size)
    if args.preset:
        model = model_class.from_preset(args.preset)
        check_fits(model, args, arguments["image_shape"])
    else:
        model = build(model_class, arguments, dict(args.set))
    options, parts = {}, [f"{pathlib.PurePath(args.data).name} {args.split}"]
    if args.image_size:
        parts.append("cropped and resized")
    if model.image_shape != given:
        options["pad_to"] = model.image_shape[:2]
        parts.append("zero-padded")
    if is_binary(model):
        options["binarize"] = "dynamic"
        parts.append("binarized anew in every epoch")
    if learns_labels(model):
        options["labels"] = True
    dataset = open_training_data(args, **options)
    return model, dataset, ", ".join([*parts, "images of {}x{}x{}".format(*model.image_shape)])


def open_training_data(args, **options):
    """The data set of the training images."""
    options |= {"batch_size": args.batch_size, "seed": args.seed, "shuffle": True}
    options |= {"channels": args.channels, "image_size": args.image_size}
    return data.open_data(args.data, args.split, **options)


def check_settings(args, model_class):
    """Checks the names given to `--set`, before any data are read.

    Raises:
        ValueError: if the model has no such argument or it cannot be set here.
    """
    model = common.with_article(model_class.__name__)
    if args.stages and not hasattr(model_class, "stages_done"):
        raise ValueError(f"--stages: {model} does not train in stages")
    if args.preset and args.set:
        raise ValueError(f"--set {args.set[0][0]}: the preset {args.preset!r} has its arguments")
    names = constructor_arguments(model_class)
    allowed = [name for name in names if name not in _NOT_SETTABLE]
    for name, _ in args.set:
        if name not in allowed:
            why = _NOT_SETTABLE.get(name, f"expected one of {', '.join(allowed)}")
            raise ValueError(f"--set {name}: not an argument to set for {model}: {why}")


def constructor_arguments(model_class):
    """The names of a model's constructor arguments, with those it passes on to its base classes."""
    import kzoo

    bases = model_class.__mro__
    bases = bases[: bases.index(kzoo.GenerativeModel)]
    signatures = [inspect.signature(vars(c)["__init__"]) for c in bases if "__init__" in vars(c)]
    names = dict.fromkeys(name for signature in signatures for name in signature.parameters)
    return [name for name in names if name not in ("self", "kwargs")]


def build(model_class, arguments, settings):
    """The model with the arguments that suit the images, and those that the user set."""
    try:
        model = model_class(**{**arguments, **settings})
    except (AttributeError, TypeError) as error:  # a value of a type that the model did not expect
        if not settings:
            raise
        raise ValueError(f"--set {settings}: {error}") from error
    if training.has_prior(model):
        model.set_prior(model.default_prior())
    return model


def check_fits(preset, args, image_shape):
    """Checks that a preset's model takes the command's images and batches.

    Raises:
        ValueError: if its images or its batch size are others.
    """
    expected = {"image_shape": image_shape, "batch_size": args.batch_size}
    for name, value in expected.items():
        own = getattr(preset, name, value)
        if own != value:
            raise ValueError(
                f"the preset {args.model}/{args.preset} has {name} {own}, the command {value}"
            )
