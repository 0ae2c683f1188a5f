"""What a model needs to be scored by its likelihood."""

import math

import numpy as np
import pytest

from kzoo.evaluation.likelihood_scores import likelihood_scores


class Bounded:
    """Has a bound and an estimate of the likelihood, and says nothing of its pixels."""

    def elbo(self, images, seed, batch_size):
        return np.full(len(images), -8.0)

    def log_likelihood(self, images, seed, batch_size, num_samples):
        return np.full(len(images), -4.0)

    def bits_per_dim(self, nats):
        return nats / (4 * math.log(2.0))


def test_a_model_that_says_nothing_of_its_pixels():
    scores = likelihood_scores(Bounded(), np.zeros((3, 2, 2, 1), "uint8"))
    values = {score.name: score.value for score in scores}
    expected = {"negative_elbo": 8.0, "nll": 4.0, "bits_per_dim": 1 / math.log(2.0)}
    assert values == pytest.approx(expected)
