"""Priors p(z) of variational auto-encoders: the public names of `kzoo.distributions`."""

from kzoo.distributions.priors import *  # noqa: F403
from kzoo.distributions.priors import __all__  # noqa: F401
