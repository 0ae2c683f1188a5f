"""`kzoo train`: trains a model and saves it as a preset."""

import argparse
import ast
import pathlib
import shlex

import kzoo
from kzoo.cli import (
    building,
    classifying,
    common,
    data,
    defaults,
    pairs,
    trained_on,
    training,
    types,
)
from kzoo.evaluation.capabilities import can, is_binary, learns_labels, takes_pairs

_EPILOG = """\
If a run was stopped, give the same command again: it goes on from the last finished
epoch. With more --epochs, a finished run goes on too.

The model chooses constructor arguments that suit the images; --set changes them. For the
GANs, 28x28 images are padded with zeros to 32x32. For the VAE, the LadderVAE and the pixel
models, 28x28 grey images become black and white pixels, drawn anew in every epoch. Other
images keep 256 values, and PixelCNN++ always models 256 values.
A Pix2Pix learns from pairs of images: a data set that has them, such as a .npz file with
the arrays image_train and source_train, or two folders with files of the same names. A
CycleGAN takes the same, the sources as domain a; it does not use the pairing.
With --set num_classes=K a model learns from the labels too. A VQVAE is trained for the
given epochs, and then its prior for as many.
A Classifier learns labels: from one subfolder per class, or from the array y_train of a
.npz file. Its preset has statistics of the images, so that kzoo evaluate --classifier
can score samples with it. kzoo train --classifier records which one to use.
A TextToImageGAN and a MultiScale are trained in Python.

The scripts in applications/ trained the presets, and contain their settings.
"""


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
            "kzoo train pix2pix --data photos/ --sources drawings/ --image-size 64",
            "kzoo train gan --data photos/ --image-size 64 --validation-split .1",
            "kzoo train classifier --data photos/ --image-size 64    one folder per class",
            "kzoo train cfggan/mnist --stages 50 --learning-rate 1e-5",
        ],
    )
    parser.epilog = f"{_EPILOG}\n{parser.epilog}"
    names = ", ".join(map(str.lower, common.trained_models()))
    parser.add_argument(
        "model",
        type=start,
        metavar="MODEL",
        help=f"what to train: {names}; or MODEL/PRESET, to go on with a preset's weights",
    )
    data.add_argument(parser)
    pairs.add_argument(parser)
    parser.add_argument("--split", default="train", help="split of the data (train)")
    parser.add_argument(
        "--validation-split",
        type=types.fraction,
        metavar="SHARE",
        help="of a folder or file: the share of the images to hold out, on which kzoo evaluate "
        "measures (none; for a classifier, .1)",
    )
    parser.add_argument(
        "--image-size",
        type=types.image_size,
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
        "--classifier",
        metavar="PRESET",
        help="the Classifier preset by which kzoo evaluate will score samples",
    )
    parser.add_argument(
        "--epochs", type=types.positive, default=10, help="passes over the data (10)"
    )
    parser.add_argument(
        "--stages",
        type=types.positive,
        metavar="N",
        help="for a model that trains in stages (CFGGAN): stop after N stages; replaces --epochs",
    )
    parser.add_argument(
        "--steps-per-epoch",
        type=types.positive,
        metavar="S",
        help="updates per epoch (one pass over the data); an update of a CFGGAN is a stage",
    )
    parser.add_argument(
        "--batch-size", type=types.positive, default=64, help="images per mini-batch (64)"
    )
    parser.add_argument(
        "--learning-rate",
        type=types.positive_number,
        metavar="RATE",
        help="learning rate (that of the paper)",
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
        "--seed", type=types.seed, default=0, help="seed of weights, data order and samples (0)"
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
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace a preset in the output folder that another training made",
    )
    common.add_json(parser, "print preset and last losses as JSON, progress on the error stream")


def start(text):
    """`vae` or `vae/mnist` as (class name, preset or `None`)."""
    family, slash, preset = text.partition("/")
    names = common.trained_models()
    for name in names:
        if name.lower() == family.lower() and bool(preset) == bool(slash):
            return name, preset or None
    for name in ("MultiScale", *kzoo._MODELS_OF_CAPTIONS):
        if name.lower() == family.lower():
            raise argparse.ArgumentTypeError(
                f"{common.with_article(name)} is trained in Python: see help(kzoo.{name})"
            )
    raise argparse.ArgumentTypeError(
        f"expected one of {', '.join(map(str.lower, names))}, or one of them with /PRESET; "
        f"got {text!r}"
    )


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
    with common.progress_on(args):
        report = train(args)
    if args.json:
        common.print_json(report)


