"""`kzoo train`: a model of one's own."""

import argparse
import ast
import inspect
import pathlib
import shlex

from kzoo.cli import common, data, training

MODELS = {name.lower(): name for name in common.MODELS if name != "Classifier"}
# Pixel models with a choice of levels; they take images of any size.
_LEVELS = ("pixelcnn", "gatedpixelcnn", "pixelrnn", "multiscalepixelrnn")
# Other models that take images of 28x28 as they are.
_UNPADDED = ("autoencoder", "laddervae", "vae", "vqvae")
# Constructor arguments that hold networks or follow from other options of the command.
_NOT_SETTABLE = {
    "image_shape": "it follows from the data (--image-size)",
    "batch_size": "use --batch-size",
    "encoder": "networks are given in Python",
    "decoder": "networks are given in Python",
    "prior": "it is a GatedPixelCNN, trained after the codes",
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
    parser.epilog = (
        "A run that was stopped goes on from its last finished epoch when the same command is\n"
        "given again; with more --epochs, a finished run goes on too. The GANs take images\n"
        "of 28x28 zero-padded to 32x32. On 28x28 grey images the VAE, the LadderVAE and the pixel\n"
        "models but PixelCNN++ model black and white pixels, binarized anew in every epoch; on\n"
        "other images, 256 values. A pixel model with --set num_classes=K learns from the labels.\n"
        "The VQVAE is trained for so many epochs, and then its prior for as many.\n"
        "The settings of the presets are in the scripts of applications/.\n\n" + parser.epilog
    )
    parser.add_argument(
        "model",
        type=start,
        action=_Start,
        metavar="MODEL",
        help=f"what to train: {', '.join(MODELS)}; or MODEL/PRESET, to go on with a preset's "
        "weights",
    )
    data.add_argument(parser)
    parser.add_argument("--split", default="train", help="of the data (train)")
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
        help="1 (grey) or 3 (colour): what to convert a folder's files to (3)",
    )
    parser.add_argument(
        "--epochs", type=common.positive, default=10, help="passes over the data (10)"
    )
    parser.add_argument(
        "--stages",
        type=common.positive,
        metavar="N",
        help="CFGGAN: stop after so many stages, whatever the epochs",
    )
    parser.add_argument(
        "--steps-per-epoch",
        type=common.positive,
        metavar="S",
        help="updates per epoch; those of a CFGGAN are whole stages (all of the data)",
    )
    parser.add_argument(
        "--batch-size", type=common.positive, default=64, help="images per mini-batch (64)"
    )
    parser.add_argument(
        "--learning-rate", type=float, metavar="RATE", help="in place of the paper's"
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
        "--seed", type=common.seed, default=0, help="of weights, data order and samples (0)"
    )
    parser.add_argument(
        "--output", type=pathlib.Path, metavar="FOLDER", help="the preset (MODEL-DATA)"
    )
    parser.add_argument(
        "--work",
        type=pathlib.Path,
        metavar="FOLDER",
        help="checkpoints, log and sample sheets (OUTPUT-run)",
    )


