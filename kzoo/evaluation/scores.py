"""A measured number with its protocol."""

from typing import NamedTuple


class Score(NamedTuple):
    """One measured number.

    Attributes:
        name: what was measured, such as `"nll"`.
        value: the number.
        unit: its unit, `""` if it has none.
        protocol: how it was measured.
        reference: the same number for real test images, or `None`.
    """

    name: str
    value: float
    unit: str
    protocol: str
    reference: float | None = None


def untracked(steps, description):
    return steps
