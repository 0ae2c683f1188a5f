"""Priors p(z) of variational auto-encoders, exchangeable in `kzoo.VAE`."""

from kzoo.distributions.priors.mixture import GaussianMixture, VampPrior
from kzoo.distributions.priors.prior import Prior, StandardNormal, prior_by_name

__all__ = ["GaussianMixture", "Prior", "StandardNormal", "VampPrior", "prior_by_name"]
