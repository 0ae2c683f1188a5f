"""`kzoo evaluate`: measures the scores of a preset. Which ones depends on what its model can do."""

import functools
import pathlib
import shlex

from kzoo.cli import card, common, data, defaults, judging, pairs, reporting, types
from kzoo.evaluation.capabilities import can, conditions_of

_EPILOG = """\
A model is scored by what it can do:
  likelihood      negative log-likelihood of the test images: exact for the pixel models,
                  in nats and bits/dim; for VAE and LadderVAE the negative ELBO, and an
                  importance-sampled estimate on the first 1,000 images, or on all that
                  --num-images names; for a VAE also the two terms of the ELBO and the
                  number of active units
  samples         for models without a likelihood (GANs, VQVAE): inception score,
                  diversity score and Frechet distance by a classifier, beside those of
                  real test images; compare Frechet distances only if they were measured
                  with the same classifier. For a class-conditional model also the
                  accuracy of the requested classes, and the mean Frechet distance within
                  the classes
  judged samples  for 32x32 and 64x64 colour images: Frechet distance, kernel distance,
                  precision, recall, density and coverage on the features of the
                  classifier images64, against the training images of the model's data,
                  beside the values of the images held out. Left out, with a notice, if
                  the data cannot be read; and for models that draw pixel by pixel, unless
                  --judge is given. If there is no classifier of the data, these are the
                  only scores of samples
  translation     for models that learn pairs of images: mean absolute error, PSNR and SSIM
                  of translated test images, and for 32x32 and 64x64 colour images the
                  Frechet distance to the real ones on the features of images64; for a
                  CycleGAN also the error of both domains after a cycle, and the Frechet
                  distance of translations to a
  reconstruction  for an Autoencoder: its loss and the mean squared error of test images
  discrete codes  for a VQVAE: squared error of reconstructed test images, number of codes
                  in use, and bits of the codes under the prior
  accuracy        for a Classifier, with the scores that the test images get
A class-conditional model is measured on test images with their labels.
For models of black and white pixels the test images are binarized once: a pixel becomes
white with the probability of its grey value.
With --samples, the images of a folder or a file are scored instead of those of a model,
against the images of --data: its split train, or the one that --split names.
Without --data, a model is measured on the data that it was trained on, as recorded in its
metadata.json: on what --validation-split held out, or else on the split test. Each
protocol says which images it took: "held out", "training images" of the model, or "not
known whether trained on".
Without --classifier, the one is used that metadata.json names as "classifier"; for mnist,
fashion_mnist, svhn_cropped and lsun/bedroom kzoo has one. A classifier holds statistics of
its training images. Samples are compared with these if they are of the model's data or of
--data; otherwise statistics are computed from those data.
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
            "kzoo evaluate gan/celeba --seeds 5",
            "kzoo evaluate --samples drawn/ --data photos/",
            "kzoo evaluate weights/gan/mnist --write",
        ],
    )
    parser.epilog = f"{_EPILOG}\n{parser.epilog}"
    common.add_preset(parser, nargs="?")
    data.add_argument(parser, default=None)
    pairs.add_argument(parser)
    parser.add_argument(
        "--samples",
        metavar="FOLDER|FILE",
        help="images of any origin to judge, in the place of PRESET: a folder, .npz or .npy file",
    )
    parser.add_argument("--split", help="split of the data (what is held out, see below)")
    parser.add_argument(
        "--num-images", type=types.positive, help="use only the first so many test images (all)"
    )
    parser.add_argument(
        "--num-samples",
        type=types.positive,
        default=NUM_SAMPLES,
        help=f"samples: images to draw ({NUM_SAMPLES:,})",
    )
    parser.add_argument(
        "--importance-samples",
        type=types.positive,
        default=IMPORTANCE_SAMPLES,
        help=f"likelihood: latents per image, where it is estimated ({IMPORTANCE_SAMPLES:,})",
    )
    common.add_steps(parser)
    common.add_captions(parser)
    parser.add_argument(
        "--classifier",
        metavar="PRESET",
        help="samples: the Classifier preset that scores them (see below)",
    )
    parser.add_argument(
        "--judge",
        metavar="PRESET|FILE.keras",
        help="judged samples: the source of the features: a Classifier preset, a Keras model "
        "from pixels in 0..255 to features, or none",
    )
    parser.add_argument(
        "--seed", type=types.seed, default=0, help="seed of samples, latents and binarization (0)"
    )
    parser.add_argument(
        "--seeds",
        type=types.positive,
        default=1,
        metavar="N",
        help="draw samples from N seeds, --seed and those after it, --num-samples each time; print "
        "mean, standard deviation and 95 %% confidence interval of their scores (1)",
    )
    common.add_json(parser, "print JSON instead of a table")
    parser.add_argument(
        "--write",
        action="store_true",
        help="store the scores in the preset's folder: metadata.json (also the name of the given "
        "classifier, for the next time), README.md, samples.png",
    )
    parser.set_defaults(default_of=parser.get_default)


def run(args):
    common.import_keras()
    from kzoo.presets import PresetMixin

    if (args.preset is None) == (args.samples is None):
        raise ValueError("expected either a PRESET or --samples FOLDER")
    last = args.seed + args.seeds - 1
    if last > types.MAX_SEED:
        raise ValueError(
            f"--seeds {args.seeds}: the last seed would be {last}; expected at most "
            f"{types.MAX_SEED}: give a smaller --seed"
        )
    judging.check_there(args)
    if args.data is not None:
        data.check_there(args.data)
    if args.samples is not None:
        return run_images(args)
    captions = common.read_captions(args.captions)
    pairs.check_there(args.sources)
    folder = card.folder_of(args) if args.write else None
    model = common.load_model(args, PresetMixin)
    pairs.check(model, args.sources)
    own = defaults.of_preset(args, model)
    command = command_of(args, own)
    scores, histogram = measure(model, args, own)
    if not scores:
        raise ValueError(f"no score of {args.preset} could be measured")
    facts = {"class": type(model).__name__, "parameters": model.count_params()}
    reporting.report(args, scores, histogram, preset=args.preset, **facts, command=command)
    if folder is not None:
        if args.classifier and defaults.is_name(args.classifier):
            card.remember(folder, classifier=args.classifier)
        card.write(folder, model, scores, command, captions, histogram)
        common.console(stderr=True).print(f"Wrote the scores and the model card into {folder}")


def run_images(args):
    """Measures images that no preset has drawn."""
    for name in ("model", "sources", "classifier", "steps", "captions", "write", "num_images"):
        if getattr(args, name):
            option = name.replace("_", "-")
            raise ValueError(f"--{option} is for a preset: with --samples, leave it out")
    if args.seeds > 1:
        raise ValueError("--seeds draws samples of a preset: with --samples, leave it out")
    scores, histogram = judging.measure_images(args)
    reporting.report(args, scores, histogram, samples=args.samples, command=command_of(args))


def measure(model, args, own):
    """`(scores, class_histogram or None)` of a model, by every protocol that suits it.

    Args:
        model: the preset's model.
        args: the arguments.
        own: the preset's `kzoo.cli.defaults.Defaults`.
    """
    from kzoo.evaluation import measuring

    def held_out():
        return own.trained_on.images(args.data, args.split)

    def images(labels, binarize):
        return data.load_images(model, held_out(), args.num_images, args.seed, labels, binarize)

    def test_pairs():
        chosen = held_out()
        chosen = chosen._replace(sources=args.sources or chosen.sources)
        return pairs.load(model, chosen, args.num_images)

    def notice(what, error):
        common.console(stderr=True).print(f"{what}: {error}")

    @functools.cache
    def classifier():
        try:
            name = own.classifier(args)
        except ValueError as error:
            if own.judge(args) == defaults.NO_JUDGE:
                raise
            notice("No scores by a classifier of the data", error)
            return None
        return judging.load_classifier(name, model, args, own.trained_on)

    @functools.cache
    def judge():
        name = own.judge(args)
        if name == defaults.NO_JUDGE:
            return None
        try:
            return judging.load_judge(name, model, args, own.trained_on)
        except (ImportError, OSError, ValueError) as error:
            if args.judge is not None:
                raise
            notice(f"No scores on {name}", error)
            return None

    def features():
        name = own.judge(args)
        if name == defaults.NO_JUDGE:
            return None
        return judging.load_features(name), pathlib.PurePath(name).name

    generate = common.generate_options(args, model, "steps", "captions")
    if "captions" in generate:
        captions = common.read_captions(args.captions)
        common.report_unknown_words(model, captions)
        generate["captions"] = common.in_turn(captions, args.num_samples)
    elif "captions" in [c.name for c in conditions_of(model)] and can(model, "generate"):
        kind = common.with_article(type(model).__name__)
        raise ValueError(f"{args.preset}: {kind} needs captions: --captions")
    given = measuring.Given(
        images,
        classifier,
        num_samples=args.num_samples,
        importance_samples=args.importance_samples,
        nll_images=measuring.NLL_IMAGES if args.num_images is None else None,
        generate=generate,
        seed=args.seed,
        seeds=args.seeds,
        track=common.track,
        judge=judge,
        pairs=test_pairs,
        features=features,
        notice=notice,
    )
    return measuring.measure(model, given)


def command_of(args, own=None):
    """The command that prints these scores, to be quoted beside them; without what is default.

    Args:
        args: the arguments as the user gave them.
        own: the preset's `kzoo.cli.defaults.Defaults`, if there is one.
    """
    words = ["kzoo", "evaluate", *filter(None, [args.preset])]
    names = (
        "model samples data sources split num_images num_samples importance_samples steps captions "
        "classifier judge seed seeds"
    )
    for name in names.split():
        value = getattr(args, name)
        given = own and name in ("classifier", "judge") and own.gives(args, name)
        if value == args.default_of(name) or given:
            continue
        words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join(words)
