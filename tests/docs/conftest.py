import importlib.util

import pytest

from tests.conftest import REPOSITORY


@pytest.fixture(scope="package")
def hooks():
    """`docs/hooks.py` as a module."""
    pytest.importorskip("mkdocs", reason='needs pip install ".[docs]"')
    spec = importlib.util.spec_from_file_location("hooks", REPOSITORY / "docs" / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
