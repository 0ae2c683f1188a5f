"""Approximate posteriors q(z|x) of variational auto-encoders, exchangeable in `kzoo.VAE`."""

from kzoo.distributions.posteriors.coupling import CouplingFlow
from kzoo.distributions.posteriors.gaussian import DiagonalGaussian, FullCovarianceGaussian
from kzoo.distributions.posteriors.inverse_autoregressive import InverseAutoregressiveFlow
from kzoo.distributions.posteriors.planar import PlanarFlow
from kzoo.distributions.posteriors.posterior import Posterior, posterior_by_name

__all__ = [
    "CouplingFlow",
    "DiagonalGaussian",
    "FullCovarianceGaussian",
    "InverseAutoregressiveFlow",
    "PlanarFlow",
    "Posterior",
    "posterior_by_name",
]
