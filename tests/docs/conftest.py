import pytest

from tests.examples import gallery


@pytest.fixture(scope="package")
def hooks():
    """`docs/hooks.py` as a module."""
    pytest.importorskip("mkdocs", reason='needs pip install ".[docs]"')
    return gallery.load_hooks()
