"""What the commands share: argument types, the console, presets by name."""

import argparse
import contextlib
import functools
import os
import pathlib
import sys

MODELS = ("CFGGAN", "Classifier", "GAN", "PixelCNN", "VAE")


def add_command(commands, name, run, summary, examples):
    """Adds a command's parser; `run(args)` carries the command out."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_preset(parser):
    """The argument that says which preset."""
    parser.add_argument(
        "preset",
        metavar="PRESET",
        help="a name that `kzoo list` shows, a folder, or an hf://, kaggle:// or https:// address",
    )
    add_model(parser, "class of the preset; PRESET may then be the name alone, such as mnist")


def add_model(parser, help_text):
    parser.add_argument(
        "--model", type=model_name, metavar="CLASS", help=f"{help_text} ({', '.join(MODELS)})"
    )


def model_name(text):
    """One of `MODELS`, written in upper or lower case."""
    for name in MODELS:
        if name.lower() == text.lower():
            return name
    raise argparse.ArgumentTypeError(f"expected one of {', '.join(MODELS)}, got {text!r}")


@contextlib.contextmanager
def without_notices():
    """Mutes the error stream: no setting of TensorFlow's stops all it says when it is imported."""
    if os.environ.get("KZOO_DEBUG") == "1":
        yield
        return
    stream = sys.__stderr__.fileno()
    sys.__stderr__.flush()
    saved, null = os.dup(stream), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream)
    try:
        yield
    finally:
        os.dup2(saved, stream)
        os.close(saved)
        os.close(null)


def import_keras():
    """Imports Keras with its backend, and returns it.

    Raises:
        ImportError: if the backend is not installed, with the extra to install.
    """
    import kzoo

    if "keras" not in sys.modules:
        with without_notices():
            kzoo.backend  # noqa: B018
    import keras

    return keras


def load_model(args, base):
    """The model of `args.preset`, of the class `args.model` or else a subclass of `base`."""
    import kzoo

    return (getattr(kzoo, args.model) if args.model else base).from_preset(args.preset)


def _integer(text, lowest):
    try:
        value = int(text)
    except ValueError:
        value = lowest - 1
    if value < lowest:
        raise argparse.ArgumentTypeError(f"expected an integer >= {lowest}, got {text!r}")
    return value


positive = functools.partial(_integer, lowest=1)
natural = functools.partial(_integer, lowest=0)


def image_size(text):
    """`64` or `48x64` as (height, width)."""
    sides = text.split("x")
    if len(sides) > 2:
        raise argparse.ArgumentTypeError(f"expected N or HEIGHTxWIDTH, got {text!r}")
    return positive(sides[0]), positive(sides[-1])


def file_name(suffix):
    """Argument type: the path of a file with this suffix, checked before any work is done."""

    def check(text):
        path = pathlib.Path(text).expanduser()
        if path.suffix.lower() != suffix or path.is_dir():
            raise argparse.ArgumentTypeError(f"expected the name of a {suffix} file, got {text!r}")
        return path

    return check


def console(stderr=False):
    """A rich console. What is not a terminal gets lines as long as the text needs."""
    from rich.console import Console

    screen = Console(stderr=stderr, highlight=False, markup=False)
    return (
        screen
        if screen.is_terminal
        else Console(stderr=stderr, highlight=False, markup=False, width=1000)
    )


def table(*columns):
    """An empty rich table whose cells are wrapped, never cut off; numbers go to the right.

    Args:
        *columns: headings; one that ends in ">" is of a column of numbers.
    """
    from rich import box
    from rich.table import Table

    empty = Table(box=box.SIMPLE, pad_edge=False)
    for heading in columns:
        justify = "right" if heading.endswith(">") else "left"
        empty.add_column(heading.rstrip(">"), justify=justify, overflow="fold")
    return empty


def track(steps, description):
    """Iterates over a sequence under a progress bar, if the error stream is a terminal."""
    from rich import progress

    screen = console(stderr=True)
    columns = (*progress.Progress.get_default_columns(), progress.TimeElapsedColumn())
    with progress.Progress(*columns, console=screen, disable=not screen.is_terminal) as bar:
        yield from bar.track(steps, description=description)
