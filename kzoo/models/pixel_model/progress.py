"""A progress bar that long work shows and short work does not."""

import contextlib
import sys
import time

PATIENCE = 3.0  # seconds of work without a bar


@contextlib.contextmanager
def track(total, verbose="auto", description="Drawing rows of pixels"):
    """A progress bar on the error stream, if that is a terminal.

    Args:
        total: number of steps.
        verbose: whether to show it; "auto" once the work has taken a few seconds.
        description: written beside it.

    Yields:
        A function without arguments, to be called after each step.

    Raises:
        ValueError: for another `verbose`.
    """
    if verbose not in (True, False, "auto"):
        raise ValueError(f'verbose must be True, False or "auto", got {verbose!r}.')
    if not verbose:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    console = Console(file=sys.stderr)
    progress = Progress(console=console, transient=True, disable=not console.is_terminal)
    task = progress.add_task(description, total=total)
    start = time.monotonic()

    def advance():
        progress.advance(task)
        if not progress.live.is_started and (
            verbose is True or time.monotonic() - start > PATIENCE
        ):
            progress.start()

    try:
        yield advance
    finally:
        progress.stop()
