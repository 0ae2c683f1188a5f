"""Priors p(z) of variational auto-encoders, exchangeable in `kzoo.VAE`."""

from kzoo.distributions.distribution import by_name
from kzoo.distributions.priors.mixture import GaussianMixture, VampPrior
from kzoo.distributions.priors.prior import Prior, StandardNormal

__all__ = ["GaussianMixture", "Prior", "StandardNormal", "VampPrior", "prior_by_name"]

_CLASSES = {"standard_normal": StandardNormal, "mixture": GaussianMixture, "vamp": VampPrior}


def prior_by_name(prior):
    """A `Prior` from its name, or the one given; `ValueError` for anything else."""
    return by_name("prior", prior, Prior, _CLASSES)
