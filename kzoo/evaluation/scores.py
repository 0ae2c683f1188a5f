"""A measured number with its protocol."""

import statistics
from typing import NamedTuple


class Score(NamedTuple):
    """One measured number.

    Attributes:
        name: what was measured, such as `"nll"`.
        value: the number.
        unit: its unit, `""` if it has none.
        protocol: how it was measured.
        reference: the same number for real test images, or `None`.
        deviation: of samples drawn from several seeds, the standard deviation of the number (n - 1
            below the sum of squares); `value` is then the mean.
    """

    name: str
    value: float
    unit: str
    protocol: str
    reference: float | None = None
    deviation: float | None = None


def over_seeds(runs):
    """The mean and the standard deviation of each score over the samples of several seeds.

    Args:
        runs: for each seed a list of `Score`, of the same names in the same order.

    Returns:
        A list of `Score`; of a single seed its own.
    """
    if len(runs) == 1:
        return runs[0]
    return [
        scores[0]._replace(
            value=statistics.fmean(score.value for score in scores),
            deviation=statistics.stdev(score.value for score in scores),
        )
        for scores in zip(*runs, strict=True)
    ]


def untracked(steps, description):
    return steps
