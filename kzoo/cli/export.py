"""`kzoo export`: a preset as a file for other programs."""

import pathlib
import time

from kzoo.cli import common, types
from kzoo.paths import SUFFIXES


def add_parser(commands):
    parser = common.add_command(
        commands,
        "export",
        run,
        "write a preset for other programs: ONNX, TensorFlow, LiteRT or PyTorch",
        [
            "kzoo export gan/mnist --format onnx -o gan.onnx",
            "kzoo export vae/mnist --format onnx --function decode -o decoder.onnx",
            "KERAS_BACKEND=tensorflow kzoo export gan/celeba --format litert -o faces.tflite",
            "KERAS_BACKEND=torch kzoo export gan/mnist --format torch -o gan.pt2",
        ],
    )
    common.add_preset(parser)
    parser.add_argument(
        "--format", choices=list(SUFFIXES), default="onnx", help="format of the file (onnx)"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=pathlib.Path,
        metavar="PATH",
        help="the file to write, .onnx, .tflite or .pt2; a folder for tf_saved_model",
    )
    parser.add_argument(
        "--function",
        default="call",
        metavar="NAME",
        help="call, or another function of the model, such as encode and decode of a VAE (call)",
    )
    parser.add_argument(
        "--batch-size",
        type=types.positive,
        help="how many examples the file takes at a time (any number; 1 on PyTorch)",
    )
    parser.add_argument(
        "--half-precision",
        action="store_true",
        help="ONNX: store the weights in float16, which halves the file",
    )
    common.add_json(parser)


def run(args):
    suffix = SUFFIXES[args.format]
    path = args.output or pathlib.Path(f"{pathlib.Path(args.preset).name}-{args.function}{suffix}")
    path = path.expanduser()
    if suffix and path.suffix != suffix:
        raise ValueError(f"--output: expected the name of a {suffix} file, got {str(path)!r}")
    types.check_folder("--output", path if args.format == "tf_saved_model" else path.parent)
    common.import_keras()
    import kzoo
    from kzoo.models.exporting import check_format

    check_format(args.format, args.half_precision)
    start = time.perf_counter()
    model = common.load_model(args, kzoo.GenerativeModel)
    path.parent.mkdir(parents=True, exist_ok=True)
    with common.without_notices():  # converters tell much on the error stream
        model.export(
            str(path),
            args.format,
            verbose=False,
            function=args.function,
            batch_size=args.batch_size,
            half_precision=args.half_precision,
        )
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    size, seconds = sum(file.stat().st_size for file in files), time.perf_counter() - start
    if args.json:
        common.print_json(
            {
                "preset": args.preset,
                "class": type(model).__name__,
                "function": args.function,
                "format": args.format,
                "written": str(path),
                "bytes": size,
                "seconds": seconds,
            }
        )
        return
    print(
        f"Wrote {path}: {args.function} of {type(model).__name__} {args.preset} as {args.format}, "
        f"{size / 2**20:.1f} MiB, in {seconds:.1f} s."
    )
