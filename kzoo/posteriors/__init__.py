"""Approximate posteriors q(z|x) of variational auto-encoders, exchangeable in `kzoo.VAE`."""

from kzoo.posteriors.coupling import CouplingFlow
from kzoo.posteriors.gaussian import DiagonalGaussian, FullCovarianceGaussian
from kzoo.posteriors.inverse_autoregressive import InverseAutoregressiveFlow
from kzoo.posteriors.planar import PlanarFlow
from kzoo.posteriors.posterior import Posterior, posterior_by_name

__all__ = [
    "CouplingFlow",
    "DiagonalGaussian",
    "FullCovarianceGaussian",
    "InverseAutoregressiveFlow",
    "PlanarFlow",
    "Posterior",
    "posterior_by_name",
]
