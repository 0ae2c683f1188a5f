"""Priors p(z) of variational auto-encoders, exchangeable in `kzoo.VAE`."""

from kzoo.priors.mixture import GaussianMixture
from kzoo.priors.prior import Prior, StandardNormal, prior_by_name
from kzoo.priors.vamp import VampPrior

__all__ = ["GaussianMixture", "Prior", "StandardNormal", "VampPrior", "prior_by_name"]
