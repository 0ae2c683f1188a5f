import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo import Autoencoder
from kzoo.models.latent.autoencoder.penalties import jacobian_norm, kl_sparsity, layer_jacobian_norm
from tests.once import once

SMALL = {"image_shape": (9, 7, 1), "latent_dim": 3, "widths": (4,), "dense_width": 8, "seed": 0}
DENSE = {**SMALL, "encoder": "fully_connected", "decoder": "fully_connected"}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def images_of(count, shape=(9, 7, 1), seed=0):
    """Black images with one white rectangle each."""
    rng = np.random.default_rng(seed)
    images = np.zeros((count, *shape), "uint8")
    for image in images:
        top, left = rng.integers(0, shape[0] // 2), rng.integers(0, shape[1] // 2)
        image[top : top + shape[0] // 2, left : left + shape[1] // 2] = 255
    return images


def floats(count, shape=(9, 7, 1), seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, *shape)).astype("float32")


def networks(pixels=(2, 2, 1), latent_dim=2):
    """An encoder and a decoder of a user's own."""
    x = keras.Input(pixels)
    encoder = keras.Model(x, keras.layers.Dense(latent_dim)(keras.layers.Flatten()(x)))
    z = keras.Input((latent_dim,))
    decoder = keras.Model(
        z, keras.layers.Reshape(pixels)(keras.layers.Dense(int(np.prod(pixels)))(z))
    )
    return encoder, decoder


# The linear autoencoder and PCA ------------------------------------------------------------------


@pytest.mark.once
def test_the_linear_autoencoder_finds_the_principal_subspace():
    rng = np.random.default_rng(0)
    spread = np.array([0.35, 0.25, 0.08, 0.05, 0.03, 0.02])
    basis, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    offset = rng.uniform(-0.1, 0.1, 6)
    x = np.clip((rng.standard_normal((128, 6)) * spread) @ basis.T + offset, -1, 1)
    x = x.astype("float32")
    model = Autoencoder(
        (2, 3, 1), 2, "fully_connected", "fully_connected", widths=(), seed=0, name="linear"
    )
    rate = keras.optimizers.schedules.CosineDecay(0.03, 1000)
    model.compile(keras.optimizers.Adam(rate))
    images = np.tile(x.reshape(-1, 2, 3, 1), (1000, 1, 1, 1))  # full batches, one epoch
    model.fit(images, batch_size=128, shuffle=False, verbose=0)

    centred = x - x.mean(axis=0)
    _, singular, principal = np.linalg.svd(centred.astype("float64"), full_matrices=False)
    decoder = numpy(model.decoder.layers[1].kernel)  # (2, 6): what the codes span
    span, _ = np.linalg.qr(decoder.T.astype("float64"))
    cosines = np.linalg.svd(span.T @ principal[:2].T, compute_uv=False)
    assert np.degrees(np.arccos(np.clip(cosines.min(), -1, 1))) < 1.0  # principal angles
    best = np.sum(singular[2:] ** 2) / len(x)
    error = model.evaluate(x.reshape(-1, 2, 3, 1), verbose=0, return_dict=True)["reconstruction"]
    assert best <= error * (1 + 1e-4)  # PCA is the optimum
    assert error == pytest.approx(best, rel=1e-3)


# Penalties -----------------------------------------------------------------------------------


def finite_difference_jacobian(function, x, epsilon=1e-2):
    """J (b, d, n) of a function of images (b, h, w, c), by central differences."""
    flat = x.reshape(len(x), -1)
    columns = []
    for i in range(flat.shape[1]):
        shift = np.zeros_like(flat)
        shift[:, i] = epsilon
        ends = [numpy(function((flat + s * shift).reshape(x.shape))) for s in (1, -1)]
        columns.append((ends[0] - ends[1]) / (2 * epsilon))
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("activation", ["sigmoid", "linear", "tanh"])
def test_the_contractive_penalty_of_one_layer_is_that_of_finite_differences(activation):
    model = Autoencoder(
        **{**DENSE, "widths": ()}, penalty="contractive", penalty_weight=1.0,
        code_activation=activation,
    )  # fmt: skip
    x = floats(4)
    jacobian = finite_difference_jacobian(model.latents, x)
    expected = np.sum(jacobian**2, axis=(1, 2))
    np.testing.assert_allclose(
        numpy(model.contractive_penalty(ops.convert_to_tensor(x))), expected, rtol=2e-3
    )
    if activation == "sigmoid":  # the paper's form
        h, kernel = numpy(model.latents(x)), numpy(model.encoder.layers[-1].kernel)
        closed = ((h * (1 - h)) ** 2) @ np.sum(kernel**2, axis=0)
        np.testing.assert_allclose(
            numpy(model.contractive_penalty(ops.convert_to_tensor(x))), closed, rtol=1e-4
        )


def test_the_contractive_penalty_of_a_deep_encoder_is_unbiased():
    model = Autoencoder(**SMALL, penalty="contractive", penalty_weight=1.0, code_activation="tanh")
    x = floats(2)
    jacobian = finite_difference_jacobian(model.latents, x)
    expected = np.sum(jacobian**2, axis=(1, 2))
    repeated = ops.convert_to_tensor(np.repeat(x, 4000, axis=0))
    draws = numpy(model.contractive_penalty(repeated)).reshape(2, 4000)
    error = draws.std(axis=1) / np.sqrt(4000)
    assert (np.abs(draws.mean(axis=1) - expected) < 4 * error + 2e-3 * expected).all()
    assert draws.std(axis=1).min() > 0  # an estimate, not the closed form


def test_one_latent_needs_no_average():
    """With one unit the projection is +-1, and the estimate exact."""
    model = Autoencoder(**{**SMALL, "latent_dim": 1})
    x = floats(3)
    expected = np.sum(finite_difference_jacobian(model.latents, x) ** 2, axis=(1, 2))
    got = jacobian_norm(model.latents, ops.convert_to_tensor(x), 1, keras.random.SeedGenerator(0))
    np.testing.assert_allclose(numpy(got), expected, rtol=5e-3)


def test_gradients_of_the_contractive_penalty_are_those_of_finite_differences():
    layer = keras.layers.Dense(3, activation="sigmoid")
    layer.build((None, 4))
    layer.bias.assign([0.1, -0.2, 0.3])
    x = ops.convert_to_tensor(floats(5, (2, 2, 1)))

    def loss():
        return ops.mean(layer_jacobian_norm(layer, x))

    variables = [layer.kernel, layer.bias]
    _, gradients = kzoo.backend.value_and_grad(loss, variables)
    rng = np.random.default_rng(1)
    for variable, gradient in zip(variables, gradients, strict=True):
        value = numpy(variable.value)
        direction = rng.standard_normal(value.shape).astype("float32")
        ends = []
        for sign in (1, -1):
            variable.assign(value + sign * 1e-2 * direction)
            ends.append(float(numpy(loss())))
        variable.assign(value)
        expected = (ends[0] - ends[1]) / 2e-2
        assert np.sum(numpy(gradient) * direction) == pytest.approx(expected, rel=0.01, abs=1e-4)


def test_kl_sparsity_is_the_sum_of_bernoulli_divergences():
    code = ops.convert_to_tensor(np.float32([[0.1, 0.5], [0.3, 0.1]]))  # averages .2 and .3
    p, averages = 0.3, (0.2, 0.3)
    expected = sum(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)) for q in averages)
    assert float(numpy(kl_sparsity(code, p))) == pytest.approx(expected, rel=1e-5)
    assert np.isfinite(numpy(kl_sparsity(ops.zeros((2, 2)), p)))  # saturated units


