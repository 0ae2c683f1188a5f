"""The VAE's options: classes, networks, likelihoods, flows; saving; what it says about its data."""

import warnings

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo import VAE
from tests.once import once_but

SMALL = {"image_shape": (9, 7, 1), "latent_dim": 2, "widths": (3,), "dense_width": 4, "seed": 0}
BINARY = np.random.default_rng(0).integers(0, 2, (24, 9, 7, 1), dtype="uint8") * 255
GREY = np.random.default_rng(1).integers(0, 256, (24, 9, 7, 1), dtype="uint8")
LABELS = np.arange(24) % 3


def numpy(x):
    return ops.convert_to_numpy(x)


OPTIONS = {
    "full": {"posterior": "full_covariance"},
    "planar": {"posterior": "planar"},
    "coupling": {"posterior": kzoo.posteriors.CouplingFlow(2, 4, 3)},
    "iaf": {"posterior": kzoo.posteriors.InverseAutoregressiveFlow(2, 4, 3)},
    "warmup": {"kl_warmup": 4, "free_bits": 0.1},
    "iwae": {"num_importance_samples": 3},
    "classes": {"num_classes": 3},
    "fully_connected": {"networks": "fully_connected"},
    "residual": {"networks": "residual", "widths": (3, 4), "num_blocks": 2},
    "mixture": {"likelihood": "discretized_logistic_mixture", "num_mixtures": 2},
}


