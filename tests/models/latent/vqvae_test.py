import keras
import numpy as np
import pytest
from keras import ops

from kzoo import VQVAE, GatedPixelCNN, backend
from kzoo.models.latent.vqvae import codes as code_images
from tests.once import once

SMALL = {
    "image_shape": (8, 12, 3),
    "num_codes": 4,
    "code_dim": 3,
    "width": 8,
    "blocks": 1,
    "seed": 0,
}
SHAPE = (2, 3)  # of the maps of codes


def prior(channels=1, levels=4, size=SHAPE, **options):
    options = {"filters": 8, "num_layers": 1, "head_filters": 8, **options}
    return GatedPixelCNN(image_shape=(*size, channels), levels=levels, **options)


def coloured_images(count, seed=0):
    """Images of one colour each, of four."""
    rng = np.random.default_rng(seed)
    colours = np.array([[250, 10, 10], [10, 240, 20], [20, 20, 230], [200, 200, 200]], "uint8")
    labels = rng.integers(0, 4, count)
    return np.broadcast_to(colours[labels][:, None, None], (count, 8, 12, 3)).copy(), labels


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.fixture(scope="module")
def trained():
    """`(model, images, labels, history)` of a model with codes in order, and an untrained prior."""
    keras.utils.set_random_seed(0)
    images, labels = coloured_images(64)
    arguments = {**SMALL, "num_codes": 16, "width": 16, "commitment_cost": 0.02, "decay": 0.9}
    model = VQVAE(**arguments, prior=prior(2, 4, num_classes=4))
    model.compile(keras.optimizers.Adam(1e-2))
    history = model.fit(images, batch_size=8, epochs=20, shuffle=False, verbose=0).history
    model.order_codes()
    return model, images, labels, history


def test_the_loss_is_reconstruction_plus_weighted_commitment():
    model = VQVAE(**SMALL, commitment_cost=0.7, pixel_variance=0.5)
    images, _ = coloured_images(16)
    model.compile()
    result = model.evaluate(images, batch_size=16, verbose=0, return_dict=True)
    x = images / np.float32(127.5) - 1
    encoded = numpy(model.encoder(x))
    codebook = numpy(model.quantizer.codebook.value)
    distances = ((encoded[..., None, :] - codebook) ** 2).sum(axis=-1)
    quantized = codebook[distances.argmin(axis=-1)]
    squared = np.mean((numpy(model.decoder(quantized)) - x) ** 2)
    assert result["reconstruction"] == pytest.approx(squared / 0.5, rel=1e-4)
    assert result["commitment"] == pytest.approx(np.mean((encoded - quantized) ** 2), rel=1e-4)
    expected = result["reconstruction"] + 0.7 * result["commitment"]
    assert result["loss"] == pytest.approx(expected, rel=1e-5)
    frequency = np.bincount(distances.argmin(axis=-1).ravel(), minlength=4) / distances[..., 0].size
    used = frequency[frequency > 0]
    assert result["perplexity"] == pytest.approx(np.exp(-np.sum(used * np.log(used))), rel=1e-4)


def test_fit_lowers_the_loss_and_moves_encoder_decoder_and_codebook(trained):
    model, images, _, history = trained
    assert history["reconstruction"][-1] < 0.6 * history["reconstruction"][0]
    before = VQVAE.from_config({**model.get_config(), "prior": None})
    for name in ("encoder", "quantizer", "decoder"):
        weights = [getattr(m, name).get_weights() for m in (before, model)]
        assert all(np.any(old != new) for old, new in zip(*weights, strict=True))
    codes = model.encode_to_codes(images, batch_size=20)
    assert codes.shape == (64, *SHAPE) and codes.dtype == np.int32
    images_again = model.decode_codes(codes, batch_size=20)
    assert images_again.dtype == np.uint8 and images_again.shape == images.shape
    expected = (numpy(model(images)) + 1) * 127.5
    np.testing.assert_allclose(images_again, expected, atol=0.51)


