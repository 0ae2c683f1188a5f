"""The VAE's training losses: bounds on the linear-Gaussian model, free bits, warm-up, gradients."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo import VAE, backend
from kzoo.distributions.posteriors import InverseAutoregressiveFlow, PlanarFlow
from tests.models.latent.vae_test import linear_gaussian  # noqa: F401

SMALL = {"image_shape": (4, 4, 1), "latent_dim": 3, "widths": (4,), "dense_width": 8, "seed": 0}
IMAGES = np.random.default_rng(0).integers(0, 2, (32, 4, 4, 1), dtype="uint8") * 255


def numpy(x):
    return ops.convert_to_numpy(x)


def rebuilt(model, **arguments):
    """The same model with other arguments, which add no weights, and the same weights."""
    copy = VAE.from_config({**model.get_config(), **arguments})
    copy.set_weights(model.get_weights())
    copy.compile()
    return copy


def loss(model, images, repetitions=1_000):
    """The loss, averaged over repetitions of the images."""
    images = np.repeat(images, repetitions, axis=0)
    return model.evaluate(images, batch_size=4_000, verbose=0, return_dict=True)["loss"]


def test_bounds_rise_with_k_towards_log_p(linear_gaussian):  # noqa: F811
    model, x, log_px = linear_gaussian
    bounds = [-loss(rebuilt(model, num_importance_samples=k), x) for k in (1, 4, 32)]
    assert bounds[0] + 0.05 < bounds[1] < bounds[2] - 5e-3
    assert bounds[2] < log_px.mean() + 1e-2  # an average of 8,000 draws of a bound
    assert bounds[2] == pytest.approx(log_px.mean(), abs=0.05)


@pytest.mark.parametrize("posterior", ["full_covariance", PlanarFlow(2), "coupling", "iaf"])
def test_importance_samples_of_every_posterior_reach_log_p(linear_gaussian, posterior):  # noqa: F811
    """Whatever q(z|x) is, the estimate tends to log p(x): log q(z|x) is exact."""
    model, x, log_px = linear_gaussian
    other = VAE(
        (2, 2, 1),
        2,
        "gaussian",
        scale=0.5,
        networks="fully_connected",
        widths=(4,),
        posterior=posterior,
        decoder=model.decoder,
        seed=0,
    )
    # Wider than the true posterior, as importance sampling needs it.
    kernel, bias = other.encoder.layers[-1].get_weights()
    bias[2:4] = 1.0
    other.encoder.layers[-1].set_weights([0.3 * kernel, bias])
    estimate = other.log_likelihood(x, num_samples=40_000, batch_size=16_000, seed=0)
    np.testing.assert_allclose(estimate, log_px, atol=6e-2)
    assert estimate.mean() == pytest.approx(log_px.mean(), abs=1e-2)


def test_estimated_kl_is_the_analytic_one():

    model = VAE(**SMALL)
    parameters = ops.convert_to_tensor(
        np.random.default_rng(0).standard_normal((4, 6)).astype("float32")
    )
    noise = keras.random.normal((50_000, 4, 3), seed=0)
    exact = numpy(ops.sum(model.kl_divergence(parameters, None, None), axis=1))
    z, log_q = model.posterior.sample(parameters, noise)
    estimate = numpy(ops.mean(log_q - model.prior.log_prob(z), axis=0))
    np.testing.assert_allclose(estimate, exact, atol=0.03)
    assert VAE(**SMALL).analytic_kl
    assert not VAE(**SMALL, prior="mixture").analytic_kl
    assert not VAE(**SMALL, posterior="full_covariance").analytic_kl


def objective(model, x):
    """The loss as a function without randomness: every call draws the same noise."""
    state = numpy(model.seed_generator.state.value)

    def value():
        model.seed_generator.state.assign(state)
        return model.negative_bound(x, training=True)[0]

    return value


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_importance_samples": 5},
        {"posterior": "full_covariance"},
        {"posterior": InverseAutoregressiveFlow(steps=2, units=6, context=3)},
        {"free_bits": 0.3},
    ],
    ids=["iwae", "full", "iaf", "free_bits"],
)
def test_gradients_are_those_of_finite_differences(arguments):
    model = VAE(**SMALL, **arguments)
    x = ops.convert_to_tensor(IMAGES[:6].astype("float32") / 127.5 - 1)
    value = objective(model, x)
    variables = model.trainable_variables
    _, gradients = backend.value_and_grad(value, variables)
    rng = np.random.default_rng(0)
    starts = [numpy(variable.value) for variable in variables]
    directions = [rng.standard_normal(start.shape).astype("float32") for start in starts]
    ends = []
    for sign in (1, -1):
        for variable, start, direction in zip(variables, starts, directions, strict=True):
            variable.assign(start + sign * 1e-3 * direction)
        ends.append(float(numpy(value())))
    slope = sum(np.sum(numpy(g) * d) for g, d in zip(gradients, directions, strict=True))
    assert slope == pytest.approx((ends[0] - ends[1]) / 2e-3, rel=0.02, abs=0.02)


def test_free_bits_are_the_larger_of_lambda_and_the_mean_kl():
    model = VAE(**SMALL, free_bits=0.2)
    model.compile()
    result = model.evaluate(IMAGES, batch_size=32, verbose=0, return_dict=True)
    parts = model.kl_per_dimension(IMAGES)
    assert parts.min() < 0.2  # it does something
    expected = result["reconstruction"] + np.maximum(parts, 0.2).sum()
    assert result["loss"] == pytest.approx(expected, rel=1e-4)
    assert result["kl"] == pytest.approx(parts.sum(), rel=1e-4)


def test_free_bits_of_an_estimated_kl_are_one_group():
    model = VAE(**SMALL, free_bits=50.0, prior="mixture")
    model.compile()
    result = model.evaluate(IMAGES, batch_size=32, verbose=0, return_dict=True)
    assert result["loss"] == pytest.approx(result["reconstruction"] + 150.0, rel=1e-4)


def test_warmup_raises_the_weight_of_the_kl_term():
    model = VAE(**SMALL, kl_weight=2.0, kl_warmup=4)
    model.compile(keras.optimizers.SGD(0.0))

    def weights(count):
        """The weights that `count` updates took, from the losses that they returned."""
        x = ops.convert_to_tensor(IMAGES.astype("float32") / 127.5 - 1)
        for _ in range(count):
            logs = {k: float(numpy(v)) for k, v in model.update(x, {}).items()}
            yield (logs["loss"] - logs["reconstruction"]) / logs["kl"]

    found = list(weights(3))
    np.testing.assert_allclose(found, [0.0, 0.5, 1.0], atol=1e-3)
    result = model.evaluate(IMAGES, verbose=0, return_dict=True)  # the full weight
    assert result["loss"] == pytest.approx(result["reconstruction"] + 2 * result["kl"], rel=1e-5)
    np.testing.assert_allclose(list(weights(3)), [1.5, 2.0, 2.0], atol=1e-3)


@pytest.mark.once
def test_warmup_is_counted_under_fit_and_resumed(tmp_path):
    def run(epochs):
        model = VAE(**SMALL, kl_warmup=100)
        model.compile()
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
        model.fit(IMAGES, batch_size=8, epochs=epochs, verbose=0, callbacks=[backup])
        return model

    assert float(numpy(run(1).updates.value)) == 4
    model = run(3)
    assert float(numpy(model.updates.value)) == 12
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert float(numpy(loaded.updates.value)) == 12


@pytest.mark.once
def test_importance_samples_are_reported():
    model = VAE(**SMALL, num_importance_samples=5)
    model.compile(keras.optimizers.Adam(1e-2))
    history = model.fit(IMAGES, batch_size=8, epochs=2, verbose=0).history
    assert set(history) == {"loss", "reconstruction", "kl", "negative_elbo"}
    result = model.evaluate(IMAGES, verbose=0, return_dict=True)
    assert result["negative_elbo"] == pytest.approx(result["reconstruction"] + result["kl"])
    assert result["loss"] < result["negative_elbo"]


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"free_bits": -0.1}, "free_bits.*-0.1"),
        ({"kl_warmup": -5}, "kl_warmup.*-5"),
        ({"num_importance_samples": 0}, "num_importance_samples.*0"),
        ({"num_importance_samples": 5, "free_bits": 0.1}, "got 5 and 0.1"),
        ({"posterior": "flow"}, "'flow'"),
        ({"networks": "transformer"}, "'transformer'"),
        ({"num_blocks": 0}, "num_blocks.*0"),
        ({"likelihood": "discretized_logistic_mixture", "scale": 1.0}, "scale=1.0"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        VAE(**{**SMALL, **arguments})
