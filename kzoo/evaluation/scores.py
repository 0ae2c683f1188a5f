"""A measured number with its protocol."""

import math
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
        interval: `(low, high)`, the 95 % confidence interval of that mean, by Student's
            distribution; `None` of a single seed. It is about the choice of the seeds only.
    """

    name: str
    value: float
    unit: str
    protocol: str
    reference: float | None = None
    deviation: float | None = None
    interval: tuple[float, float] | None = None


# Student's distribution: the quantile .975 for 1, 2, ... degrees of freedom. The tables end at
# 30, from where on that of the normal distribution is too small by 4 % at most.
STUDENT = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
NORMAL = 1.960


def over_seeds(runs):
    """The mean of each score over the samples of several seeds, its deviation and interval.

    Args:
        runs: for each seed a list of `Score`, of the same names in the same order.

    Returns:
        A list of `Score`; of a single seed its own.
    """
    if len(runs) == 1:
        return runs[0]
    freedom = len(runs) - 1
    quantile = STUDENT[freedom - 1] if freedom <= len(STUDENT) else NORMAL
    found = []
    for scores in zip(*runs, strict=True):
        mean = statistics.fmean(score.value for score in scores)
        deviation = statistics.stdev(score.value for score in scores)
        half = quantile * deviation / math.sqrt(len(runs))
        interval = mean - half, mean + half
        found.append(scores[0]._replace(value=mean, deviation=deviation, interval=interval))
    return found


def untracked(steps, description):
    return steps
