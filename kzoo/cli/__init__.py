"""The command line: `kzoo list | train | generate | evaluate | export | demo` and more.

Keras and a backend are imported when a command needs them, not for `--help` or `kzoo list`.
"""

import argparse
import os
import sys
import textwrap

from kzoo import __version__
from kzoo.cli import completion, demo, evaluate, export, generate, neighbors, showing, train

_EPILOG = """\
examples:
  kzoo list                                  the presets that come with kzoo, with scores
  kzoo generate cfggan/mnist -o samples.png  draws 64 digits
  kzoo train vae --data mnist --epochs 10    trains a model and saves it in vae-mnist
  kzoo evaluate vae-mnist                    measures its test likelihood
  kzoo neighbors gan/mnist                   finds the training images nearest to samples
  kzoo export gan/mnist -o gan.onnx          writes it for ONNX Runtime
  kzoo demo                                  opens a page on which presets draw
  kzoo show cfggan/mnist                     shows how a preset was made
  kzoo doctor                                says what is missing on this machine

environment:
  KERAS_BACKEND    the backend that models run on: tensorflow, jax or torch
  TFDS_DATA_DIR    where TensorFlow Datasets keeps its data sets (~/tensorflow_datasets)
  KZOO_WEIGHTS     folder or address of the weights that this installation lacks
  KZOO_FAST        0 switches off code that only makes kzoo faster
  KZOO_DEBUG       1 shows the traceback of an error

exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted
"""

# Errors that a user can understand and correct: they are printed as one line. Any other error is a
# bug, and keeps its traceback.
_MISTAKES = (ValueError, OSError, ImportError, RuntimeError)


class _Parser(argparse.ArgumentParser):
    """Reports wrong usage in one line; argparse puts the usage of the command before it."""

    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def parser():
    """The `argparse.ArgumentParser` of all commands."""
    parser = _Parser(
        prog="kzoo",
        description="Generative models for Keras 3: pretrained weights, training, measured scores.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"kzoo {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    showing.add_list_parser(commands)
    for command in (train, generate, evaluate, neighbors, export, demo):
        command.add_parser(commands)
    showing.add_parsers(commands)
    completion.add_parser(commands)
    return parser


def main(argv=None):
    """Runs one command.

    Args:
        argv: the arguments, without the program's name; those of the process by default.

    Returns:
        The exit status.

    Raises:
        SystemExit: for `--help`, `--version` and wrong usage, as argparse does.
    """
    # TensorFlow reads it when it is imported, and reports on itself otherwise.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    arguments = sys.argv[1:] if argv is None else list(argv)
    all_commands = parser()
    args = all_commands.parse_args(arguments)
    if not hasattr(args, "run"):
        all_commands.print_help(sys.stderr)
        return 2
    args.argv, args.all_commands = arguments, all_commands
    try:
        args.run(args)
        sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        print(f"kzoo: {interrupt}" if str(interrupt) else "kzoo: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader, such as `head`, has gone; Python would complain again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except _MISTAKES as error:
        if os.environ.get("KZOO_DEBUG") == "1":
            raise
        # One line: some messages of Keras quote whole arrays.
        message = textwrap.shorten(str(error), 1000, placeholder=" ...") or type(error).__name__
        print(f"kzoo: error: {message}", file=sys.stderr)
        return 1
    return 0
