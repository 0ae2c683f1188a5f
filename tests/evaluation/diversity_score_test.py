import numpy as np
import pytest

from kzoo import Classifier
from kzoo.metrics import DiversityScore


@pytest.fixture(scope="module")
def classifier():
    return Classifier((8, 8, 1), num_classes=4, widths=(3, 5))


def score_of(metric, *batches):
    for probabilities in batches:
        metric.update_activations(np.zeros((len(probabilities), 5)), np.asarray(probabilities))
    return metric.result()


def test_equal_distributions_score_one(classifier):
    counts = [1, 2, 3, 4]
    p = np.eye(4)[np.repeat(np.arange(4), counts)]
    assert score_of(DiversityScore(classifier, reference=counts), p) == pytest.approx(1)


def test_one_class_of_k_scores_one_over_k(classifier):
    p = np.eye(4)[[2] * 10]
    assert score_of(DiversityScore(classifier, reference="uniform"), p) == pytest.approx(1 / 4)


def test_is_the_exponential_negative_divergence_of_the_mean_prediction(classifier):
    rng = np.random.default_rng(0)
    p, real = rng.dirichlet(np.ones(4), size=40), rng.dirichlet(np.ones(4))
    mean = p.mean(axis=0)
    expected = np.exp(-np.sum(mean * np.log(mean / real)))
    metric = DiversityScore(classifier, reference=real)
    assert score_of(metric, p[:13], p[13:]) == pytest.approx(expected, rel=1e-12)
    metric.reset_state()
    assert score_of(metric, p) == pytest.approx(expected, rel=1e-12)


def test_a_class_that_real_data_lack_scores_zero(classifier):
    p = np.eye(4)[[0, 1, 2, 3]]
    assert score_of(DiversityScore(classifier, reference=[1, 1, 1, 0]), p) == 0


def test_config(classifier):
    for reference in ("uniform", (1, 2, 3, 4), np.array([0.1, 0.2, 0.3, 0.4])):
        metric = DiversityScore(classifier, reference=reference)
        copy = DiversityScore.from_config(metric.get_config())
        p = np.random.default_rng(1).dirichlet(np.ones(4), size=9)
        assert score_of(copy, p) == score_of(metric, p)


@pytest.mark.parametrize("reference", ["even", [1, 2], [0, 0, 0, 0], [1, 1, 1, -1], [np.nan] * 4])
def test_wrong_reference(classifier, reference):
    with pytest.raises(ValueError, match="4 shares"):
        DiversityScore(classifier, reference=reference)


def test_errors(classifier):
    with pytest.raises(ValueError, match="no stored label distribution"):
        DiversityScore(classifier)
    with pytest.raises(ValueError, match="at least one image"):
        DiversityScore(classifier, reference="uniform").result()
