"""`kzoo evaluate`: measures the scores of a preset. Which ones depends on what its model can do."""

import json
import pathlib
import shlex

from kzoo.cli import card, common, data, defaults

_EPILOG = """\
A model is scored by what it can do:
  likelihood      negative log-likelihood of the test images: exact for the pixel models,
                  in nats and bits/dim; for VAE and LadderVAE the negative ELBO, and an
                  importance-sampled estimate on the first 1,000 images, or on all that
                  --num-images names; for a VAE also the two terms of the ELBO and the
                  number of active units
  samples         for models without a likelihood (GANs, VQVAE): inception score,
                  diversity score and Frechet distance under a classifier, beside those
                  of real test images; compare Frechet distances only if they were
                  measured under the same classifier
  judged samples  for 32x32 and 64x64 colour images: Frechet distance, kernel distance,
                  precision and recall on the features of the classifier images64,
                  against the training images of the model's data, beside the values of
                  the images held out. Left out, with a notice, where the data cannot be
                  read; and for models that draw pixel by pixel, unless --judge asks.
                  These are the only scores of samples where the data have no classifier
  reconstruction  for an Autoencoder: its loss and the mean squared error of test images
  discrete codes  for a VQVAE: squared error of reconstructed test images, number of codes
                  in use, and bits of the codes under the prior
  accuracy        for a Classifier, with the scores that the test images get
A class-conditional model is measured on test images with their labels.
For models of black and white pixels the test images are binarized once: a pixel becomes
white with the probability of its grey value.
The preset's metadata.json names data and classifier as "dataset" and "classifier". If it
names none, the image size decides: mnist for 28x28 and 32x32 grey images, svhn_cropped
(classifier svhn) for 32x32 colour images, lsun/bedroom (classifier rooms) for 64x64
colour images.
"""

NUM_SAMPLES, IMPORTANCE_SAMPLES = 10_000, 5_000


def add_parser(commands):
    parser = common.add_command(
        commands,
        "evaluate",
        run,
        "measure a preset's scores",
        [
            "kzoo evaluate cfggan/mnist",
            "kzoo evaluate vae/mnist --num-images 1000",
            "kzoo evaluate classifier/svhn",
            "kzoo evaluate pixelcnn-mnist --data mnist.npz --json",
            "kzoo evaluate weights/gan/mnist --write",
        ],
    )
    parser.epilog = f"{_EPILOG}\n{parser.epilog}"
    common.add_preset(parser)
    data.add_argument(parser, default=None)
    parser.add_argument("--split", help="split of the data (test; for lsun/bedroom, validation)")
    parser.add_argument(
        "--num-images", type=common.positive, help="use only the first so many test images (all)"
    )
    parser.add_argument(
        "--num-samples",
        type=common.positive,
        default=NUM_SAMPLES,
        help=f"samples: images to draw ({NUM_SAMPLES:,})",
    )
    parser.add_argument(
        "--importance-samples",
        type=common.positive,
        default=IMPORTANCE_SAMPLES,
        help=f"likelihood: latents per image, where it is estimated ({IMPORTANCE_SAMPLES:,})",
    )
    common.add_steps(parser)
    parser.add_argument(
        "--classifier",
        metavar="PRESET",
        help="samples: the Classifier preset that scores them (see below)",
    )
    parser.add_argument(
        "--judge",
        metavar="PRESET",
        help="judged samples: the Classifier preset whose features they are scored on, or none",
    )
    parser.add_argument(
        "--seed", type=common.seed, default=0, help="seed of samples, latents and binarization (0)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--write",
        action="store_true",
        help="store the scores in the preset's folder: metadata.json, README.md, samples.png",
    )


def run(args):
    common.import_keras()
    from kzoo.presets import PresetMixin

    folder = card.folder_of(args.preset, args.model) if args.write else None
    model = common.load_model(args, PresetMixin)
    own = defaults.of_preset(args, model)
    command = command_of(args, own)
    scores, histogram = measure(model, args, own)
    report = {
        "preset": args.preset,
        "class": type(model).__name__,
        "parameters": model.count_params(),
        "command": command,
        "scores": [score._asdict() for score in scores],
        "class_histogram": None if histogram is None else histogram.tolist(),
    }
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        show(report)
    if folder is not None:
        card.write(folder, model, scores, command)
        common.console(stderr=True).print(f"Wrote the scores and the model card into {folder}")


