import sys

import pytest

from tests.memory import measured


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
@pytest.mark.parametrize("name", ["GAN", "CFGGAN"])
def test_memory_stays_what_it_is(name):
    """The whole measurement is `python -m tests.memory`."""
    for work, (_, _, percent) in measured(name, updates=50, draws=10, fits=5):
        assert percent < 5, work