@pytest.mark.parametrize(
    "options",
    [
        {"penalty": "kl", "sparsity": 0.1, "code_activation": "sigmoid"},
        once({"penalty": "l1"}),
        {"penalty": "contractive"},
    ],
    ids=lambda options: options["penalty"],
)
def test_a_penalty_shrinks_what_it_names(options):
    images = images_of(64)
    penalties = []
    for weight in (1e-6, 3.0):
        keras.utils.set_random_seed(0)
        model = Autoencoder(**DENSE, **options, penalty_weight=weight)
        model.compile(keras.optimizers.Adam(1e-2))
        model.fit(np.tile(images, (30, 1, 1, 1)), batch_size=64, verbose=0)
        result = model.evaluate(images, batch_size=64, verbose=0, return_dict=True)
        total = result["reconstruction"] + weight * result["penalty"]
        assert result["loss"] == pytest.approx(total, rel=1e-4)
        penalties.append(result["penalty"])
    assert penalties[1] < 0.5 * penalties[0]


# Corruption ------------------------------------------------------------------------------------


def test_masking_blackens_the_wanted_share_independently():
    model = Autoencoder(**SMALL, corruption="masking", corruption_level=0.3)
    x = ops.convert_to_tensor(np.full((1000, 9, 7, 1), 0.5, "float32"))
    corrupted = numpy(model.corrupt(x))
    assert set(np.unique(corrupted)) == {-1.0, 0.5}
    masked = corrupted == -1
    count = masked.size
    assert masked.mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / count))
    # Independent: the covariance of two neighbours is 0 up to its sampling error.
    pairs = masked[:, :, 1:] * 1.0 - 0.3, masked[:, :, :-1] * 1.0 - 0.3
    assert abs(np.mean(pairs[0] * pairs[1])) < 4 * 0.21 / np.sqrt(pairs[0].size)
    assert not np.array_equal(corrupted, numpy(model.corrupt(x)))  # drawn anew