def train(args):
    """Trains and saves a preset; returns what `--json` prints of it."""
    keras = common.import_keras()
    args.model, args.preset = args.model
    model_class = common.model_class(args.model)
    args.model = args.model.lower()  # as folders and messages have it
    source = pathlib.PurePath(args.data).stem or "data"
    args.output = (args.output or pathlib.Path(f"{args.model}-{source}")).expanduser()
    args.work = (args.work or args.output.with_name(f"{args.output.name}-run")).expanduser()
    types.check_folder("--output", args.output)
    types.check_folder("--work", args.work)
    data.check_there(args.data)
    with common.without_notices():  # it imports TensorFlow too, where there is one
        keras.utils.set_random_seed(args.seed)

    building.check_settings(args, model_class)
    pairs.check(model_class, args.sources)
    if classifying.is_classifier(model_class):
        classifying.choose_held_out(args)
    model, dataset, text = prepare(args, model_class)
    metadata = {"trained_on": record(args, dataset, model)}
    reference = None
    if classifying.is_classifier(model):
        reference = classifying.Reference(model, metadata["trained_on"])
    training.compile_model(model, args.learning_rate, **classifying.losses(model))
    training.check_output(args)
    training.check_data(model, dataset, args)
    settings = {"model": model.get_config(), "images": metadata["trained_on"].get("sha256")}
    training.claim(args.work, settings | training.training_settings(args))
    print(
        f"Training {common.with_article(type(model).__name__)} of {model.count_params():,} "
        f"parameters on {text}. Checkpoints, log and sample sheets go into {args.work}."
    )
    try:
        history = training.fit(model, dataset, args)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "stopped, no preset written; the same command goes on from the last finished epoch"
        ) from None
    words = [word for word in args.argv if word != "--json"]
    metadata |= {"data": f"Trained on {text}.", "command": shlex.join(["kzoo", *words])}
    if args.classifier:
        metadata["classifier"] = args.classifier
    report = {
        "preset": str(args.output),
        "class": type(model).__name__,
        "parameters": model.count_params(),
        "data": metadata["data"],
        "work": str(args.work),
        "losses": {name: float(values[-1]) for name, values in history.history.items() if values},
    }
    if reference is not None:
        accuracy, text = reference.measure(model)
        report["accuracy"] = accuracy
        print(text)
    model.save_to_preset(args.output, **metadata)
    print(f"Saved {args.output}. {next_steps(args, model)}")
    return report


def next_steps(args, model):
    """The commands that the new preset is ready for, in a sentence."""
    from kzoo.evaluation.measuring import PROTOCOLS

    commands = []
    if can(model, "generate"):
        sources = " --sources FOLDER" if takes_pairs(model) else ""
        commands.append(f"kzoo generate {args.output}{sources}")
    held_out = args.validation_split or data.has_splits(args.data)
    judged = held_out and tuple(model.image_shape) in defaults.JUDGES
    classified = args.classifier or args.data in defaults.CLASSIFIERS
    evaluate = f"kzoo evaluate {args.output}"
    if not (judged or classified or any(p.suits(model) and not p.seeded for p in PROTOCOLS)):
        evaluate += (
            " --classifier PRESET (colour images of 32x32 or 64x64 need none if --validation-split "
            "holds some out)"
        )
    return f"Next: {', '.join([*commands, evaluate])}"


def record(args, dataset, model):
    """The preset's record of the training images; see `kzoo.cli.trained_on.record`."""
    from kzoo.presets import read_metadata

    earlier = None
    if args.preset:
        before = read_metadata(args.preset, type(model))
        earlier = before.get("trained_on", {})
    feature = pairs.image_feature(model, args.data, args.split)
    return trained_on.record(args, dataset, feature, earlier)


def prepare(args, model_class):
    """The model, new or a preset's, and its training images: `(model, dataset, text)`.

    The model says what it takes: the size, the labels, black and white pixels only.
    """
    options, name = {}, None
    classifies = classifying.is_classifier(model_class)
    if classifies:
        options["labels"] = True
    if takes_pairs(model_class):
        options, (name, source) = pairs.options(model_class, args.data, args.split, args.sources)
    dataset = open_training_data(args, **options)
    given = data.image_shape(dataset, name)
    arguments = model_class.arguments_for(given, args.batch_size)
    if classifies:
        arguments["num_classes"] = classifying.count_classes(args, dataset)
    if name:
        arguments |= pairs.arguments(model_class, data.image_shape(dataset, source))
    if args.preset:
        model = model_class.from_preset(args.preset)
        building.check_fits(model, args, arguments)
    else:
        model = building.build(model_class, arguments, dict(args.set))
    parts = [data.of_training(args).name]
    if args.validation_split:
        parts.append(f"{100 * args.validation_split:g} % held out")
    elif not data.has_splits(args.data):
        parts.append("no images held out")
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
    images = data.of_training(args)
    options |= {"batch_size": args.batch_size, "seed": args.seed, "shuffle": True}
    options |= {"channels": args.channels, "image_size": args.image_size, "part": images.part}
    return data.open_data(images.source, images.split, **options)