def measure(model, args, own):
    """`(scores, class_histogram or None)` of a model, by every protocol that suits it.

    Args:
        model: the preset's model.
        args: the arguments; those that a protocol needs and the user left out are set.
        own: the preset's `kzoo.cli.defaults.Defaults`.
    """
    from kzoo import Classifier
    from kzoo.evaluation import measuring

    def images(labels, binarize):
        own.fill(args, "data", "split")
        options = (args.num_images, args.seed, labels, binarize)
        return data.load_images(model, args.data, args.split, *options)

    def notice(what, error):
        common.console(stderr=True).print(f"{what}: {error}")

    def classifier():
        try:
            own.fill(args, "classifier")
        except ValueError as error:
            if (args.judge or own.judge) == defaults.NO_JUDGE:
                raise
            notice("No scores by a classifier of the data", error)
            return None
        return Classifier.from_preset(args.classifier), f"classifier {args.classifier}"

    def judge():
        asked = args.judge is not None
        own.fill(args, "judge")
        if args.judge == defaults.NO_JUDGE:
            return None
        try:
            own.fill(args, "data", "split")
            return load_judge(model, args)
        except (ImportError, OSError, ValueError) as error:
            if asked:
                raise
            notice(f"No scores on {args.judge}", error)
            return None

    given = measuring.Given(
        images,
        classifier,
        num_samples=args.num_samples,
        importance_samples=args.importance_samples,
        nll_images=measuring.NLL_IMAGES if args.num_images is None else None,
        generate=common.generate_options(args, model, "steps"),
        seed=args.seed,
        track=common.track,
        judge=judge,
    )
    return measuring.measure(model, given)


def load_judge(model, args):
    """The `kzoo.evaluation.judge.Judge` of a model's samples, with the real images of its data."""
    from kzoo import Classifier
    from kzoo.evaluation.judge import Judge

    if pathlib.Path(args.data).expanduser().is_dir():
        raise ValueError(f"the folder {args.data!r} has no split to train and another to test")
    classifier = Classifier.from_preset(args.judge)
    real, held_out = (
        data.load_images(model, args.data, split)[::2] for split in ("train", args.split)
    )
    return Judge(classifier, pathlib.PurePath(args.judge).name, real, held_out)


def command_of(args, own):
    """The command that prints these scores, to be quoted beside them; without what is default.

    Args:
        args: the arguments as the user gave them.
        own: the preset's `kzoo.cli.defaults.Defaults`.
    """
    words = ["kzoo", "evaluate", args.preset]
    constants = {
        "model": None,
        "data": None,
        "split": None,
        "num_images": None,
        "num_samples": NUM_SAMPLES,
        "importance_samples": IMPORTANCE_SAMPLES,
        "steps": None,
        "classifier": None,
        "judge": None,
        "seed": 0,
    }
    for name, default in constants.items():
        value = getattr(args, name)
        if value != default and not own.gives(args, name):
            words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join(words)


def show(report):
    """Prints the scores as a table."""
    screen = common.console()
    screen.print(f"{report['class']} {report['preset']}, {report['parameters']:,} parameters")
    references = any(score["reference"] is not None for score in report["scores"])
    rows = []
    for score in report["scores"]:
        real = "" if score["reference"] is None else f"{score['reference']:.5g}"
        row = [
            score["name"],
            f"{score['value']:.5g} {score['unit']}".strip(),
            *[real] * references,
            score["protocol"],
        ]
        rows.append(row)
    common.print_table(["score", "value>", *["real>"] * references, "protocol~"], rows)
    if report["class_histogram"]:
        counts = ", ".join(f"{k}: {n:,}" for k, n in enumerate(report["class_histogram"]))
        screen.print(f"images per class: {counts}")
