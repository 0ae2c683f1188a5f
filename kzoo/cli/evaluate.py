"""`kzoo evaluate`: the scores of a preset, by the protocol of its class."""

import json
import pathlib
import shlex

from kzoo.cli import card, common, data, defaults

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
    parser.epilog = (
        "protocols:\n"
        "  GAN, CFGGAN  inception score, diversity score and Frechet distance of samples under a\n"
        "               classifier, beside those of real test images; the distance is taken on\n"
        "               the classifier's features and comparable under one classifier only\n"
        "  VAE          negative ELBO, its two terms and the number of active units on the test\n"
        "               images; importance-sampled negative log-likelihood of the first 1,000 of\n"
        "               them, or of all that --num-images names; in nats per image\n"
        "  Autoencoder  its reconstruction loss and the mean squared error of the test images\n"
        "  LadderVAE    negative ELBO and importance-sampled negative log-likelihood, as VAE\n"
        "  VQVAE        as GAN, and of the test images: squared error of reconstructions, codes\n"
        "               in use, and bits of the codes under the prior\n"
        "  pixel models exact negative log-likelihood of the test images, nats and bits/dim; of a\n"
        "               class-conditional model given their labels\n"
        "  Classifier   accuracy on the test images, and the scores that these get\n"
        "For models of black and white pixels the test images are binarized once, each pixel\n"
        "being white with the probability of its grey value.\n"
        'Data and classifier are those that the preset\'s metadata.json names as "dataset" and\n'
        '"classifier"; where it names none, 28x28 and 32x32 grey images are taken for mnist,\n'
        "32x32 colour for svhn_cropped (classifier svhn), 64x64 colour for lsun/bedroom\n"
        "(classifier rooms).\n\n" + parser.epilog
    )
    common.add_preset(parser)
    data.add_argument(parser, default=None)
    parser.add_argument("--split", help="of the data (test; validation of lsun/bedroom)")
    parser.add_argument(
        "--num-images", type=common.positive, help="only the first of the test images (all)"
    )
    parser.add_argument(
        "--num-samples",
        type=common.positive,
        default=NUM_SAMPLES,
        help=f"GAN, CFGGAN: images to draw ({NUM_SAMPLES:,})",
    )
    parser.add_argument(
        "--importance-samples",
        type=common.positive,
        default=IMPORTANCE_SAMPLES,
        help=f"VAE: latents per image ({IMPORTANCE_SAMPLES:,})",
    )
    parser.add_argument(
        "--steps", type=common.natural, help="CFGGAN: functional gradient steps t in 0..T (T)"
    )
    parser.add_argument(
        "--classifier",
        metavar="PRESET",
        help="GAN, CFGGAN: the Classifier preset to score with (that of the preset)",
    )
    parser.add_argument(
        "--seed", type=common.natural, default=0, help="of samples, latents, binarization (0)"
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
    """`(scores, class_histogram or None)` of a model by the protocol of its class.

    Args:
        model: the preset's model.
        args: the arguments; those that the protocol needs and the user left out are set.
        own: the preset's `kzoo.cli.defaults.Defaults`.
    """
    from kzoo import VQVAE, Autoencoder, Classifier
    from kzoo.evaluation import protocols

    if isinstance(model, Classifier):
        own.fill(args, "data", "split")
        images, labels, text = load(model, args, labels=True)
        scores, histogram = protocols.accuracy_scores(model, images, labels)
    elif isinstance(model, Autoencoder):
        own.fill(args, "data", "split")
        images, _, text = load(model, args)
        scores, histogram = protocols.reconstruction_scores(model, images), None
    elif hasattr(model, "log_likelihood"):
        own.fill(args, "data", "split")
        binarize = "static" if protocols.is_binary(model) else None
        conditional = getattr(model, "num_classes", None) is not None
        images, labels, text = load(model, args, labels=conditional, binarize=binarize)
        scores = protocols.likelihood_scores(
            model,
            images,
            args.importance_samples,
            args.seed,
            common.track,
            labels,
            protocols.NLL_IMAGES if args.num_images is None else None,
        )
        histogram = None
    else:
        own.fill(args, "classifier")
        classifier = Classifier.from_preset(args.classifier)
        scores, histogram = protocols.sample_scores(
            model, classifier, args.num_samples, args.seed, args.steps, common.track
        )
        text = f"classifier {args.classifier}"
    scores = [s._replace(protocol=f"{text}; {s.protocol}") for s in scores]
    if isinstance(model, VQVAE):
        own.fill(args, "data", "split")
        conditional = model.num_classes is not None
        images, labels, text = load(model, args, labels=conditional)
        codes = protocols.code_scores(model, images, labels)
        scores += [s._replace(protocol=f"{text}; {s.protocol}") for s in codes]
    return scores, histogram


def load(model, args, labels=False, **options):
    """The test images for a model, `(images, labels or None, text)`; text says what they are."""
    from kzoo import datasets

    dataset, done = data.open_for(
        model.image_shape,
        args.data,
        args.split,
        labels=labels,
        shuffle=False,
        seed=args.seed,
        batch_size=500,
        **options,
    )
    images, labels = datasets.to_arrays(dataset)
    if args.num_images is not None:
        images = images[: args.num_images]
        labels = None if labels is None else labels[: args.num_images]
    parts = [
        f"{len(images):,} images of {pathlib.PurePath(args.data).name} {args.split}",
        *([done] if done else []),
        *([f"binarized once with seed {args.seed}"] if options.get("binarize") else []),
    ]
    return images, labels, ", ".join(parts)


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
