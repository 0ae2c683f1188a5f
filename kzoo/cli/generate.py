"""`kzoo generate`: images from a preset."""

import argparse
import pathlib
import time

from kzoo.cli import common, pairs, types
from kzoo.evaluation.capabilities import conditions_of

NUMBER = 64  # images
COLUMNS, SCALE = 8, 2  # of a sheet; a digit in its own size is too small for most screens


def add_parser(commands):
    parser = common.add_command(
        commands,
        "generate",
        run,
        "draw images from a preset and write them as a sheet or one by one",
        [
            "kzoo generate cfggan/mnist -o samples.png",
            "kzoo generate --model CFGGAN mnist --steps 0    from the approximator",
            "kzoo generate vae-mnist -n 1000 --npz digits.npz",
            "kzoo generate gan/mnist -n 100 --separate digits/",
            "kzoo generate gan/mnist -n 100000 --npy digits.npy    in bounded memory",
            "kzoo generate gatedpixelcnn/mnist_conditional --labels 3,5 --temperature 0.9",
            "kzoo generate pix2pix-facades --sources drawings/ --separate photos/",
            'kzoo generate my_flowers -n 8 --captions "a yellow flower"',
            "kzoo generate cyclegan-emoji --sources folder/ --to a",
        ],
    )
    common.add_preset(parser)
    parser.add_argument(
        "-n", type=types.positive, help="how many images (64; with --sources, one of each)"
    )
    parser.add_argument(
        "--seed",
        type=types.seed,
        default=0,
        help="equal seeds give equal images on one backend (0)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=types.file_name(".png"),
        help="the sheet to write (samples.png; none with --separate, --npy or --npz)",
    )
    parser.add_argument(
        "--columns", type=types.positive, default=COLUMNS, help=f"images per row ({COLUMNS})"
    )
    parser.add_argument(
        "--scale", type=types.positive, default=SCALE, help=f"enlarges the sheet's pixels ({SCALE})"
    )
    common.add_steps(parser)
    parser.add_argument(
        "--labels",
        type=class_labels,
        metavar="K[,K...]",
        help="class-conditional models: the classes to draw, in turn (all)",
    )
    pairs.add_argument(
        parser, "the images to translate: a file, or a folder, whose files are taken in turn"
    )
    common.add_captions(parser)
    parser.add_argument(
        "--to", choices=["a", "b"], help="CycleGAN: the domain to translate the sources to (b)"
    )
    parser.add_argument(
        "--temperature",
        type=types.positive_number,
        help="pixel models: below 1, likely values become more likely (1)",
    )
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument(
        "--separate",
        type=types.folder_name,
        metavar="FOLDER",
        help="write every image as a .png file",
    )
    formats.add_argument(
        "--npz",
        type=types.file_name(".npz"),
        metavar="FILE",
        help="write the uint8 array `images` (n, height, width, channels)",
    )
    formats.add_argument(
        "--npy",
        type=types.file_name(".npy"),
        metavar="FILE",
        help="write the same array to a .npy file as it is drawn, in bounded memory",
    )
    common.add_json(parser)


def class_labels(text):
    """`3,5` as a list of ints."""
    try:
        labels = [int(label) for label in text.split(",")]
    except ValueError:
        labels = [-1]
    if min(labels) < 0:
        raise argparse.ArgumentTypeError(f"expected class numbers such as 3 or 3,5, got {text!r}")
    return labels


def sheet(model, count=64, captions=None):
    """`(images, labels)` of a sheet: of a class-conditional model, one class per row.

    `labels` is `None` where the model has none. A model that needs captions draws them in turn.
    """
    for condition in conditions_of(model):
        if condition.name == "labels":
            labels = [label for label in range(condition.num_classes) for _ in range(COLUMNS)]
            return model.generate(len(labels), seed=0, labels=labels), labels
    given = {} if captions is None else {"captions": common.in_turn(captions, count)}
    return model.generate(count, seed=0, **given), None


def run(args):
    common.import_keras()
    import numpy as np

    import kzoo
    from kzoo.evaluation import protocols, sample_files

    large = args.separate or args.npy
    if args.output is None and not (large or args.npz):
        args.output = pathlib.Path("samples.png")
    captions = common.read_captions(args.captions)
    pairs.check_there(args.sources)
    start = time.perf_counter()
    model = common.load_model(args, kzoo.GenerativeModel)
    names = ("steps", "labels", "sources", "captions", "temperature", "to")
    options = common.generate_options(args, model, *names)
    common.check_draws(args, model, *names)
    loaded = time.perf_counter()
    if "sources" in options:
        given = pairs.read(model, args.sources)
        args.n = args.n or len(given)
        options["sources"] = given[np.arange(args.n) % len(given)]
    args.n = args.n or NUMBER
    if "labels" in options:
        options["labels"] = np.resize(args.labels, args.n)
    if "captions" in options:
        options["captions"] = common.in_turn(captions, args.n)
    groups = protocols.sample(model, args.n, args.seed, common.track, **options)
    written = []
    if args.output or args.npz:
        images = np.concatenate(list(groups))
        groups = [images]
    if large:
        write = sample_files.write_folder if args.separate else sample_files.write_array
        write(large, groups, args.n)
        written.append(large)
    done = time.perf_counter()
    if args.output:
        args.output.parent.mkdir(parents=True, exist_ok=True)
        kzoo.visualization.image_grid(
            images, columns=args.columns, scale=args.scale, path=args.output
        )
        written.append(args.output)
    if args.npz:
        kzoo.datasets.npz.write(args.npz, images=images)
        written.append(args.npz)
    if "captions" in options:
        common.report_unknown_words(model, captions)
    if args.json:
        common.print_json(
            {
                "preset": args.preset,
                "class": type(model).__name__,
                "written": [str(path) for path in written],
                "images": args.n,
                "image_shape": list(model.image_shape),
                "seed": args.seed,
                "seconds": {"loading": loaded - start, "drawing": done - loaded},
            }
        )
        return
    height, width, channels = model.image_shape
    print(
        f"Wrote {' and '.join(map(str, written))}: {args.n} images {height}x{width}x{channels} "
        f"of {type(model).__name__} {args.preset}, seed {args.seed}. "
        f"Loading took {loaded - start:.1f} s, drawing {done - loaded:.1f} s."
    )
