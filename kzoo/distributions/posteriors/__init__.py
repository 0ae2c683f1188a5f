"""Approximate posteriors q(z|x) of variational auto-encoders, exchangeable in `kzoo.VAE`."""

from kzoo.distributions.distribution import by_name
from kzoo.distributions.posteriors.coupling import CouplingFlow
from kzoo.distributions.posteriors.gaussian import DiagonalGaussian, FullCovarianceGaussian
from kzoo.distributions.posteriors.inverse_autoregressive import InverseAutoregressiveFlow
from kzoo.distributions.posteriors.planar import PlanarFlow
from kzoo.distributions.posteriors.posterior import Posterior

__all__ = [
    "CouplingFlow",
    "DiagonalGaussian",
    "FullCovarianceGaussian",
    "InverseAutoregressiveFlow",
    "PlanarFlow",
    "Posterior",
    "posterior_by_name",
]

_CLASSES = {
    "diagonal_gaussian": DiagonalGaussian,
    "full_covariance": FullCovarianceGaussian,
    "planar": PlanarFlow,
    "coupling": CouplingFlow,
    "iaf": InverseAutoregressiveFlow,
}


def posterior_by_name(posterior):
    """A `Posterior` from its name, or the one given; `ValueError` for anything else."""
    return by_name("posterior", posterior, Posterior, _CLASSES)
