"""Posteriors q(z|x) of variational auto-encoders: the public names of `kzoo.distributions`."""

from kzoo.distributions.posteriors import *  # noqa: F403
from kzoo.distributions.posteriors import __all__  # noqa: F401