def test_gaussian_corruption_has_its_moments():
    model = Autoencoder(**SMALL, corruption="gaussian", corruption_level=0.4)
    x = np.full((1000, 9, 7, 1), 0.25, "float32")
    noise = numpy(model.corrupt(ops.convert_to_tensor(x))) - x
    assert noise.mean() == pytest.approx(0, abs=4 * 0.4 / np.sqrt(noise.size))
    assert noise.std() == pytest.approx(0.4, rel=4 / np.sqrt(2 * noise.size))


def test_only_training_corrupts_and_the_target_is_clean():
    images = images_of(32)
    plain = Autoencoder(**DENSE)
    noisy = Autoencoder(**DENSE, corruption="masking", corruption_level=1.0)
    noisy.set_weights(plain.get_weights())
    for model in (plain, noisy):
        model.compile(keras.optimizers.SGD(0.0))
    scores = [m.evaluate(images, verbose=0, return_dict=True)["loss"] for m in (plain, noisy)]
    assert scores[0] == pytest.approx(scores[1], rel=1e-6)
    # With everything masked the encoder sees black images, and is judged on the true ones.
    seen = numpy(noisy(np.zeros_like(images)))
    parameters = noisy.pixel_parameters(noisy.latents(np.full(images.shape, -1.0, "float32")))
    expected = np.sum((images / 127.5 - 1 - numpy(parameters)) ** 2, axis=(1, 2, 3)).mean()
    assert noisy.fit(images, verbose=0).history["loss"][0] == pytest.approx(expected, rel=1e-4)
    assert seen.shape == images.shape


# Losses and use ----------------------------------------------------------------------------------


