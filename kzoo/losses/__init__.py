"""The log-likelihoods and divergences of `kzoo.distributions`, under their public names."""

from kzoo.distributions.divergences import average, gaussian_kl
from kzoo.distributions.likelihoods import (
    bernoulli_log_likelihood,
    discretized_logistic_log_likelihood,
    discretized_logistic_mixture_log_likelihood,
    gaussian_log_likelihood,
)

__all__ = [
    "average",
    "bernoulli_log_likelihood",
    "discretized_logistic_log_likelihood",
    "discretized_logistic_mixture_log_likelihood",
    "gaussian_kl",
    "gaussian_log_likelihood",
]