def test_ordering_renumbers_the_codes_and_changes_no_image():
    model, images = VQVAE(**SMALL), coloured_images(64)[0]
    before, codes = numpy(model(images)), model.encode_to_codes(images)
    codebook = numpy(model.quantizer.codebook.value)
    model.order_codes()
    ordered = numpy(model.quantizer.codebook.value)
    np.testing.assert_array_equal(np.sort(ordered, axis=0), np.sort(codebook, axis=0))
    np.testing.assert_allclose(numpy(model(images)), before, atol=1e-6)
    np.testing.assert_allclose(ordered[model.encode_to_codes(images)], codebook[codes], atol=1e-6)


def test_codes_are_ordered_by_bisection():
    line = np.array([[3.0, 0.1], [0.0, 0.0], [2.0, -0.1], [1.0, 0.0]])
    order = code_images.bisection_order(line)
    assert order.tolist() in ([1, 3, 2, 0], [0, 2, 3, 1])
    rng = np.random.default_rng(0)
    clusters = np.repeat([[0, 0], [9, 0]], 8, axis=0) + rng.standard_normal((16, 2))
    order = code_images.bisection_order(clusters[rng.permutation(16)])
    assert sorted(order) == list(range(16))


@pytest.mark.parametrize("channels, levels", [(1, 16), (2, 4), (4, 2)])
def test_codes_survive_the_prior_s_images(channels, levels):
    pixel_model = prior(channels, levels)
    codes = np.arange(18).reshape(3, *SHAPE) % 16
    images = code_images.to_images(pixel_model, codes)
    assert images.shape == (3, *SHAPE, channels) and images.dtype == np.uint8
    np.testing.assert_array_equal(code_images.from_images(pixel_model, images), codes)
    digits = numpy(pixel_model.to_levels(ops.convert_to_tensor(images)))
    assert digits[0, 0, 1].tolist() == [0] * (channels - 1) + [1]  # the last digit counts ones


def test_all_of_256_codes_survive_a_prior_of_256_levels():
    pixel_model = prior(1, 256, (16, 16))
    codes = np.arange(256).reshape(1, 16, 16)
    images = code_images.to_images(pixel_model, codes)
    np.testing.assert_array_equal(code_images.from_images(pixel_model, images), codes)


def test_generate_draws_codes_from_the_prior_and_decodes_them(trained):
    model, images, labels, _ = trained
    weights = model.prior.get_weights()
    model.prior.compile(keras.optimizers.Adam(3e-2))
    history = model.fit_prior(images, labels, batch_size=16, epochs=15, verbose=0).history
    assert history["nll"][-1] < 0.5 * history["nll"][0]
    assert any(np.any(a != b) for a, b in zip(weights, model.prior.get_weights(), strict=True))
    held_out = model.fit_prior(
        images, labels, verbose=0, validation_data=coloured_images(8, seed=1)
    ).history
    assert "val_nll" in held_out

    samples = model.generate(8, seed=3, labels=np.arange(8) % 4)
    assert samples.shape == (8, 8, 12, 3) and samples.dtype == np.uint8
    np.testing.assert_array_equal(samples, model.generate(8, seed=3, batch_size=3))
    # Every class has a colour, which its samples have; the codebook may hold one for two classes.
    decoded = model.decode_codes(model.encode_to_codes(images)).astype("float64")
    means = np.stack([decoded[labels == label].mean(axis=(0, 1, 2)) for label in range(4)])
    assert np.ptp(means, axis=0).max() > 50
    colours = samples.astype("float64").mean(axis=(1, 2))
    distances = np.sqrt(((colours[:, None] - means) ** 2).sum(axis=-1))
    own = distances[np.arange(8), np.arange(8) % 4]
    assert np.mean(own < distances.min(axis=1) + 5) > 0.5  # by chance: a quarter
    codes = code_images.from_images(model.prior, model.prior.generate(8, seed=3))
    np.testing.assert_array_equal(samples, model.decode_codes(codes))


