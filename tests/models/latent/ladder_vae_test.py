import keras
import numpy as np
import pytest
from keras import ops

from kzoo import LadderVAE, backend
from kzoo.models.latent.ladder_vae import gaussians
from tests.once import once

FULLY_CONNECTED = {
    "image_shape": (8, 8, 1),
    "latent_dims": (4, 3, 2),
    "widths": (16, 12, 8),
}
CONVOLUTIONAL = {
    "image_shape": (8, 8, 1),
    "networks": "convolutional",
    "latent_dims": (1, 2, 3),
    "widths": (6, 8, 8),
    "strides": (2, 1, 4),
    "batch_norm": False,
}
BOTH = pytest.mark.parametrize(
    "arguments", [FULLY_CONNECTED, CONVOLUTIONAL], ids=["fully_connected", "convolutional"]
)
FIRST = pytest.mark.parametrize(
    "arguments", [once(FULLY_CONNECTED), CONVOLUTIONAL], ids=["fully_connected", "convolutional"]
)


def binary_images(count, shape=(8, 8, 1), seed=0):
    """Black images with one white rectangle each."""
    rng = np.random.default_rng(seed)
    images = np.zeros((count, *shape), "uint8")
    for image in images:
        top, left = rng.integers(0, shape[0] // 2), rng.integers(0, shape[1] // 2)
        image[top : top + shape[0] // 2, left : left + shape[1] // 2] = 255
    return images


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def random_gaussian(rng, shape):
    return rng.standard_normal(shape), rng.uniform(0.3, 2.0, shape)


def tensors(pair):
    return tuple(ops.convert_to_tensor(a, "float32") for a in pair)


def log_density(z, gaussian):
    mean, variance = gaussian
    return -0.5 * ((z - mean) ** 2 / variance + np.log(2 * np.pi * variance))


def test_the_precision_weighted_combination_is_the_product_of_the_gaussians():
    a, b = (random_gaussian(np.random.default_rng(seed), (3, 4)) for seed in (0, 1))
    combined = tuple(map(numpy, gaussians.precision_weighted(tensors(a), tensors(b))))
    # a(z) b(z) / combined(z) does not depend on z.
    ratios = [
        log_density(z, a) + log_density(z, b) - log_density(z, combined) for z in (-1.0, 0.3, 2.0)
    ]
    np.testing.assert_allclose(ratios[1], ratios[0], atol=1e-5)
    np.testing.assert_allclose(ratios[2], ratios[0], atol=1e-5)


def test_the_kl_is_that_of_monte_carlo_and_its_integrand_the_log_ratio():
    rng = np.random.default_rng(0)
    q, p = random_gaussian(rng, (1, 2, 2)), random_gaussian(rng, (1, 2, 2))
    z = q[0] + np.sqrt(q[1]) * rng.standard_normal((200_000, 2, 2))
    samples = np.sum(log_density(z, q) - log_density(z, p), axis=(1, 2))
    expected = float(numpy(gaussians.kl(tensors(q), tensors(p)))[0])
    assert samples.mean() == pytest.approx(expected, abs=5 * samples.std() / 200_000**0.5)
    ratio = gaussians.log_ratio(ops.convert_to_tensor(z[:5], "float32"), tensors(p), tensors(q))
    np.testing.assert_allclose(numpy(ratio), -samples[:5], atol=1e-4)


def test_raw_moments_are_a_mean_and_the_softplus_of_a_variance():
    mean, variance = gaussians.from_raw(ops.convert_to_tensor([[1.0, -3.0, 0.0, 4.0]]))
    np.testing.assert_allclose(numpy(mean), [[1.0, -3.0]])
    np.testing.assert_allclose(numpy(variance), np.log1p(np.exp([[0.0, 4.0]])) + 1e-4, rtol=1e-5)


# A hierarchy whose likelihood is known --------------------------------------------------------


def linear(inputs, kernel, bias, variance=None, shape=None):
    """A network x -> x kernel + bias; with a variance, the raw moments of such a Gaussian."""
    x = features = keras.Input(inputs)
    if len(inputs) > 1:
        x = keras.layers.Flatten()(x)
    if variance is not None:
        kernel = np.concatenate([kernel, np.zeros_like(kernel)], axis=1)
        raw = np.log(np.expm1(variance - gaussians.MIN_VARIANCE))
        bias = np.concatenate([bias, np.broadcast_to(raw, np.shape(bias))])
    dense = keras.layers.Dense(kernel.shape[1])
    x = dense(x)
    dense.set_weights([kernel, bias])
    return keras.Model(features, x if shape is None else keras.layers.Reshape(shape)(x))


@pytest.fixture
def linear_gaussian():
    """p(z_3) = N(0, I), p(z_i | z_(i+1)) = N(z W_i + b_i, .3 I), p(x | z_1) = N(z_1 V + c, .25 I).

    The approximate likelihoods are those of least squares with too large a variance, so that the
    bound is not tight.
    """
    rng = np.random.default_rng(0)
    weights = [0.5 * rng.standard_normal(shape) for shape in ((2, 4), (2, 2), (1, 2))]
    biases = [0.1 * rng.standard_normal(size) for size in (4, 2, 2)]
    model = LadderVAE(
        (2, 2, 1), latent_dims=(2, 2, 1), widths=(2, 2, 1), likelihood="gaussian", scale=0.5, seed=0
    )
    identity = [linear((size,), np.eye(size), np.zeros(size)) for size in (4, 2, 2, 1)]
    model.down = [linear((2,), weights[0], biases[0], shape=(2, 2, 1)), *identity[2:]]
    model.prior = [
        linear((size,), weight, bias, variance=0.3)
        for size, weight, bias in zip((2, 1), weights[1:], biases[1:])
    ]
    inverses = [np.linalg.pinv(weight) for weight in weights]
    model.up = [
        linear((2, 2, 1), inverses[0], -biases[0] @ inverses[0]),
        *(linear((2,), v, -b @ v) for v, b in zip(inverses[1:], biases[1:])),
    ]
    extra = (0.2, 0.8, 2.0)
    variances = [0.25 * np.diag(np.linalg.inv(w @ w.T)) + e for w, e in zip(weights, extra)]
    model.inference = [
        linear((size,), np.eye(size), np.zeros(size), variance)
        for size, variance in zip((2, 2, 1), variances)
    ]

    mean, covariance = np.zeros(1), np.eye(1)
    for weight, bias, noise in zip(weights[::-1], biases[::-1], (0.3, 0.3, 0.25)):
        mean = mean @ weight + bias
        covariance = weight.T @ covariance @ weight + noise * np.eye(len(bias))
    x = rng.multivariate_normal(mean, 0.2 * covariance, size=8).clip(-1, 1)
    centred = x - mean
    log_px = -0.5 * (
        np.einsum("bi,ij,bj->b", centred, np.linalg.inv(covariance), centred)
        + np.linalg.slogdet(2 * np.pi * covariance)[1]
    )
    return model, x.reshape(8, 2, 2, 1).astype("float32"), log_px


def test_log_likelihood_of_a_linear_gaussian_hierarchy_is_the_closed_form(linear_gaussian):
    model, x, log_px = linear_gaussian
    estimate = model.log_likelihood(x, num_samples=100_000, batch_size=40_000, seed=0)
    assert estimate.shape == (8,) and estimate.dtype == np.float64
    np.testing.assert_allclose(estimate, log_px, atol=1e-2)
    bits = model.log_likelihood(x, 10, seed=0, unit="bits/dim")
    nats = model.log_likelihood(x, 10, seed=0)
    np.testing.assert_allclose(bits, nats / (4 * np.log(2)))


def test_the_elbo_and_more_importance_samples_rise_to_log_p(linear_gaussian):
    model, x, log_px = linear_gaussian
    x = np.repeat(x, 500, axis=0)
    model.compile()
    elbo = -model.evaluate(x, batch_size=4_000, verbose=0, return_dict=True)["loss"]
    one, five, fifty = (model.log_likelihood(x, k, 4_000, seed=0).mean() for k in (1, 5, 50))
    # The ELBO takes the KL divergences in closed form, log_likelihood the log ratios of samples.
    assert elbo == pytest.approx(one, abs=0.12)
    assert max(elbo, one) < five - 0.05 < fifty - 0.06 < log_px.mean()


@pytest.mark.parametrize("batch_size", [5, 3 * 8, 100])
def test_every_image_gets_as_many_samples_as_asked_for(linear_gaussian, batch_size):
    model, x, _ = linear_gaussian
    shapes = set()

    def weights(x, likelihoods, noise):  # of a proposal that is exact: all are 1
        repeats = len(noise) // len(x)
        shapes.add((len(x), repeats))
        assert noise.shape == (len(x) * repeats, model.latent_dim)
        return np.zeros((repeats, len(x)))

    model._log_weights = weights
    # 5 images at a time do not divide 8, nor do 3 samples at a time 7.
    np.testing.assert_allclose(
        model.log_likelihood(x, 7, batch_size, seed=1), np.zeros(8), atol=1e-12
    )
    assert len(shapes) == 1


def test_kls_reported_per_layer_are_those_of_monte_carlo(linear_gaussian):
    model, x, _ = linear_gaussian
    x = np.repeat(x, 500, axis=0)
    model.compile()
    reported = model.evaluate(x, batch_size=4_000, verbose=0, return_dict=True)
    noise = ops.convert_to_tensor(np.random.default_rng(0).standard_normal((4_000, 5)), "float32")
    likelihoods = model.upward_pass(ops.convert_to_tensor(x))
    _, ladder = model.downward_pass(model.split(noise), likelihoods)
    for i, (z, q, p) in enumerate(ladder, 1):
        samples = -numpy(gaussians.log_ratio(z, p, q))
        spread = 5 * float(samples.std()) / 4_000**0.5
        assert samples.mean() == pytest.approx(reported[f"kl_{i}"], abs=spread)
    parts = sum(reported[f"kl_{i}"] for i in (1, 2, 3))
    assert reported["kl"] == pytest.approx(parts, rel=1e-5)
    assert reported["loss"] == pytest.approx(reported["reconstruction"] + parts, rel=1e-4)


def test_a_collapsed_layer_is_visible_in_its_kl(linear_gaussian):
    model, x, _ = linear_gaussian
    model.compile()
    # An approximate likelihood that is nearly flat leaves the prior as it is.
    kernel, bias = model.inference[1].get_weights()
    model.inference[1].set_weights([kernel, np.where(np.arange(4) < 2, bias, 1e6)])
    collapsed = model.evaluate(x, verbose=0, return_dict=True)
    assert collapsed["kl_2"] == pytest.approx(0, abs=1e-4)
    assert min(collapsed["kl_1"], collapsed["kl_3"]) > 0.05


# Networks and training ------------------------------------------------------------------------


@BOTH
def test_gradients_of_the_bound_are_those_of_finite_differences(arguments):
    model = LadderVAE(**{**arguments, "batch_norm": False}, seed=0)
    x = ops.convert_to_tensor(binary_images(6).astype("float32") / 127.5 - 1)
    noise = model.split(keras.random.normal((6, model.latent_dim), seed=1))

    def loss():
        parameters, ladder = model.downward_pass(noise, model.upward_pass(x))
        kl = sum(ops.mean(gaussians.kl(q, p)) for _, q, p in ladder)
        return kl - ops.mean(model.conditional_log_likelihood(x, parameters))

    used = (model.inference[1], model.prior[1], model.down[1])
    for network in (*used, model):
        variables = network.trainable_variables
        _, gradients = backend.value_and_grad(loss, variables)
        # Along the gradient itself, whose length the derivative must be.
        gradients = [np.array(numpy(gradient)) for gradient in gradients]
        length = np.sqrt(sum(np.sum(gradient**2) for gradient in gradients))
        values = [np.array(numpy(variable.value)) for variable in variables]
        ends = []
        for sign in (1, -1, 0):
            for variable, value, gradient in zip(variables, values, gradients):
                variable.assign(value + sign * 3e-3 * gradient / length)
            ends.append(float(numpy(loss())))
        # The leaky ReLUs of the fully connected networks have kinks within the distance.
        assert length == pytest.approx((ends[0] - ends[1]) / 6e-3, rel=0.06, abs=2e-3)


@FIRST
def test_fit_lowers_the_loss(arguments):
    images = binary_images(128)
    model = LadderVAE(**arguments, seed=0)
    model.compile(keras.optimizers.Adam(1e-2))
    before = model.evaluate(images, verbose=0, return_dict=True)
    history = model.fit(images, batch_size=32, epochs=10, verbose=0).history
    after = model.evaluate(images, verbose=0, return_dict=True)
    assert set(history) == {"loss", "reconstruction", "kl", "kl_1", "kl_2", "kl_3"}
    assert after["loss"] < 0.8 * before["loss"]
    assert after["reconstruction"] < 0.8 * before["reconstruction"]


def test_warm_up_and_free_bits_change_the_training_loss_only():
    images = binary_images(32)
    model = LadderVAE(**CONVOLUTIONAL, kl_warmup=4, free_bits=2.0, seed=0)
    model.compile(keras.optimizers.SGD(0.0))
    for step in range(6):
        logs = model.fit(images, batch_size=32, verbose=0).history
        paid = sum(max(logs[f"kl_{i}"][0], 2.0) for i in (1, 2, 3))
        expected = logs["reconstruction"][0] + min(1.0, step / 4) * paid
        assert logs["loss"][0] == pytest.approx(expected, rel=1e-5)
    logs = model.evaluate(images, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(logs["reconstruction"] + logs["kl"], rel=1e-5)


@pytest.mark.once
def test_mixed_precision_keeps_the_losses_in_float32():
    images = binary_images(16)
    model, mixed = (
        LadderVAE(**CONVOLUTIONAL, seed=0, dtype=dtype) for dtype in (None, "mixed_bfloat16")
    )
    assert "bfloat16" in str(mixed.up[1].layers[-1].compute_dtype)
    mixed.compile()
    mixed.fit(images, epochs=1, verbose=0)
    model.set_weights(mixed.get_weights())
    np.testing.assert_allclose(numpy(mixed(images)), numpy(model(images)), atol=0.05)
    expected = model.log_likelihood(images, 2, seed=0)
    np.testing.assert_allclose(mixed.log_likelihood(images, 2, seed=0), expected, rtol=0.01)


# Using the model ------------------------------------------------------------------------------


@FIRST
def test_generate_encode_decode_and_reconstruct(arguments):
    model = LadderVAE(**arguments)
    images = binary_images(5)
    samples = model.generate(5, seed=3, batch_size=2)
    assert samples.shape == (5, 8, 8, 1) and samples.dtype == np.uint8
    np.testing.assert_array_equal(samples, model.generate(5, seed=3, batch_size=2))
    assert np.any(samples != model.generate(5, seed=4))

    latents = model.encode(images, batch_size=2)
    assert [z.shape[1:] for z in latents] == model.latent_shapes
    assert sum(z[0].size for z in latents) == model.latent_dim
    reconstructions = numpy(model(images))
    assert np.abs(reconstructions).max() <= 1
    np.testing.assert_allclose(model.decode(latents, batch_size=3), reconstructions, atol=1e-5)
    floats = images / np.float32(127.5) - 1
    np.testing.assert_allclose(numpy(model(floats)), reconstructions, atol=1e-5)

    drawn = model.encode(images, sample=True, seed=0)
    assert all(np.abs(a - b).max() > 0.01 for a, b in zip(drawn, latents))
    again = model.encode(images, sample=True, seed=0, batch_size=3)
    np.testing.assert_allclose(drawn[0], again[0], atol=1e-5)


@pytest.mark.once
def test_latents_of_every_layer_reach_the_image():
    model = LadderVAE(**CONVOLUTIONAL, seed=0)
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(binary_images(32), epochs=2, verbose=0)
    latents = model.encode(binary_images(1))
    image = model.decode(latents)
    for i, z in enumerate(latents):
        changed = [*latents]
        changed[i] = z + 1.0
        assert np.abs(model.decode(changed) - image).max() > 1e-5


@FIRST
def test_saved_models_give_equal_outputs_and_training_goes_on(arguments, tmp_path):
    images = binary_images(8)
    model = LadderVAE(**arguments, kl_warmup=10, free_bits=0.1, seed=1)
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(images, batch_size=4, epochs=2, verbose=0, shuffle=False)
    expected, score = numpy(model(images)), model.log_likelihood(images, 3, seed=0)
    model.save(tmp_path / "m.keras")
    model.save_to_preset(tmp_path / "preset")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    for copy in (loaded, LadderVAE.from_preset(tmp_path / "preset")):
        assert copy.get_config() == model.get_config()
        np.testing.assert_allclose(numpy(copy(images)), expected, atol=1e-6)
        np.testing.assert_allclose(copy.log_likelihood(images, 3, seed=0), score, rtol=1e-5)
    # Keras does not save the state of the generator. A copy of it: JAX donates it to the next step.
    loaded.seed_generator.state.assign(np.copy(numpy(model.seed_generator.state)))
    logs = [
        m.fit(images, batch_size=4, verbose=0, shuffle=False).history["loss"]
        for m in (model, loaded)
    ]
    np.testing.assert_allclose(logs[1], logs[0], rtol=1e-5)


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"networks": "dense"}, "'dense'"),
        ({"strides": (1, 1, 1)}, r"strides=\(1, 1, 1\).*'fully_connected'"),
        ({"networks": "convolutional"}, "strides=None.*'convolutional'"),
        ({"latent_dims": (4, 3)}, r"latent_dims=\(4, 3\), widths=\(16, 12, 8\)"),
        ({"latent_dims": (), "widths": ()}, r"latent_dims must be positive integers.*got \(\)"),
        ({"networks": "convolutional", "strides": (2, 3, 1)}, r"8x8.*4x4.*stride 3"),
        ({"latent_dims": (4, 0, 2)}, "latent_dims.*0"),
        ({"blocks": 0}, "blocks.*0"),
        ({"likelihood": "poisson"}, "'poisson'"),
        ({"scale": 0.1}, "scale=0.1"),
        ({"kl_warmup": -1}, "kl_warmup.*-1"),
        ({"free_bits": -0.5}, "free_bits.*-0.5"),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        LadderVAE(**{**FULLY_CONNECTED, **arguments})


@pytest.mark.once
def test_data_that_do_not_fit_are_named():
    model = LadderVAE(**FULLY_CONNECTED)
    images = binary_images(2)
    with pytest.raises(ValueError, match=r"\(2, 7, 8, 1\)"):
        model.log_likelihood(images[:, 1:])
    with pytest.raises(ValueError, match="255"):
        model.encode(images.astype("float32"))
    with pytest.raises(ValueError, match=r"\(2,\)\].*\(1, 4\)\]"):
        model.decode([np.zeros((1, 4))])
    with pytest.raises(ValueError, match=r"\(0, 8, 8, 1\)"):
        model.encode(images[:0])
    with pytest.raises(ValueError, match="num_samples.*0"):
        model.log_likelihood(images, num_samples=0)
    with pytest.raises(ValueError, match="'bits'"):
        model.log_likelihood(images, unit="bits")


def test_there_is_no_mixture_of_logistics():
    with pytest.raises(ValueError, match="has no mixture of logistics"):
        LadderVAE((8, 8, 3), likelihood="discretized_logistic_mixture")
