"""The priors: densities against NumPy, samples against densities, the VampPrior's components."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from kzoo import VAE
from kzoo.distributions.priors import GaussianMixture, StandardNormal, VampPrior, prior_by_name

TINY = {"image_shape": (4, 4, 1), "latent_dim": 2, "widths": (3,), "dense_width": 4, "seed": 0}


def numpy(x):
    return ops.convert_to_numpy(x)


def gaussian(z, mean, log_variance):
    return np.sum(
        -0.5 * (math.log(2 * math.pi) + log_variance + (z - mean) ** 2 / np.exp(log_variance)), -1
    )


@pytest.fixture
def mixture():
    """.7 N(0, I) + .3 N((4, 0), diag(1, e))."""
    prior = GaussianMixture(2)
    VAE(**TINY, prior=prior)
    prior.means.assign([[0.0, 0.0], [4.0, 0.0]])
    prior.log_variances.assign([[0.0, 0.0], [0.0, 1.0]])
    prior.logits.assign(np.log([0.7, 0.3]))
    return prior


def test_standard_normal():
    model = VAE(**TINY)
    z = np.random.default_rng(0).standard_normal((3, 5, 2)).astype("float32")
    log_p = numpy(model.prior.log_prob(ops.convert_to_tensor(z)))
    np.testing.assert_allclose(log_p, gaussian(z, 0.0, 0.0), rtol=1e-5)
    assert isinstance(model.prior, StandardNormal) and not model.prior.weights


def test_density_of_a_mixture(mixture):
    z = np.random.default_rng(0).standard_normal((3, 5, 2)).astype("float32") + 2
    first = gaussian(z, np.zeros(2), np.zeros(2))
    second = gaussian(z, np.array([4.0, 0.0]), np.array([0.0, 1.0]))
    expected = np.log(0.7 * np.exp(first) + 0.3 * np.exp(second))
    log_p = numpy(mixture.log_prob(ops.convert_to_tensor(z)))
    np.testing.assert_allclose(log_p, expected, rtol=1e-4)


def test_samples_of_a_mixture(mixture):
    z = numpy(mixture.sample(20_000, seed=0))
    right = z[:, 0] > 2  # 2.3 % of either component lie on the other's side
    share = 0.3 * 0.977 + 0.7 * 0.023
    assert right.mean() == pytest.approx(share, abs=0.015)
    assert z[right, 1].std() > 1.4 > 1.1 > z[~right, 1].std()
    np.testing.assert_array_equal(z, numpy(mixture.sample(20_000, seed=0)))
    assert not np.array_equal(z, numpy(mixture.sample(20_000, seed=1)))


def test_vamp_prior_is_the_mixture_of_the_posteriors_of_its_pseudo_inputs():
    model = VAE(**TINY, prior=VampPrior(3))
    pseudo = np.tanh(numpy(model.prior.pseudo_inputs.value))
    mean, log_variance = model.encode(pseudo)
    z = np.random.default_rng(0).standard_normal((5, 2)).astype("float32")
    parts = [np.exp(gaussian(z, m, v)) for m, v in zip(mean, log_variance, strict=True)]
    expected = np.log(np.mean(parts, axis=0))
    log_p = numpy(model.prior.log_prob(ops.convert_to_tensor(z)))
    np.testing.assert_allclose(log_p, expected, rtol=1e-4)


@pytest.mark.parametrize("prior", ["mixture", "vamp"])
def test_priors_are_learned_and_saved(prior, tmp_path):
    model = VAE(**TINY, prior=prior)
    before = [numpy(weight) for weight in model.prior.weights]
    model.compile(keras.optimizers.Adam(1e-2))
    images = np.random.default_rng(0).integers(0, 2, (32, 4, 4, 1), dtype="uint8") * 255
    model.fit(images, epochs=1, batch_size=8, verbose=0)
    for old, weight in zip(before, model.prior.weights, strict=True):
        assert np.abs(old - numpy(weight)).max() > 1e-4

    samples = model.generate(6, seed=3, batch_size=4)
    np.testing.assert_array_equal(samples, model.generate(6, seed=3, batch_size=5))
    model.save(tmp_path / "m.keras")
    model.save_to_preset(tmp_path / "preset")
    for copy in (
        keras.saving.load_model(tmp_path / "m.keras"),
        VAE.from_preset(tmp_path / "preset"),
    ):
        np.testing.assert_array_equal(copy.generate(6, seed=3), samples)
        estimate = copy.log_likelihood(images[:4], 3, seed=0)
        np.testing.assert_allclose(estimate, model.log_likelihood(images[:4], 3, seed=0), rtol=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: prior_by_name("uniform"), "prior must be one of .*'uniform'"),
        (lambda: GaussianMixture(0), "num_components.*0"),
        (lambda: VampPrior(2.5), "num_components.*2.5"),
        (lambda: VAE(**TINY, prior="vamp", posterior="iaf"), "InverseAutoregressiveFlow"),
        (lambda: VAE(**TINY, prior="vamp", num_classes=3), "num_classes=3"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
