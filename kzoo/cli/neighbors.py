"""`kzoo neighbors`: the training images nearest to samples, to see whether they are copies."""

import pathlib

from kzoo.cli import common, data, defaults, generate, types
from kzoo.cli.trained_on import HELD_OUT
from kzoo.evaluation.capabilities import is_binary

NUM_SAMPLES, NUM_NEIGHBORS, SHOWN, REAL = 64, 3, 16, 1000


def add_parser(commands):
    parser = common.add_command(
        commands,
        "neighbors",
        run,
        "find the training images nearest to a preset's samples",
        [
            "kzoo neighbors gan/mnist -o neighbors.png",
            "kzoo neighbors vae/mnist -n 500 --num-neighbors 5",
            "kzoo neighbors my_gan --data mine.npz --json",
        ],
    )
    parser.epilog = (
        f"The sheet has a row for each of the first {SHOWN} samples: the sample, then its nearest\n"
        "training images. The command prints two mean distances to the nearest training image\n"
        "(Euclidean, of pixels in [-1, 1]): that of samples, and that of held-out real images.\n"
        "If samples are much nearer than real images, they may be copies. They may also be\n"
        "blurred: a blurred image is near to many images.\n\n" + parser.epilog
    )
    common.add_preset(parser)
    data.add_argument(parser, default=None)
    parser.add_argument("--split", help="split that it was trained on (what is recorded, or train)")
    parser.add_argument(
        "--held-out",
        metavar="SPLIT",
        help=f"real images to compare with: the first {REAL:,} (what is held out, or test)",
    )
    parser.add_argument(
        "-n", type=types.positive, default=NUM_SAMPLES, help=f"images to draw ({NUM_SAMPLES})"
    )
    parser.add_argument(
        "--num-neighbors",
        type=types.positive,
        default=NUM_NEIGHBORS,
        help=f"training images beside each sample ({NUM_NEIGHBORS})",
    )
    parser.add_argument("--seed", type=types.seed, default=0, help="seed of the samples (0)")
    common.add_steps(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=types.file_name(".png"),
        default=pathlib.Path("neighbors.png"),
        help="the sheet to write (neighbors.png)",
    )
    common.add_json(parser)


def run(args):
    common.import_keras()
    import numpy as np

    import kzoo
    from kzoo.evaluation import protocols
    from kzoo.metrics import nearest_neighbors

    if args.data is not None:
        data.check_there(args.data)
    model = common.load_model(args, kzoo.GenerativeModel)
    common.check_draws(args, model)
    trained_on = defaults.of_preset(args, model).trained_on
    chosen = trained_on.images(args.data, args.split, training=True)
    others = trained_on.images(args.data, args.held_out)
    binarize = is_binary(model)
    training, _, text = data.load_images(model, chosen, binarize=binarize)
    if args.num_neighbors > len(training):
        raise ValueError(
            f"--num-neighbors: expected at most {len(training):,}, all {text}; got "
            f"{args.num_neighbors:,}"
        )
    real, real_text = None, f"none: {chosen.name} has no others"
    if args.held_out or others[:3] != chosen[:3]:
        real, _, real_text = data.load_images(model, others, REAL, binarize=binarize)
    options = common.generate_options(args, model, "steps")
    samples = protocols.sample(model, args.n, args.seed, common.track, **options)
    samples = np.concatenate(list(samples))
    indices, distances = nearest_neighbors(samples, training, args.num_neighbors)
    real_distance = None if real is None else float(nearest_neighbors(real, training)[1].mean())

    args.output.parent.mkdir(parents=True, exist_ok=True)
    kzoo.visualization.nearest_neighbor_panel(
        samples[:SHOWN], training[indices[:SHOWN]], scale=generate.SCALE, path=args.output
    )
    report = {
        "preset": args.preset,
        "class": type(model).__name__,
        "training_images": text,
        "samples": f"{args.n:,} samples, seed {args.seed}",
        "held_out": real_text,
        "mean_distance_of_samples": float(distances[:, 0].mean()),
        "mean_distance_of_held_out": real_distance,
        "nearest": indices.tolist(),
        "distances": distances.tolist(),
        "sheet": str(args.output),
    }
    if args.json:
        common.print_json(report)
        return
    screen = common.console()
    screen.print(f"{report['class']} {args.preset}, nearest of {text}")
    kind = "held-out images" if others.known == HELD_OUT else "real images"
    rows = [
        ["samples", f"{report['mean_distance_of_samples']:.4g}", report["samples"]],
        [kind, "" if real is None else f"{real_distance:.4g}", real_text],
    ]
    common.print_table(["", "mean distance to the nearest>", "images~"], rows)
    screen.print(f"Wrote {args.output}: {min(SHOWN, args.n)} samples, each beside its neighbors.")
