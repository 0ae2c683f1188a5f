import pathlib
import sys
import types

import pytest

APPLICATIONS = pathlib.Path(__file__).resolve().parents[2] / "applications"
NAMES = ("", "_settings", "_runs", "_tables", "_figures", "_report")


@pytest.fixture(scope="session")
def study():
    """The modules `cfg_study*.py` as attributes: main, settings, runs, tables, report."""
    sys.path.insert(0, str(APPLICATIONS))
    try:
        modules = {n[1:] or "main": __import__(f"cfg_study{n}") for n in NAMES}
    finally:
        sys.path.remove(str(APPLICATIONS))
    return types.SimpleNamespace(**modules)