@pytest.mark.parametrize("name", once_but(["planar", "iaf", "iwae", "classes", "mixture"], OPTIONS))
def test_every_option_trains_and_is_saved(name, tmp_path):
    options = OPTIONS[name]
    model = VAE(**{**SMALL, **options})
    model.compile(keras.optimizers.Adam(1e-2))
    data = (BINARY, LABELS) if name == "classes" else (BINARY, None)
    history = model.fit(*data, batch_size=8, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    given = {"labels": LABELS} if name == "classes" else {}
    expected = model.log_likelihood(BINARY, 3, seed=0, **given)
    samples = model.generate(4, seed=1)

    model.save(tmp_path / "m.keras")
    model.save_to_preset(tmp_path / "preset")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert loaded.get_config() == model.get_config()
    copy = VAE.from_preset(tmp_path / "preset")
    assert copy.get_config() == model.get_config()
    np.testing.assert_array_equal(copy.generate(4, seed=1), samples)
    scores = loaded.log_likelihood(BINARY, 3, seed=0, **given)
    np.testing.assert_allclose(scores, expected, rtol=1e-4)
    for mine, theirs in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_allclose(numpy(theirs), numpy(mine), atol=1e-6)
    if name in ("full", "classes"):
        assert np.isfinite(loaded.fit(*data, epochs=1, verbose=0).history["loss"]).all()


@pytest.mark.once
def test_labels_decide_what_is_drawn():
    """One colour per class: a conditional VAE without use of z learns it."""
    images = np.repeat(np.array([0, 128, 255], "uint8")[LABELS], 63).reshape(24, 9, 7, 1)
    model = VAE(**{**SMALL, "networks": "fully_connected", "widths": (16,)}, num_classes=3)
    model.compile(keras.optimizers.Adam(3e-2))
    model.fit(np.tile(images, (20, 1, 1, 1)), np.tile(LABELS, 20), epochs=6, verbose=0)
    drawn = model.generate(9, seed=0, labels=[0] * 3 + [1] * 3 + [2] * 3, batch_size=4)
    means = drawn.reshape(9, -1).mean(axis=1)
    np.testing.assert_allclose(means, np.repeat([0, 128, 255], 3), atol=25)
    in_turn = model.generate(3, seed=0)
    np.testing.assert_array_equal(in_turn, model.generate(3, seed=0, labels=[0, 1, 2]))
    one = model.generate(2, seed=0, labels=1)
    assert one.mean() == pytest.approx(128, abs=25)
    z, _ = model.encode(images[:3], labels=LABELS[:3])
    decoded = model.decode(z, labels=LABELS[:3])
    again = numpy(model(images[:3], labels=ops.convert_to_tensor(LABELS[:3].astype("int32"))))
    np.testing.assert_allclose(decoded, again, atol=1e-5)


@pytest.mark.once
def test_labels_that_do_not_fit_are_named():
    model = VAE(**SMALL, num_classes=3)
    model.compile()
    with pytest.raises(ValueError, match="got no labels"):
        model.evaluate(BINARY, verbose=0)
    with pytest.raises(ValueError, match="needs labels"):
        model.log_likelihood(BINARY)
    with pytest.raises(ValueError, match=r"0..2, got values from 3 to 3"):
        model.generate(2, labels=3)
    with pytest.raises(ValueError, match="takes no labels"):
        VAE(**SMALL).encode(BINARY, labels=LABELS)


def test_mixture_of_colours_is_a_distribution_of_grey_levels():
    """Its probabilities over all 256 values of a channel sum to 1."""
    model = VAE((1, 1, 3), 2, "discretized_logistic_mixture", widths=(3,), num_mixtures=2, seed=0)
    z = keras.random.normal((1, 2), seed=0)
    parameters = model.pixel_parameters(z)
    assert tuple(parameters.shape) == (1, 1, 1, 2 * (1 + 6 + 3))
    x = np.zeros((256, 1, 1, 3), "float32")
    x[..., 0] = np.linspace(-1, 1, 256)[:, None, None]
    total = 0.0
    for green in np.linspace(-1, 1, 256)[::5]:
        x[..., 1] = green
        log_p = numpy(model.conditional_log_likelihood(ops.convert_to_tensor(x), parameters))
        assert (log_p < 0).all()
        total += np.exp(log_p).sum()
    assert 0 < total < 1  # a part of all colours
    image = numpy(model.mean_images(z))
    assert image.shape == (1, 1, 1, 3) and np.abs(image).max() <= 1


def test_bits_per_dimension_are_the_nats():
    model = VAE(**SMALL)
    nats = model.log_likelihood(BINARY, 4, seed=0)
    bits = model.log_likelihood(BINARY, 4, seed=0, unit="bits/dim")
    np.testing.assert_allclose(bits, nats / (63 * np.log(2)), rtol=1e-6)
    with pytest.raises(ValueError, match="'bits'"):
        model.log_likelihood(BINARY, unit="bits")


def test_active_units_and_kl_per_dimension():
    """An encoder whose first latent is the mean pixel, and whose second is always the prior."""
    images = keras.Input((9, 7, 1))
    dense = keras.layers.Dense(4)
    encoder = keras.Model(images, dense(keras.layers.Flatten()(images)))
    model = VAE(**SMALL, encoder=encoder)
    weight = np.zeros((63, 4))
    weight[:, 0] = 1 / 9
    dense.set_weights([weight, np.array([0, 0, -2.0, 0])])
    x = GREY / 127.5 - 1
    mean = x.reshape(24, 63).sum(axis=1) / 9
    assert mean.var() > 0.01
    np.testing.assert_array_equal(model.active_units(GREY), [True, False])
    assert not model.active_units(GREY, threshold=2 * mean.var()).any()
    first = 0.5 * (np.exp(-2.0) + mean**2 - 1 + 2).mean()
    np.testing.assert_allclose(model.kl_per_dimension(GREY), [first, 0.0], atol=1e-4)


@pytest.mark.once
def test_moments_of_a_flow_are_estimated():
    model = VAE(**SMALL, posterior=kzoo.posteriors.InverseAutoregressiveFlow(2, 4, 3))
    mean, log_variance = model.encode(BINARY, seed=0, num_samples=2_000)
    draws = np.stack([model.encode(BINARY, sample=True, seed=s) for s in range(200)])
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=0.35)
    np.testing.assert_allclose(draws.var(axis=0).mean(), np.exp(log_variance).mean(), rtol=0.1)
    assert model.kl_per_dimension(BINARY, seed=0).shape == (2,)