def start(text):
    """`vae` or `vae/mnist` as (family, preset or `None`)."""
    family, slash, preset = text.partition("/")
    if family not in MODELS or (slash and not preset):
        raise argparse.ArgumentTypeError(
            f"expected one of {', '.join(MODELS)}, or one of them with /PRESET; got {text!r}"
        )
    return family, preset or None


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
    from kzoo.evaluation import protocols

    source = pathlib.PurePath(args.data).stem or "data"
    args.output = (args.output or pathlib.Path(f"{args.model}-{source}")).expanduser()
    if args.output.exists() and not args.output.is_dir():
        raise ValueError(f"--output: {str(args.output)!r} is a file, expected a folder")
    args.work = (args.work or args.output.with_name(f"{args.output.name}-run")).expanduser()
    with common.without_notices():  # it imports TensorFlow too, where there is one
        keras.utils.set_random_seed(args.seed)

    check_settings(args)
    preset = load_preset(args)
    labels = {"labels": True} if takes_labels(args, preset) else {}
    dataset, shape, text = open_training_data(args, **labels)
    model = build(args, shape) if preset is None else check_fits(preset, args, shape)
    if protocols.is_binary(model):
        dataset, _, text = open_training_data(args, binarize="dynamic", **labels)
    training.compile_model(model, args.learning_rate)
    training.claim(args.work, {"model": model.get_config(), **training.training_settings(args)})
    print(
        f"Training a {type(model).__name__} of {model.count_params():,} parameters on {text}. "
        f"Checkpoints, log and sample sheets go into {args.work}."
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
    draw = f"kzoo generate {args.output}, " if hasattr(model, "generate") else ""
    print(
        f"Saved {args.output}. Next: {draw}kzoo evaluate {args.output} "
        f"--data {shlex.quote(args.data)}"
    )


def load_preset(args):
    """The model of the preset that the command names, or `None`."""
    import kzoo

    return getattr(kzoo, MODELS[args.model]).from_preset(args.preset) if args.preset else None


def takes_labels(args, preset):
    """Whether the model is class-conditional."""
    if preset is None:
        return dict(args.set).get("num_classes") is not None
    return getattr(preset, "num_classes", None) is not None


def open_training_data(args, **options):
    """`(dataset, image shape, text)` of the training images; text says what they are."""
    options |= {"batch_size": args.batch_size, "seed": args.seed, "shuffle": True}
    options |= {"channels": args.channels, "image_size": args.image_size}
    dataset = data.open_data(args.data, args.split, **options)
    shape = data.image_shape(dataset)
    parts = [f"{pathlib.PurePath(args.data).name} {args.split}"]
    if args.image_size:
        parts.append("cropped and resized")
    if args.model not in (*_UNPADDED, *_LEVELS) and shape[:2] == data.UNPADDED:
        dataset = data.open_data(args.data, args.split, pad_to=data.PADDED, **options)
        shape = (*data.PADDED, shape[2])
        parts.append("zero-padded")
    if options.get("binarize"):
        parts.append("binarized anew in every epoch")
    return dataset, shape, ", ".join([*parts, "images of {}x{}x{}".format(*shape)])


def check_settings(args):
    """Checks the names given to `--set`, before any data are read.

    Raises:
        ValueError: if the model has no such argument or it cannot be set here.
    """
    import kzoo

    if args.stages and args.model != "cfggan":
        raise ValueError(f"--stages: only a cfggan trains in stages, got {args.model}")
    if args.preset and args.set:
        raise ValueError(f"--set {args.set[0][0]}: the preset {args.preset!r} has its arguments")
    names = constructor_arguments(getattr(kzoo, MODELS[args.model]))
    allowed = [name for name in names if name not in _NOT_SETTABLE]
    for name, _ in args.set:
        if name not in allowed:
            why = _NOT_SETTABLE.get(name, f"expected one of {', '.join(allowed)}")
            raise ValueError(f"--set {name}: not an argument to set for a {args.model}: {why}")


def constructor_arguments(model_class):
    """The names of a model's constructor arguments, with those it passes on to its base classes."""
    import kzoo

    bases = model_class.__mro__
    bases = bases[: bases.index(kzoo.GenerativeModel)]
    signatures = [inspect.signature(vars(c)["__init__"]) for c in bases if "__init__" in vars(c)]
    names = dict.fromkeys(name for signature in signatures for name in signature.parameters)
    return [name for name in names if name not in ("self", "kwargs")]


def build(args, shape):
    """The model for images of that shape."""
    import kzoo

    arguments = {"image_shape": shape}
    if args.model == "cfggan":
        arguments["batch_size"] = args.batch_size
    if shape != (*data.UNPADDED, 1):
        # 256 grey values, where the default is black and white.
        arguments |= {
            **{family: {"likelihood": "discretized_logistic"} for family in ("vae", "laddervae")},
            **{family: {"levels": 256} for family in _LEVELS},
        }.get(args.model, {})
    arguments |= dict(args.set)
    try:
        model = getattr(kzoo, MODELS[args.model])(**arguments)
        if args.model == "vqvae":
            model.set_prior(model.default_prior())
        return model
    except TypeError as error:  # a value of a wrong type, that the model did not expect
        raise ValueError(f"--set {dict(args.set)}: {error}") from error


def check_fits(preset, args, shape):
    """A preset's model, if the command's images and batches are those it takes.

    Raises:
        ValueError: if its images or its batch size are others.
    """
    expected = {"image_shape": shape, "batch_size": args.batch_size}
    for name, value in expected.items():
        own = getattr(preset, name, value)
        if own != value:
            raise ValueError(
                f"the preset {args.model}/{args.preset} has {name} {own}, the command {value}"
            )
    return preset