def test_losses_are_the_squared_error_and_the_cross_entropy():
    x, parameters = map(ops.convert_to_tensor, (floats(3), 3 * floats(3, seed=1)))
    l2, entropy = (Autoencoder(**SMALL, reconstruction_loss=n) for n in ("l2", "cross_entropy"))
    x_, parameters_ = (numpy(tensor).astype("float64") for tensor in (x, parameters))
    expected = np.sum((x_ - parameters_) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(numpy(l2.reconstruction_error(x, parameters)), expected, rtol=1e-4)
    target, p = (x_ + 1) / 2, 1 / (1 + np.exp(-parameters_))
    expected = -np.sum(target * np.log(p) + (1 - target) * np.log(1 - p), axis=(1, 2, 3))
    got = numpy(entropy.reconstruction_error(x, parameters))
    np.testing.assert_allclose(got, expected, rtol=1e-4)
    np.testing.assert_allclose(numpy(entropy.mean_image(parameters)), 2 * p - 1, atol=1e-5)
    assert np.abs(numpy(l2.mean_image(parameters))).max() == 1  # clipped


OPTIONS = [
    once({}),
    once(
        {"reconstruction_loss": "cross_entropy", "corruption": "masking", "corruption_level": 0.3}
    ),
    {"corruption": "gaussian", "corruption_level": 0.2, "penalty": "l1", "penalty_weight": 0.1},
    {"penalty": "contractive", "penalty_weight": 0.1, "code_activation": "sigmoid"},
    {
        "encoder": "fully_connected",
        "widths": (8,),
        "penalty": "kl",
        "penalty_weight": 1.0,
        "sparsity": 0.1,
        "code_activation": "sigmoid",
    },
    once({"encoder": "fully_connected", "decoder": "fully_connected", "widths": ()}),
]


@pytest.mark.parametrize("options", OPTIONS)
def test_learns_and_survives_saving(options, tmp_path):
    images = images_of(64)
    model = Autoencoder(**{**SMALL, **options})
    model.compile(keras.optimizers.Adam(1e-2))
    history = model.fit(np.tile(images, (6, 1, 1, 1)), batch_size=16, verbose=0).history
    assert set(history) == {"loss", "reconstruction", "penalty"}
    after = model.evaluate(images, batch_size=16, verbose=0, return_dict=True)
    assert after["reconstruction"] < 0.9 * history["reconstruction"][0]  # that of the whole epoch
    expected = numpy(model(images))
    model.save(tmp_path / "m.keras")
    model.save_to_preset(tmp_path / "preset")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    for copy in (loaded, Autoencoder.from_preset(tmp_path / "preset")):
        assert copy.get_config() == model.get_config()
        np.testing.assert_allclose(numpy(copy(images)), expected, atol=1e-6)
    assert model.optimizer.variables and len(model.optimizer.variables) == len(
        loaded.optimizer.variables
    )
    for mine, theirs in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_allclose(numpy(theirs), numpy(mine), atol=1e-7)


@pytest.mark.once
def test_own_networks_survive_saving(tmp_path):
    encoder, decoder = networks()
    model = Autoencoder((2, 2, 1), 2, encoder, decoder)
    images = images_of(8, (2, 2, 1))
    model.compile()
    model.fit(images, verbose=0)
    model.save(tmp_path / "m.keras")
    model.save_to_preset(tmp_path / "preset")
    for copy in (
        keras.saving.load_model(tmp_path / "m.keras"),
        Autoencoder.from_preset(tmp_path / "preset"),
    ):
        np.testing.assert_allclose(numpy(copy(images)), numpy(model(images)), atol=1e-6)


@pytest.mark.once
def test_every_argument_is_an_attribute_and_in_the_config():
    import inspect

    names = set(inspect.signature(Autoencoder.__init__).parameters) - {"self", "kwargs"}
    model = Autoencoder(**SMALL)
    assert names <= set(model.get_config()) and all(hasattr(model, name) for name in names)


def test_encode_decode_and_call():
    model = Autoencoder(**SMALL)
    images = images_of(5)
    codes = model.encode(images, batch_size=2)
    assert codes.shape == (5, 3) and codes.dtype == np.float32
    decoded = model.decode(codes, batch_size=3)
    assert decoded.shape == (5, 9, 7, 1) and np.abs(decoded).max() <= 1
    np.testing.assert_allclose(decoded, numpy(model(images)), atol=1e-5)
    scaled = images / np.float32(127.5) - 1
    np.testing.assert_allclose(model.encode(scaled), codes, atol=1e-5)


def test_there_is_nothing_to_draw_codes_from():
    assert not hasattr(Autoencoder(**SMALL), "generate")


def test_odd_sizes_and_colours_fit():
    model = Autoencoder((11, 6, 3), 2, widths=(4, 4, 4), dense_width=8)
    assert model.decode(np.zeros((1, 2))).shape == (1, 11, 6, 3)


@pytest.mark.once
def test_mixed_precision():
    model = Autoencoder(**SMALL, dtype="mixed_bfloat16", penalty="contractive", penalty_weight=0.1)
    model.compile()
    assert "bfloat16" in str(model.encoder.layers[1].compute_dtype)
    assert np.isfinite(model.fit(images_of(16), verbose=0).history["loss"]).all()
    assert model.encode(images_of(2)).dtype == np.float32


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"reconstruction_loss": "l3"}, "reconstruction_loss.*'l3'"),
        ({"corruption": "salt"}, "corruption.*'salt'"),
        ({"corruption": "masking"}, "corruption_level.*0"),
        ({"corruption_level": 0.1}, "without a corruption.*0.1"),
        ({"corruption": "masking", "corruption_level": 1.5}, "at most 1.*1.5"),
        ({"penalty": "l2"}, "penalty.*'l2'"),
        ({"penalty": "l1"}, "penalty_weight"),
        ({"penalty": "l1", "penalty_weight": -1.0}, "penalty_weight.*-1"),
        ({"penalty": "l1", "penalty_weight": 1.0, "sparsity": 0.1}, "sparsity.*0.1"),
        ({"penalty": "kl", "penalty_weight": 1.0, "sparsity": 0.1}, "sigmoid.*'linear'"),
        (
            {"penalty": "kl", "penalty_weight": 1.0, "sparsity": 2.0, "code_activation": "sigmoid"},
            "sparsity.*2.0",
        ),
        ({"encoder": "resnet"}, "encoder.*'resnet'"),
        ({"decoder": None}, "decoder.*None"),
        ({"widths": ()}, "widths.*()"),
        ({"widths": (0,)}, "widths.*0"),
        ({"latent_dim": 0}, "latent_dim.*0"),
        ({"encoder": networks()[0]}, "encoder"),
        ({"decoder": networks()[1]}, "decoder"),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Autoencoder(**{**SMALL, **arguments})


def test_data_that_do_not_fit_are_named():
    model = Autoencoder(**SMALL)
    images = images_of(2)
    with pytest.raises(ValueError, match=r"\(2, 8, 7, 1\)"):
        model.encode(images[:, 1:])
    with pytest.raises(ValueError, match="255"):
        model.encode(images.astype("float32"))
    with pytest.raises(ValueError, match=r"\(n, 3\).*\(2, 4\)"):
        model.decode(np.zeros((2, 4)))
    with pytest.raises(ValueError, match=r"\(0, 9, 7, 1\)"):
        model.encode(images[:0])
    with pytest.raises(ValueError, match="batch_size.*-1"):
        model.encode(images, batch_size=-1)