@pytest.mark.once
def test_posterior_collapse_is_explained():
    model = VAE(**SMALL, kl_weight=100.0)
    model.compile(keras.optimizers.Adam(3e-2))
    with pytest.warns(UserWarning, match="Posterior collapse: after epoch .* KL term .*free_bits"):
        callback = kzoo.callbacks.PosteriorCollapse()
        model.fit(np.tile(BINARY, (20, 1, 1, 1)), epochs=3, verbose=0, callbacks=[callback])
    with pytest.warns(UserWarning, match="none of the 2 latent dimensions is active"):
        callback = kzoo.callbacks.PosteriorCollapse(BINARY, min_kl=1e-9)
        model.fit(BINARY, epochs=1, verbose=0, callbacks=[callback])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        healthy = VAE(**SMALL, kl_weight=0.0)
        healthy.compile(keras.optimizers.Adam(3e-2))
        callback = kzoo.callbacks.PosteriorCollapse(BINARY)
        healthy.fit(np.tile(BINARY, (8, 1, 1, 1)), epochs=1, verbose=0, callbacks=[callback])
    with pytest.raises(ValueError, match="needs a kzoo.VAE, got a GAN"):
        kzoo.callbacks.PosteriorCollapse().set_model(kzoo.GAN((8, 8, 1), 2, width=2))


@pytest.mark.once
@pytest.mark.parametrize(
    ("likelihood", "images", "message"),
    [
        ("bernoulli", BINARY // 255, "only 0 and 1"),
        ("bernoulli", BINARY / 255.0, r"from 0 to 1, expected \[-1, 1\]"),
        ("bernoulli", GREY, "cross-entropies"),
        ("gaussian", BINARY, "grows without bound"),
        ("discretized_logistic", 0.99 * (GREY / 127.5 - 1), "values between them"),
        ("gaussian", np.zeros((4, 9, 7, 1), "uint8"), "all pixels"),
        ("bernoulli", BINARY, None),
        ("bernoulli", BINARY / 127.5 - 1, None),
        ("gaussian", GREY, None),
        ("discretized_logistic", GREY / 127.5 - 1, None),
        ("discretized_logistic_mixture", GREY, None),
    ],
)
def test_data_that_do_not_go_with_the_likelihood_are_explained(likelihood, images, message):
    model = VAE(**SMALL, likelihood=likelihood)
    found = model.data_problems(images)
    assert len(found) == (message is not None)
    if message:
        with pytest.warns(UserWarning, match=message):
            model.compile(keras.optimizers.SGD(0.0))
            images = images if images.dtype == np.uint8 else images.astype("float32")
            model.fit(images, verbose=0)


@pytest.mark.once
@pytest.mark.parametrize("model_class", [VAE, kzoo.LadderVAE])
def test_batches_of_tf_data_that_do_not_go_with_the_likelihood_are_explained_once(model_class):
    tf = pytest.importorskip("tensorflow")
    ladder = {"image_shape": (9, 7, 1), "latent_dims": (2,), "widths": (4,)}
    options = SMALL if model_class is VAE else ladder
    model = model_class(**options)
    model.compile(keras.optimizers.SGD(0.0))
    data = tf.data.Dataset.from_tensor_slices(GREY).batch(8)
    with pytest.warns(UserWarning) as record:
        model.fit(data, epochs=2, verbose=0)
    assert len([w for w in record if "cross-entropies" in str(w.message)]) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.fit(tf.data.Dataset.from_tensor_slices((BINARY, LABELS)).batch(8), verbose=0)


@pytest.mark.once
@pytest.mark.parametrize("model_class", [VAE, kzoo.LadderVAE])
def test_likelihoods_of_grey_values_are_answered_by_a_warning(model_class):
    ladder = {"image_shape": (9, 7, 1), "latent_dims": (2,), "widths": (4,)}
    options = SMALL if model_class is VAE else ladder
    with pytest.warns(UserWarning, match="grey values, .* not likelihoods") as record:
        model_class(**options).log_likelihood(GREY, num_samples=1)
    assert [w.filename for w in record if "grey values" in str(w.message)] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model_class(**options).log_likelihood(BINARY, num_samples=1)
