"""What the commands share: the console, presets by name, options of `generate`."""

import argparse
import contextlib
import json
import os
import pathlib
import sys

import kzoo
from kzoo.cli import types
from kzoo.evaluation.capabilities import can, conditions_of, takes


def trained_models():
    """The names of the models that `kzoo train` knows: kzoo's own, and those of this process."""
    names = {*kzoo._MODELS, "Classifier", *_models_of_this_process("arguments_for")}
    return sorted(names, key=str.lower)


def preset_models():
    """The names of all models that have presets."""
    found = _models_of_this_process("from_preset")
    return sorted({*kzoo._MODELS, "Classifier", *kzoo._MODELS_OF_CAPTIONS, *found})


def _models_of_this_process(method):
    """`{name: class}` of models with this method that other packages registered with Keras.

    It does not import Keras: before that is imported, nothing is registered.
    """
    if "kzoo.presets.preset" not in sys.modules:
        return {}
    import keras

    from kzoo.presets import PresetMixin

    return {
        found.__name__: found
        for found in keras.saving.get_custom_objects().values()
        if isinstance(found, type)
        and issubclass(found, PresetMixin)
        and hasattr(found, method)
        and not found.__module__.startswith("kzoo.")
    }


def model_class(name):
    """The class of a model, by its name."""
    found = _models_of_this_process("from_preset").get(name)
    return getattr(kzoo, name) if found is None or name in kzoo._NAMES else found


def with_article(name):
    """A class's name with "a" or "an": an Autoencoder, an LSGAN, a VAE."""
    # A name in capitals is spelled: these letters are read with a vowel first.
    letters = "AEFHILMNORSX" if name[:2].isupper() else "AEIOaeio"
    return f"{'an' if name[:1] in letters else 'a'} {name}"


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


def add_preset(parser, **options):
    """The argument that says which preset; further options are those of `add_argument`."""
    parser.add_argument(
        "preset",
        metavar="PRESET",
        **options,
        help="a name that `kzoo list` shows, a folder, or an hf://, kaggle:// or https:// address",
    )
    add_model(parser, "class of the preset; PRESET may then be the name alone, such as mnist")


def add_model(parser, help_text):
    names = ", ".join(preset_models())
    parser.add_argument("--model", type=model_name, metavar="CLASS", help=f"{help_text} ({names})")


def model_name(text, names=preset_models):
    """One of the models' names, written in upper or lower case."""
    for name in names():
        if name.lower() == text.lower():
            return name
    raise argparse.ArgumentTypeError(f"expected one of {', '.join(names())}, got {text!r}")


def add_steps(parser):
    """The option of a CFGGAN's `generate`."""
    parser.add_argument(
        "--steps", type=types.natural, help="CFGGAN: functional gradient steps t in 0..T (T)"
    )


def add_captions(parser):
    """The option of a model that draws what captions say."""
    parser.add_argument(
        "--captions",
        metavar="TEXT|FILE.txt",
        help="text-to-image models: a caption, or a file with one in every line; drawn in turn",
    )


def read_captions(text):
    """What `--captions` gives: the caption itself, or the lines of a .txt file; a list of strings.

    Without the option it is `None`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it has no lines with text.
    """
    if text is None:
        return None
    if not text.endswith(".txt"):
        return [text]
    path = pathlib.Path(text).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"--captions: there is no file {text!r}")
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    if not any(lines):
        raise ValueError(f"--captions {text}: expected a caption in every line, got none")
    return [line for line in lines if line]


def report_unknown_words(model, captions):
    """Names on the error stream the words of captions (a list) that a model passes over."""
    if can(model, "unknown_words") and (words := model.unknown_words(captions)):
        console(stderr=True).print(f"Words that the model does not know: {', '.join(words)}")


def in_turn(values, count):
    """`count` of some values, in turn; a list."""
    return [values[i % len(values)] for i in range(count)]


def add_json(parser, help_text="print JSON instead of text"):
    parser.add_argument("--json", action="store_true", help=help_text)


def print_json(content):
    print(json.dumps(content, indent=2), flush=True)


def progress_on(args):
    """A context in which all that is printed goes to the error stream, if the command has `--json`.

    The output is then one JSON object.
    """
    return contextlib.redirect_stdout(sys.stderr) if args.json else contextlib.nullcontext()


@contextlib.contextmanager
def without_notices():
    """Mutes the error stream, as no setting stops all messages of TensorFlow's import."""
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
    kzoo._environment.report_choice()  # here, where nothing is muted
    if "keras" not in sys.modules:
        with without_notices():
            kzoo.backend  # noqa: B018
    import keras

    return keras


def class_of(args, base):
    """The class `args.model` of a preset, or else `base`."""
    return model_class(args.model) if args.model else base


def load_model(args, base):
    """The model of `args.preset`, of the class `args.model` or else a subclass of `base`."""
    return class_of(args, base).from_preset(args.preset)


def check_draws(args, model, *names):
    """`ValueError` unless a model draws images, from no conditions but those given.

    Args:
        args: the command's.
        model: the preset's model.
        *names: the options of the command that are conditions of models.
    """
    kind = with_article(type(model).__name__)
    if not can(model, "generate"):
        raise ValueError(f"{args.preset}: {kind} reconstructs images and draws none")
    for condition in conditions_of(model):
        needed = condition.default(1) is None
        if needed and condition.name not in names:
            raise ValueError(
                f"{args.preset}: {kind} draws images for {condition.name}, which this command "
                "does not give it"
            )
        if needed and getattr(args, condition.name) is None:
            raise ValueError(f"{args.preset}: {kind} needs {condition.name}: --{condition.name}")


def generate_options(args, model, *names):
    """The command's options for a model's `generate`: those of `names` that are given.

    Raises:
        ValueError: if the model does not take one of them.
    """
    options = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    for name in options:
        if not takes(model, name):
            raise ValueError(f"--{name}: {with_article(type(model).__name__)} takes none")
    return options


def console(stderr=False):
    """A rich console. If the output is not a terminal, lines are as long as the text needs."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 1000
    return Console(stderr=stderr, highlight=False, markup=False, width=width)


def print_table(headings, rows):
    """Prints a table that shows every cell whole.

    Args:
        headings: of the columns. One that ends in ">" is of numbers, which go to the right; one
            that ends in "~" is of text, which is wrapped where the terminal is too narrow.
        rows: lists of strings.
    """
    from rich.measure import Measurement
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading, *cells in zip(headings, *rows):
        justify = "right" if heading.endswith(">") else "left"
        lines = [line for cell in cells for line in cell.split("\n")]
        width = None if heading.endswith("~") else max(map(len, lines))
        table.add_column(heading.rstrip(">~"), justify=justify, min_width=width)
    for row in rows:
        table.add_row(*row)
    screen = console()
    needed = Measurement.get(screen, screen.options.update_width(1000), table).minimum
    screen.width = max(screen.width, needed)  # else rich would cut the cells off
    screen.print(table)


def track(steps, description):
    """Iterates over a sequence under a progress bar, if the error stream is a terminal."""
    from rich import progress

    screen = console(stderr=True)
    return progress.track(steps, description, console=screen, disable=not screen.is_terminal)
