"""`kzoo generate`: images from a preset."""

import os
import pathlib
import time

from kzoo.cli import common

COLUMNS, SCALE = 8, 2  # of a sheet; pixels of a digit are too small for most screens


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
        ],
    )
    common.add_preset(parser)
    parser.add_argument("-n", type=common.positive, default=64, help="how many images (64)")
    parser.add_argument(
        "--seed",
        type=common.natural,
        default=0,
        help="equal seeds give equal images on one backend (0)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=common.file_name(".png"),
        help="the sheet to write (samples.png; none with --separate or --npz)",
    )
    parser.add_argument(
        "--columns", type=common.positive, default=COLUMNS, help=f"images per row ({COLUMNS})"
    )
    parser.add_argument(
        "--scale",
        type=common.positive,
        default=SCALE,
        help=f"enlarges the sheet's pixels ({SCALE})",
    )
    parser.add_argument(
        "--steps", type=common.natural, help="CFGGAN: functional gradient steps t in 0..T (T)"
    )
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument(
        "--separate", type=pathlib.Path, metavar="FOLDER", help="write every image as a .png file"
    )
    formats.add_argument(
        "--npz",
        type=common.file_name(".npz"),
        metavar="FILE",
        help="write the uint8 array `images` (n, height, width, channels)",
    )


def run(args):
    common.import_keras()
    import numpy as np

    import kzoo
    from kzoo.metrics import protocols

    if args.output is None and not (args.separate or args.npz):
        args.output = pathlib.Path("samples.png")
    start = time.perf_counter()
    model = common.load_model(args, kzoo.GenerativeModel)
    loaded = time.perf_counter()
    batches = protocols.sample(model, args.n, args.seed, args.steps, track=common.track)
    images = np.concatenate(list(batches))
    done = time.perf_counter()

    written = []
    if args.output:
        args.output.parent.mkdir(parents=True, exist_ok=True)
        kzoo.visualization.image_grid(
            images, columns=args.columns, scale=args.scale, path=args.output
        )
        written.append(args.output)
    if args.npz:
        write_npz(args.npz, images=images)
        written.append(args.npz)
    if args.separate:
        args.separate.mkdir(parents=True, exist_ok=True)
        for i, image in enumerate(images):
            path = args.separate / f"{i:0{len(str(args.n - 1))}}.png"
            kzoo.visualization.image_grid(image[None], padding=0, path=path)
        written.append(args.separate)
    height, width, channels = images.shape[1:]
    print(
        f"Wrote {' and '.join(map(str, written))}: {args.n} images {height}x{width}x{channels} "
        f"of {type(model).__name__} {args.preset}, seed {args.seed}. "
        f"Loading took {loaded - start:.1f} s, drawing {done - loaded:.1f} s."
    )


def write_npz(path, **arrays):
    """Writes a compressed .npz file, whole or not at all."""
    import numpy as np

    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    try:
        np.savez_compressed(unfinished, **arrays)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
