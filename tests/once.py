"""Parameters of tests that `python -m tests` tries on one backend only."""

import pytest


def once(*values):
    """A parameter, or several that go together, for the backend that has all tests."""
    return pytest.param(*values, marks=pytest.mark.once)


def once_but(everywhere, values):
    """Parameters: those of `everywhere` are for every backend, the other values for one."""
    return [value if value in everywhere else once(value) for value in values]