@pytest.mark.once
def test_fit_leaves_the_prior_alone():
    model = VQVAE(**SMALL, prior=prior())
    before = model.prior.get_weights()
    model.compile()
    model.fit(coloured_images(16)[0], verbose=0)
    for old, new in zip(before, model.prior.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("with_prior", [once(False), True])
def test_saved_models_give_equal_outputs(with_prior, tmp_path):
    images, _ = coloured_images(16)
    model = VQVAE(**SMALL, prior=prior() if with_prior else None)
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(images, batch_size=8, epochs=2, verbose=0)
    if with_prior:
        model.fit_prior(images, verbose=0)
    model.save(tmp_path / "m.keras")
    model.save_to_preset(tmp_path / "preset")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    for copy in (loaded, VQVAE.from_preset(tmp_path / "preset")):
        np.testing.assert_allclose(numpy(copy(images)), numpy(model(images)), atol=1e-6)
        np.testing.assert_array_equal(copy.encode_to_codes(images), model.encode_to_codes(images))
        for mine, theirs in zip(model.quantizer.weights, copy.quantizer.weights, strict=True):
            np.testing.assert_allclose(numpy(theirs.value), numpy(mine.value))
        if with_prior:
            np.testing.assert_array_equal(copy.generate(4, seed=0), model.generate(4, seed=0))
    for mine, theirs in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_allclose(numpy(theirs), numpy(mine), atol=1e-7)


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_codes": 0}, "num_codes.*0"),
        ({"commitment_cost": -1.0}, "commitment_cost.*-1.0"),
        ({"decay": 1.5}, "decay.*1.5"),
        ({"pixel_variance": 0.0}, "pixel_variance.*0.0"),
        ({"downsamplings": 3}, "8x12.*3 times"),
        ({"prior": "pixelcnn"}, "pixel models.*'pixelcnn'"),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        VQVAE(**{**SMALL, **arguments})


@pytest.mark.once
def test_priors_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"2x3.*4 codes.*\(3, 2, 1\)"):
        VQVAE(**SMALL, prior=prior(size=(3, 2)))
    with pytest.raises(ValueError, match="4 codes.*levels=3"):
        VQVAE(**SMALL, prior=prior(levels=3))
    with pytest.raises(ValueError, match="context"):
        VQVAE(**SMALL, prior=prior(context_features=2))
    model = VQVAE(**SMALL)
    for call in (lambda: model.generate(1), lambda: model.fit_prior(coloured_images(2)[0])):
        with pytest.raises(ValueError, match=r"needs a prior.*\(2, 3, 1\), levels=4"):
            call()
    model.set_prior(prior())
    assert model.generate(1, seed=0).shape == (1, 8, 12, 3)


@pytest.mark.once
def test_data_that_do_not_fit_are_named():
    model = VQVAE(**SMALL)
    with pytest.raises(ValueError, match=r"\(2, 8, 8, 3\)"):
        model.encode_to_codes(np.zeros((2, 8, 8, 3), "uint8"))
    with pytest.raises(ValueError, match=r"\(n, 2, 3\).*\(1, 3, 2\)"):
        model.decode_codes(np.zeros((1, 3, 2), int))
    with pytest.raises(ValueError, match="0..3.*4"):
        model.decode_codes(np.full((1, 2, 3), 4))


def test_averages_of_the_optimizer_go_into_the_model_beside_a_prior():
    """Keras writes them into `trainable_weights` when `fit` ends, to which no prior may belong."""
    model = VQVAE(**SMALL, prior=prior())
    optimizer = keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.5)
    model.compile(optimizer)
    before = model.prior.get_weights()
    model.fit(coloured_images(16)[0], batch_size=8, verbose=0)
    averages = backend.weight_averages(optimizer)
    for weight, average in zip(model.trainable_variables, averages, strict=True):
        np.testing.assert_array_equal(numpy(weight.value), numpy(average.value))
    for a, b in zip(before, model.prior.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
