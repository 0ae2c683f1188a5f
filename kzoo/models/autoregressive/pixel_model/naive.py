"""Drawing images without caches: the network runs on the whole image for every value."""

import contextlib
import sys
import time

import numpy as np
from keras import ops

from kzoo import backend


class NaiveSampler:
    """What `generate(cached=False)` does (a mixin of `PixelSampler`)."""

    #: How many channels of a pixel one run of the network yields; `None` for all.
    channels_per_step = 1

    def draw_images_naively(
        self, noise, given, missing, condition, temperature, advance=None, rows=None
    ):
        """`draw_images` by one run of the network on the whole image for every value.

        `rows`: how many rows to draw, from the top; `None` for all.
        """
        levels = np.array(given)
        height, width, channels = self.image_shape
        for row in range(height if rows is None else rows):
            for column in range(width):
                at = (slice(None), row, column)
                place = np.asarray((row, column), "int32")
                for channel in range(0, channels, self.channels_per_step or channels):
                    options = (noise[at], given[at], missing[at], condition, temperature)
                    levels[at] = self._draw_naively(levels, place, channel, *options)
            if advance is not None:
                advance()
        return levels

    @backend.compiled
    def _draw_naively(
        self, levels, place, channel, uniforms, given, missing, condition, temperature
    ):
        parameters = self.parameters(self.scale(levels), self.condition_maps(**condition))
        index = place[0] * self.image_shape[1] + place[1]

        def pixel(x):  # (b, h, w, ...) at the place: (b, ...)
            flat = ops.reshape(x, (-1, x.shape[1] * x.shape[2], *x.shape[3:]))
            return ops.take(flat, index, axis=1)

        missing = ops.cast(missing, "float32")[..., None]
        known = ops.cast(ops.arange(levels.shape[-1]) < channel, "float32")
        return self.draw_channel(
            channel, pixel(levels) * known, pixel(parameters), uniforms, given, missing, temperature
        )


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
