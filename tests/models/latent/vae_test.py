import keras
import numpy as np
import pytest
from keras import ops

from kzoo import VAE, backend
from kzoo.distributions.posteriors import DiagonalGaussian
from tests.once import once

SMALL = {"image_shape": (9, 7, 1), "latent_dim": 3, "widths": (4,), "dense_width": 8}


def binary_images(count, shape=(9, 7, 1), seed=0):
    """Black images with one white rectangle each."""
    rng = np.random.default_rng(seed)
    images = np.zeros((count, *shape), "uint8")
    for image in images:
        top, left = rng.integers(0, shape[0] // 2), rng.integers(0, shape[1] // 2)
        image[top : top + shape[0] // 2, left : left + shape[1] // 2] = 255
    return images


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def dense_networks(pixels=4, latent_dim=2):
    """An affine encoder and an affine decoder."""
    images = keras.Input((2, pixels // 2, 1))
    encoder = keras.Model(
        images, keras.layers.Dense(2 * latent_dim)(keras.layers.Flatten()(images))
    )
    latents = keras.Input((latent_dim,))
    decoder = keras.Model(
        latents, keras.layers.Reshape((2, pixels // 2, 1))(keras.layers.Dense(pixels)(latents))
    )
    return encoder, decoder


@pytest.fixture
def linear_gaussian():
    """x = W z + b + .5 noise, of which log p(x) is known: x ~ N(b, W W' + .25 I).

    The encoder's mean is off the true posterior's and its variance too large, so that the bound
    is not tight.
    """
    rng = np.random.default_rng(0)
    weight, bias = 0.4 * rng.standard_normal((2, 4)), 0.1 * rng.standard_normal(4)
    encoder, decoder = dense_networks()
    model = VAE((2, 2, 1), 2, "gaussian", scale=0.5, encoder=encoder, decoder=decoder, seed=0)
    decoder.set_weights([weight, bias])
    precision = np.eye(2) + weight @ weight.T / 0.25
    to_mean = np.linalg.inv(precision) @ weight / 0.25
    log_variance = np.log(np.diag(np.linalg.inv(precision))) + 0.3
    encoder.set_weights(
        [
            np.concatenate([0.9 * to_mean.T, np.zeros((4, 2))], axis=1),
            np.concatenate([-0.9 * to_mean @ bias, log_variance]),
        ]
    )
    x = np.clip(rng.standard_normal((8, 2)) @ weight + bias + 0.3 * rng.standard_normal(4), -1, 1)
    covariance = weight.T @ weight + 0.25 * np.eye(4)
    centred = x - bias
    log_px = -0.5 * (
        np.einsum("bi,ij,bj->b", centred, np.linalg.inv(covariance), centred)
        + np.linalg.slogdet(2 * np.pi * covariance)[1]
    )
    return model, x.reshape(8, 2, 2, 1).astype("float32"), log_px


def test_log_likelihood_of_a_linear_gaussian_model_is_the_closed_form(linear_gaussian):
    model, x, log_px = linear_gaussian
    estimate = model.log_likelihood(x, num_samples=20_000, batch_size=8_000, seed=0)
    assert estimate.shape == (8,)
    np.testing.assert_allclose(estimate, log_px, atol=1e-2)


def test_elbo_of_a_linear_gaussian_model_is_the_closed_form(linear_gaussian):
    model, x, log_px = linear_gaussian
    mean, log_variance = (m.astype("float64") for m in model.encode(x))
    weight, bias = (numpy(w).astype("float64") for w in model.decoder.weights)
    # E_q[log p(x|z)] = log p(x|mean) - tr(W' W S) / (2 sigma^2), with sigma^2 = .25.
    residual = x.reshape(8, 4) - mean @ weight - bias
    spread = np.exp(log_variance) @ np.sum(weight**2, axis=1)
    reconstruction = (np.sum(residual**2, axis=1) + spread) / 0.5 + 2 * np.log(2 * np.pi * 0.25)
    kl = 0.5 * np.sum(np.exp(log_variance) + mean**2 - 1 - log_variance, axis=1)
    model.compile()
    result = model.evaluate(
        np.repeat(x, 2_000, axis=0), batch_size=4_000, verbose=0, return_dict=True
    )
    assert result["kl"] == pytest.approx(kl.mean(), rel=1e-4)
    assert result["reconstruction"] == pytest.approx(reconstruction.mean(), abs=0.05)
    assert result["loss"] == pytest.approx(result["reconstruction"] + result["kl"], rel=1e-5)
    assert -result["loss"] < log_px.mean() - 0.1  # the bound is not tight here


def test_more_importance_samples_lie_between_the_bound_and_log_p(linear_gaussian):
    model, x, log_px = linear_gaussian
    x = np.repeat(x, 250, axis=0)
    one, ten = (model.log_likelihood(x, n, 4_000, seed=0).mean() for n in (1, 10))
    assert one < ten - 0.05 < log_px.mean()


def test_log_likelihood_does_not_depend_on_how_samples_are_cut_up(linear_gaussian):
    model, x, log_px = linear_gaussian
    # 5 images at a time do not divide 8, nor do 7 samples at a time 100.
    by_images = model.log_likelihood(x, num_samples=100, batch_size=5, seed=1)
    by_samples = model.log_likelihood(x, num_samples=100, batch_size=7 * 8, seed=1)
    np.testing.assert_allclose(by_images, log_px, atol=0.3)
    np.testing.assert_allclose(by_samples, log_px, atol=0.3)


def test_gradients_through_the_reparameterization_are_those_of_finite_differences():
    encoder, decoder = dense_networks()
    model = VAE((2, 2, 1), 2, encoder=encoder, decoder=decoder)
    x = ops.convert_to_tensor(binary_images(6, (2, 2, 1)).astype("float32") / 127.5 - 1)
    noise = keras.random.normal((6, 2), seed=1)

    def loss():
        z, _ = model.posterior.sample(model.posterior_parameters(x), noise)
        return -ops.mean(model.conditional_log_likelihood(x, model.decoder(z)))

    variables = model.encoder.trainable_variables
    _, gradients = backend.value_and_grad(loss, variables)
    rng = np.random.default_rng(0)
    for variable, gradient in zip(variables, gradients, strict=True):
        value = numpy(variable.value)
        direction = rng.standard_normal(value.shape).astype("float32")
        direction /= np.linalg.norm(direction)
        ends = []
        for sign in (1, -1):
            variable.assign(value + sign * 1e-2 * direction)
            ends.append(float(numpy(loss())))
        variable.assign(value)
        expected = (ends[0] - ends[1]) / 2e-2
        assert np.sum(numpy(gradient) * direction) == pytest.approx(expected, rel=0.01, abs=1e-3)


def test_reparameterized_latents_have_the_posterior_moments():
    mean, log_variance = np.float32([[1.0, -2.0, 0.0]]), np.float32([[0.0, -2.0, 1.0]])
    noise = np.random.default_rng(0).standard_normal((100_000, 3)).astype("float32")
    parameters = ops.convert_to_tensor(np.concatenate([mean, log_variance], axis=1))
    z = numpy(DiagonalGaussian().sample(parameters, ops.convert_to_tensor(noise))[0])
    np.testing.assert_allclose(z.mean(axis=0), mean[0], atol=0.02)
    np.testing.assert_allclose(z.var(axis=0), np.exp(log_variance[0]), rtol=0.02)


@pytest.mark.parametrize(
    "likelihood", ["bernoulli", once("gaussian"), once("discretized_logistic")]
)
def test_fit_lowers_the_loss(likelihood):
    images = binary_images(128)
    model = VAE(**SMALL, likelihood=likelihood, seed=0)
    model.compile(keras.optimizers.Adam(1e-2))
    before = model.evaluate(images, verbose=0, return_dict=True)
    history = model.fit(images, batch_size=32, epochs=8, verbose=0).history
    after = model.evaluate(images, verbose=0, return_dict=True)
    assert set(history) == {"loss", "reconstruction", "kl"}
    assert after["loss"] < 0.9 * before["loss"]
    assert after["reconstruction"] < 0.9 * before["reconstruction"]


@pytest.mark.once
def test_mixed_precision_keeps_the_losses_in_float32():
    images = binary_images(32)
    model, mixed = (VAE(**SMALL, seed=0, dtype=dtype) for dtype in (None, "mixed_bfloat16"))
    mixed.set_weights(model.get_weights())
    assert "bfloat16" in str(mixed.encoder.layers[1].compute_dtype)
    mixed.compile()
    mixed.fit(images, epochs=1, verbose=0)
    model.set_weights(mixed.get_weights())
    np.testing.assert_allclose(numpy(mixed(images)), numpy(model(images)), atol=0.02)
    expected = model.log_likelihood(images, 2, seed=0)
    np.testing.assert_allclose(mixed.log_likelihood(images, 2, seed=0), expected, rtol=0.01)


def test_kl_weight_scales_the_kl_term():
    model = VAE(**SMALL, kl_weight=3.0, seed=0)
    model.compile()
    result = model.evaluate(binary_images(16), verbose=0, return_dict=True)
    assert result["loss"] == pytest.approx(result["reconstruction"] + 3 * result["kl"], rel=1e-5)


def test_a_learned_scale_reaches_the_noise_of_the_data():
    # The decoder can only give a constant, so the best scale is the data's standard deviation.
    encoder, decoder = dense_networks()
    encoder.trainable = False
    decoder.layers[1].trainable = False
    decoder.set_weights([np.zeros((2, 4)), np.zeros(4)])
    model = VAE((2, 2, 1), 2, "gaussian", encoder=encoder, decoder=decoder)
    x = np.clip(0.2 * np.random.default_rng(0).standard_normal((256, 2, 2, 1)), -1, 1)
    model.compile(keras.optimizers.Adam(0.05))
    model.fit(np.tile(x.astype("float32"), (200, 1, 1, 1)), batch_size=256, verbose=0)
    assert float(np.exp(numpy(model.log_scale.value))) == pytest.approx(x.std(), rel=0.03)


def test_a_fixed_scale_is_not_a_weight():
    learned, fixed = (VAE(**SMALL, likelihood="gaussian", scale=scale) for scale in (None, 0.3))
    assert len(learned.weights) == len(fixed.weights) + 1
    assert fixed.log_scale == pytest.approx(np.log(0.3))


def test_generate_encode_decode_and_reconstruct():
    model = VAE(**SMALL)
    images = binary_images(5)
    samples = model.generate(5, seed=3, batch_size=2)
    assert samples.shape == (5, 9, 7, 1) and samples.dtype == np.uint8
    np.testing.assert_array_equal(samples, model.generate(5, seed=3, batch_size=2))

    mean, log_variance = model.encode(images, batch_size=2)
    assert mean.shape == log_variance.shape == (5, 3)
    reconstructions = numpy(model(images))
    np.testing.assert_allclose(reconstructions, model.decode(mean, batch_size=3), atol=1e-5)
    assert np.abs(reconstructions).max() <= 1
    np.testing.assert_allclose(
        numpy(model(images / np.float32(127.5) - 1)), reconstructions, atol=1e-5
    )

    latents = model.encode(images, sample=True, seed=0)
    noise = numpy(keras.random.normal((5, 3), seed=keras.random.SeedGenerator(0)))
    np.testing.assert_allclose(latents, mean + np.exp(0.5 * log_variance) * noise, atol=1e-5)


def test_networks_of_odd_sizes_and_several_channels_fit():
    model = VAE((11, 6, 3), 2, widths=(4, 4, 4), dense_width=8)
    assert model.generate(2, seed=0).shape == (2, 11, 6, 3)


@pytest.mark.once
@pytest.mark.parametrize("own_networks", [False, True])
def test_saved_models_give_equal_outputs(own_networks, tmp_path):
    if own_networks:
        encoder, decoder = dense_networks()
        model = VAE((2, 2, 1), 2, "gaussian", 0.5, encoder=encoder, decoder=decoder, seed=1)
        images = np.random.default_rng(0).integers(0, 256, (8, 2, 2, 1), "uint8")
    else:
        model = VAE(**SMALL, likelihood="discretized_logistic", seed=1)
        images = binary_images(8)
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(images, batch_size=4, epochs=2, verbose=0)
    expected, score = numpy(model(images)), model.log_likelihood(images, 3, seed=0)

    model.save(tmp_path / "m.keras")
    model.save_to_preset(tmp_path / "preset")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    for copy in (loaded, VAE.from_preset(tmp_path / "preset")):
        for name in ("likelihood", "scale", "latent_dim", "widths", "seed", "name"):
            assert copy.get_config()[name] == model.get_config()[name]
        np.testing.assert_allclose(numpy(copy(images)), expected, atol=1e-6)
        np.testing.assert_allclose(copy.log_likelihood(images, 3, seed=0), score, rtol=1e-5)
    for mine, theirs in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_allclose(numpy(theirs), numpy(mine), atol=1e-7)


def test_two_outputs_are_the_mean_and_the_log_variance():
    images = keras.Input((2, 2, 1))
    flat = keras.layers.Flatten()(images)
    encoder = keras.Model(images, [keras.layers.Dense(2)(flat), keras.layers.Dense(2)(flat)])
    model = VAE((2, 2, 1), 2, encoder=encoder, decoder=dense_networks()[1])
    x = np.zeros((3, 2, 2, 1), "uint8")
    expected = encoder(np.full((3, 2, 2, 1), -1.0, "float32"))
    for got, wanted in zip(model.encode(x), expected, strict=True):
        np.testing.assert_allclose(got, numpy(wanted), atol=1e-6)


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"likelihood": "poisson"}, "'poisson'"),
        ({"kl_weight": -1.0}, "-1.0"),
        ({"likelihood": "gaussian", "scale": 0.0}, "scale=0.0"),
        ({"likelihood": "bernoulli", "scale": 1.0}, "scale=1.0"),
        ({"image_shape": (28, 28)}, r"\(28, 28\)"),
        ({"latent_dim": 0}, "latent_dim.*0"),
        ({"widths": (0,)}, "widths.*0"),
        ({"widths": ()}, r"widths.*\(\)"),
        ({"latent_dim": 3}, r"\(None, 6\).*\(None, 4\)"),  # the encoder gives 2 * 2
        ({"image_shape": (4, 4, 1)}, r"encoder.*\(None, 4, 4, 1\)"),
        ({"encoder": "resnet"}, "encoder.*'resnet'"),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments, message):
    encoder, decoder = dense_networks()
    given = {"image_shape": (2, 2, 1), "latent_dim": 2, "encoder": encoder, "decoder": decoder}
    with pytest.raises(ValueError, match=message):
        VAE(**{**given, **arguments})


@pytest.mark.once
def test_a_decoder_of_another_image_size_is_named():
    encoder, _ = dense_networks()
    latents = keras.Input((2,))
    decoder = keras.Model(latents, keras.layers.Dense(4)(latents))
    with pytest.raises(ValueError, match=r"\(None, 2, 2, 1\).*\(None, 4\)"):
        VAE((2, 2, 1), 2, encoder=encoder, decoder=decoder)


@pytest.mark.once
def test_data_that_do_not_fit_are_named():
    model = VAE(**SMALL)
    images = binary_images(2)
    with pytest.raises(ValueError, match=r"\(2, 8, 7, 1\)"):
        model.log_likelihood(images[:, 1:])
    with pytest.raises(ValueError, match="255"):
        model.encode(images.astype("float32"))
    with pytest.raises(ValueError, match=r"\(n, 3\).*\(2, 4\)"):
        model.decode(np.zeros((2, 4)))
    with pytest.raises(ValueError, match=r"\(0, 9, 7, 1\)"):
        model.encode(images[:0])
    with pytest.raises(ValueError, match="num_samples.*0"):
        model.log_likelihood(images, num_samples=0)
    with pytest.raises(ValueError, match="batch_size.*-1"):
        model.encode(images, batch_size=-1)
