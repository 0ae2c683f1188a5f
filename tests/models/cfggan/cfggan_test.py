"""xICFG against hand computations and a NumPy transcription of one stage."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo

RNG = np.random.RandomState(0)
IMAGES = RNG.randint(0, 256, (48, 8, 8, 1)).astype("uint8")


def numpy(x):
    return ops.convert_to_numpy(x)


def tensor(x):
    return ops.convert_to_tensor(x, "float32")


def linear_discriminator(weights, image_shape=(2, 2, 1)):
    """D(x) = <w, x>, so that grad D = w everywhere."""
    network = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1, use_bias=False)])
    network.build((None, *image_shape))
    network.layers[-1].kernel.assign(np.reshape(weights, (-1, 1)))
    return network


def dense_approximator(image_shape=(2, 2, 1), latent_dim=3):
    network = keras.Sequential(
        [
            keras.layers.Dense(int(np.prod(image_shape)), activation="tanh"),
            keras.layers.Reshape(image_shape),
        ]
    )
    network.build((None, latent_dim))
    return network


def toy(weights=(1.0, -2.0, 0.5, 0.0), **kwargs):
    arguments = {
        "num_steps": 3,
        "step_size": 0.25,
        "pool_size": 8,
        "batch_size": 4,
        "approximator_epochs": 2,
        **kwargs,
    }
    model = kzoo.CFGGAN(
        (2, 2, 1),
        3,
        discriminator=linear_discriminator(weights),
        approximator=dense_approximator(),
        **arguments,
    )
    model.compile()
    return model


def small(**kwargs):
    arguments = {"num_steps": 2, "batch_size": 8, "pool_size": 16, "approximator_epochs": 2}
    model = kzoo.CFGGAN((8, 8, 1), 4, width=4, **{**arguments, **kwargs})
    model.compile()
    return model


def test_one_functional_gradient_step_by_hand():
    """With D(x) = <w, x>: x + eta w."""
    model = toy()
    x = RNG.uniform(-1, 1, (4, 2, 2, 1)).astype("float32")
    expected = x + 0.25 * np.array([1.0, -2.0, 0.5, 0.0]).reshape(2, 2, 1)
    np.testing.assert_allclose(
        numpy(model.functional_gradient_step(tensor(x))), expected, atol=1e-6
    )


@pytest.mark.parametrize("scaling", ["minimax", "non_saturating"])
def test_scaling_is_the_gradient_of_the_gans_loss(scaling):
    """x + eta s(D(x)) grad D(x) = x - eta d/dx of the generator's loss per image, for linear D."""
    w = np.array([1.0, -2.0, 0.5, 0.0])
    model = toy(w, scaling=scaling)
    x = RNG.uniform(-1, 1, (4, 2, 2, 1)).astype("float32")
    logits = (x.reshape(4, 4) @ w).reshape(4, 1, 1, 1)
    slope = 1 / (1 + np.exp(-logits if scaling == "minimax" else logits))
    expected = x + 0.25 * slope * w.reshape(2, 2, 1)
    np.testing.assert_allclose(
        numpy(model.functional_gradient_step(tensor(x))), expected, atol=1e-6
    )
    model.store_snapshot(ops.convert_to_tensor(0, "int32"))
    zero = ops.convert_to_tensor(0, "int32")
    np.testing.assert_allclose(numpy(model.snapshot_step(tensor(x), zero)), expected, atol=1e-6)


@keras.saving.register_keras_serializable(package="tests")
def squared(logits):
    return ops.square(logits)


def test_scaling_by_a_function(tmp_path):
    w = np.array([1.0, -2.0, 0.5, 0.0])
    model = toy(w, scaling=squared)
    model.save(tmp_path / "model.keras")
    x = RNG.uniform(-1, 1, (4, 2, 2, 1)).astype("float32")
    expected = x + 0.25 * (x.reshape(4, 4) @ w).reshape(4, 1, 1, 1) ** 2 * w.reshape(2, 2, 1)
    for each in (model, keras.models.load_model(tmp_path / "model.keras")):
        step = each.functional_gradient_step(tensor(x))
        np.testing.assert_allclose(numpy(step), expected, atol=1e-6)


def cut_out(fixed_pool, **kwargs):
    """D(x) = <1, x>, so that a step moves pixels by eta = .25, but for a cutout of up to 4x4."""
    model = kzoo.CFGGAN(
        (8, 8, 1),
        3,
        augment="cutout",
        num_steps=3,
        step_size=0.25,
        pool_size=8,
        batch_size=4,
        approximator_epochs=1,
        fixed_pool=fixed_pool,
        discriminator=linear_discriminator(np.ones(64), (8, 8, 1)),
        approximator=dense_approximator((8, 8, 1)),
        **kwargs,
    )
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))  # D stays as it is
    model.fit(RNG.randint(0, 256, (12, 8, 8, 1)).astype("uint8"), verbose=0)
    return model


def check_cut_out(moved):
    """Every image (4, 8, 8, 1) moved by .25 but for 4 to 16 pixels, not the same in all."""
    kept = np.isclose(moved, 0.25, atol=1e-6)
    assert (kept | np.isclose(moved, 0.0, atol=1e-6)).all()
    cut = 64 - kept.sum(axis=(1, 2, 3))
    assert (cut >= 4).all() and (cut <= 16).all()
    assert len({image.tobytes() for image in kept}) > 1


@pytest.mark.parametrize("fixed_pool", [True, False])
def test_steps_go_through_the_augmentation(fixed_pool):
    """Through a random one in training; in sampling it depends on t and the image's place."""
    model = cut_out(fixed_pool)
    norm = dict(zip(model.loss_names, numpy(model.record)))["grad_norm"]  # root of pixels not cut
    assert np.sqrt(64 - 16) <= norm <= np.sqrt(64 - 4)
    x = tensor(RNG.uniform(-1, 1, (4, 8, 8, 1)))
    first, second = (numpy(model.functional_gradient_step(x, training=True) - x) for _ in range(2))
    check_cut_out(first)
    assert not np.allclose(first, second)

    z = RNG.randn(4, 3).astype("float32")
    images = [numpy(model.transform_noise(z, steps=t)) for t in range(4)]
    np.testing.assert_array_equal(images[3], numpy(model.transform_noise(z)))
    moves = np.diff(images, axis=0)
    for move in moves:
        check_cut_out(move)
    assert not np.allclose(moves[0], moves[1], atol=1e-3)


def test_steps_without_the_augmentation():
    model = cut_out(True, augmented_steps=False)
    z = RNG.randn(4, 3).astype("float32")
    moved = numpy(model.transform_noise(z)) - numpy(model.transform_noise(z, steps=0))
    np.testing.assert_allclose(moved, 0.75, atol=1e-5)


def test_every_step_has_its_size():
    """G_t = G_0 + eta_1 w + .. + eta_t w, in training and in sampling."""
    sizes = [0.5, 0.25, 0.125]
    w = np.array([1.0, -2.0, 0.5, 0.0])
    model = toy(w, step_size=sizes)
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))  # D stays as it is
    model.fit(RNG.randint(0, 256, (12, 2, 2, 1)).astype("uint8"), verbose=0)
    z = RNG.randn(4, 3).astype("float32")
    for t in range(4):
        moved = numpy(model.transform_noise(z, steps=t)) - numpy(model.transform_noise(z, steps=0))
        np.testing.assert_allclose(moved[0].ravel(), sum(sizes[:t]) * w, atol=1e-5)
    record = dict(zip(model.loss_names, numpy(model.record)))
    assert record["grad_norm"] == pytest.approx(np.linalg.norm(w), rel=1e-3)
    copy = kzoo.CFGGAN.from_config(model.get_config())
    assert copy.step_size == sizes


@pytest.mark.parametrize("fixed_pool", [True, False])
def test_record_is_of_the_last_stage(fixed_pool):
    """A fit of one stage has the losses that the record keeps; the norm is that of w_T."""
    model = toy(fixed_pool=fixed_pool)
    images = RNG.randint(0, 256, (12, 2, 2, 1)).astype("uint8")
    for _ in range(2):
        history = model.fit(images, verbose=0).history
    assert set(history) == set(model.loss_names)
    np.testing.assert_allclose(
        numpy(model.record), [history[name][0] for name in model.loss_names], rtol=1e-5
    )
    last = numpy(model.discriminator.trainable_variables[0])
    assert history["grad_norm"][0] == pytest.approx(np.linalg.norm(last), rel=1e-3)


def test_cfg_trains_every_discriminator_from_the_start():
    """Algorithm 1 with one SGD update: D_t = w_0 + the update's gradient at G_{t-1}, by hand."""
    w = np.array([1.0, -2.0, 0.5, 0.0])
    model = toy(w, algorithm="cfg", warm_start=True, discriminator_steps=1)
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    real = []
    step = model.discriminator_step

    def recording(x, fake, *labels):
        real.append((numpy(x).reshape(4, 4).copy(), numpy(fake).reshape(4, 4).copy()))
        return step(x, fake, *labels)

    if keras.backend.backend() == "torch":  # elsewhere the step is traced, not run
        model.discriminator_step = recording
    history = model.fit(RNG.randint(0, 256, (20, 2, 2, 1)).astype("uint8"), epochs=9, verbose=0)
    assert int(numpy(model.stage)) == 3  # and then it stopped, within the first epoch
    assert len(history.history["d_loss"]) == 1
    stored = numpy(model.snapshots[0])[:, :, 0]  # (T, 4)
    sigmoid = lambda a: 1 / (1 + np.exp(-a))  # noqa: E731
    for weights, (x, fake) in zip(stored, real):
        gradient = (sigmoid(fake @ w)[:, None] * fake).mean(0)
        gradient -= (sigmoid(-x @ w)[:, None] * x).mean(0)
        np.testing.assert_allclose(weights, w - 0.1 * gradient, atol=1e-6)
    # However that is, no D_t is further from w_0 than one update with a gradient of at most 4.
    assert 0 < np.abs(stored - w).max() < 0.4
    with pytest.raises(ValueError, match="All num_steps=3 steps of CFG are done"):
        model.fit(RNG.randint(0, 256, (12, 2, 2, 1)).astype("uint8"), verbose=0)


def test_cfg_grows_by_its_snapshots_and_counts_updates():
    model = small(algorithm="cfg", discriminator_steps=3)
    model.fit(IMAGES, epochs=1, verbose=0)  # 48 = 2 x 3 x 8
    assert int(numpy(model.stage)) == 2
    assert int(numpy(model.d_optimizer.iterations)) == 6
    images = [model.generate(8, seed=0, steps=t) for t in range(3)]
    assert (images[0] != images[1]).any() and (images[1] != images[2]).any()


@pytest.mark.once
def test_cfg_resumes(tmp_path):
    model = small(algorithm="cfg", discriminator_steps=3)
    model.fit(IMAGES[:24], epochs=1, verbose=0)  # one of two steps
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded.fit(IMAGES[:24], epochs=1, verbose=0)
    assert int(numpy(loaded.stage)) == 2
    for before, after in zip(model.snapshots, loaded.snapshots, strict=True):
        np.testing.assert_array_equal(numpy(before)[0], numpy(after)[0])
    assert any(numpy(after)[1].any() for after in loaded.snapshots)


def test_composite_sums_the_snapshots_gradients():
    """G_t = G_0 + eta (w_1 + .. + w_t) for linear discriminators, t = 0 .. T."""
    model = toy()
    stored = [RNG.randn(4).astype("float32") for _ in range(3)]
    for t, w in enumerate(stored):
        model.discriminator.layers[-1].kernel.assign(w.reshape(4, 1))
        model.store_snapshot(ops.convert_to_tensor(t, "int32"))
    z = RNG.randn(4, 3).astype("float32")
    start = numpy(model(tensor(z)))
    for t in range(4):
        expected = start + 0.25 * np.sum(stored[:t], axis=0).reshape(-1, 2, 2, 1) if t else start
        np.testing.assert_allclose(numpy(model.transform_noise(z, steps=t)), expected, atol=1e-5)


@pytest.mark.parametrize("count", [1, 4, 6, 8, 11])
def test_any_number_of_latents(count):
    """Mini-batches of b = 4 and one of the rest, in the order of the latents."""
    model = toy()
    for t in range(3):
        model.store_snapshot(ops.convert_to_tensor(t, "int32"))
    z = RNG.randn(count, 3).astype("float32")
    expected = numpy(model(tensor(z))) + 0.75 * np.array([1.0, -2.0, 0.5, 0.0]).reshape(2, 2, 1)
    np.testing.assert_allclose(numpy(model.transform_noise(z)), expected, atol=1e-5)


def test_discriminator_step_is_the_logistic_gradient():
    """SGD on mean softplus(-D(x)) + mean softplus(D(G(z))), by hand for a linear D."""
    w = np.array([1.0, -2.0, 0.5, 0.0], "float32")
    model = toy(w)
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    real, fake = (RNG.uniform(-1, 1, (4, 4)).astype("float32") for _ in range(2))
    sigmoid = lambda a: 1 / (1 + np.exp(-a))  # noqa: E731
    gradient = -(sigmoid(-real @ w)[:, None] * real).mean(0) + (
        sigmoid(fake @ w)[:, None] * fake
    ).mean(0)
    loss, d_real, d_fake = model.discriminator_step(
        tensor(real.reshape(4, 2, 2, 1)), tensor(fake.reshape(4, 2, 2, 1))
    )
    expected = np.log1p(np.exp(-real @ w)).mean() + np.log1p(np.exp(fake @ w)).mean()
    np.testing.assert_allclose(numpy(loss), expected, rtol=1e-5)
    np.testing.assert_allclose(numpy(d_real), (real @ w).mean(), atol=1e-5)
    np.testing.assert_allclose(numpy(d_fake), (fake @ w).mean(), atol=1e-5)
    kernel = numpy(model.discriminator.trainable_variables[0])[:, 0]
    np.testing.assert_allclose(kernel, w - 0.1 * gradient, atol=1e-6)


@pytest.mark.parametrize("fixed_pool", [True, False])
def test_a_stage_grows_by_what_its_snapshots_say(fixed_pool):
    """The fixed pool becomes G_T of the stored snapshots; a fresh batch grows till its turn."""
    model = toy(fixed_pool=fixed_pool)
    latents = tensor(RNG.randn(8 if fixed_pool else 12, 3))
    real = tensor(RNG.uniform(-1, 1, (3, 4, 2, 2, 1)))
    start = model.approximate(latents)
    pool, *_ = model.grow(real, start)
    grown = model.composite(start, 3)
    weights = [numpy(v) for v in model.snapshots][0][:, :, 0]  # (T, 4)
    steps = 0.25 * weights.reshape(3, 2, 2, 1)
    expected = numpy(start) + steps.sum(0)
    np.testing.assert_allclose(numpy(grown), expected, atol=1e-5)
    if not fixed_pool:
        before = np.cumsum(steps, axis=0) - steps  # of the updates of D_1, D_2 and D_3
        expected = numpy(start) + np.repeat(before, 4, axis=0)
    np.testing.assert_allclose(numpy(pool), expected, atol=1e-5)
    assert np.ptp(weights, axis=0).max() > 0  # D moved between the steps


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="needs a C++ compiler on PyTorch")
@pytest.mark.parametrize("fixed_pool", [True, False])
def test_a_whole_stage_goes_through_xla(fixed_pool):
    """As on a GPU: the losses are those of a stage without XLA."""
    images = RNG.randint(0, 256, (12, 2, 2, 1)).astype("uint8")
    data = kzoo.datasets.ArrayDataset(images, batch_size=12, shuffle=False)
    latents = tensor(RNG.standard_normal((12, 3)))  # XLA draws others on TensorFlow
    losses = []
    for jit_compile in (True, False):
        keras.utils.set_random_seed(0)
        model = toy(fixed_pool=fixed_pool, algorithm="icfg", pool_size=4, warm_start=True)
        model._latents = lambda count: latents[:count]
        model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), jit_compile=jit_compile)
        model.fit(data, verbose=0)
        losses.append(list(model.last_losses().values()))
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


def test_minibatches_keep_their_order():
    model = toy()
    x = tensor(np.arange(8.0).reshape(8, 1, 1, 1))
    result = model.in_minibatches(lambda part: part + ops.sum(part), x)
    expected = np.arange(8.0) + np.repeat([6.0, 22.0], 4)
    np.testing.assert_allclose(numpy(result)[:, 0, 0, 0], expected)


def test_distillation_fits_the_approximator():
    """The loss is 1/2 ||G~(z) - target||^2, summed over pixels, and it falls."""
    model = toy(approximator_epochs=1)
    model.compile(g_optimizer=keras.optimizers.RMSprop(0.01))
    z, target = tensor(RNG.randn(4, 3)), tensor(RNG.uniform(-0.5, 0.5, (4, 2, 2, 1)))
    before = 0.5 * np.sum((numpy(model(z)) - numpy(target)) ** 2) / 4
    np.testing.assert_allclose(numpy(model.approximator_step(z, target)), before, rtol=1e-5)
    latents, targets = tensor(RNG.randn(8, 3)), tensor(RNG.uniform(-0.5, 0.5, (8, 2, 2, 1)))
    losses = [float(numpy(model.distill(latents, targets))) for _ in range(60)]
    assert losses[-1] < 0.5 * losses[0]


def test_distillation_cuts_its_rate_three_times_at_most_and_starts_afresh():
    """With a loss that rises every epoch; afterwards the rate is the initial one again."""
    model = toy(approximator_epochs=7)
    model.compile(g_optimizer=keras.optimizers.SGD(50.0))
    rates = []

    def rising(*_):
        rates.append(float(numpy(model.g_optimizer.learning_rate)))
        return tensor(float(len(rates)))

    model.approximator_step = rising
    for _ in range(2):
        rates.clear()
        model.distill(tensor(RNG.randn(8, 3)), tensor(RNG.uniform(-1, 1, (8, 2, 2, 1))))
        # Two minibatches an epoch; the first epoch has none before it to rise above.
        assert rates[::2] == pytest.approx([50.0, 50.0, 5.0, 0.5, 0.05, 0.05, 0.05])
        assert float(numpy(model.g_optimizer.learning_rate)) == pytest.approx(50.0)


@pytest.mark.parametrize("fixed_pool", [True, False])
def test_without_distillation_the_approximator_stays(fixed_pool):
    """ICFG: D learns and G_T moves away from G_0, by what `g_loss` says."""
    model = toy(algorithm="icfg", warm_start=True, fixed_pool=fixed_pool)
    before = [numpy(v).copy() for v in model.approximator.trainable_variables]
    images = RNG.randint(0, 256, (12, 2, 2, 1)).astype("uint8")
    history = model.fit(images, batch_size=4, verbose=0).history
    for v, old in zip(model.approximator.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(numpy(v), old)
    # With linear discriminators every image moves by the same eta (w_1 + .. + w_T).
    z = RNG.randn(4, 3).astype("float32")
    moved = numpy(model.transform_noise(z)) - numpy(model.transform_noise(z, steps=0))
    assert history["g_loss"][0] == pytest.approx(0.5 * (moved[0] ** 2).sum(), rel=1e-3)


def test_a_fresh_optimizer_every_stage():
    model = toy()
    model.distill(tensor(RNG.randn(8, 3)), tensor(RNG.uniform(-1, 1, (8, 2, 2, 1))))
    velocities = [v for v in model.g_optimizer.variables if "velocity" in v.path]
    first = [numpy(v).copy() for v in velocities]
    for v in velocities:
        v.assign(np.full(v.shape, 1e6, "float32"))
    model.distill(tensor(RNG.randn(8, 3)), tensor(RNG.uniform(-1, 1, (8, 2, 2, 1))))
    for v, old in zip(velocities, first, strict=True):
        assert numpy(v).max() < 1e3 and old.max() < 1e3


def test_averages_of_the_weights_outlive_a_stage():
    """Weights that stay equal their average, whatever the stages between."""
    model = toy(warm_start=True)
    still = keras.optimizers.SGD(0.0, use_ema=True, ema_momentum=0.9)
    model.compile(g_optimizer=still)
    before = [numpy(v).copy() for v in model.approximator.trainable_variables]
    model.fit(RNG.randint(0, 256, (24, 2, 2, 1)).astype("uint8"), verbose=0)
    for v, old in zip(model.approximator.trainable_variables, before, strict=True):
        np.testing.assert_allclose(numpy(v), old, rtol=1e-5)


def test_initial_approximator_is_a_clipped_random_projection():
    model = small(approximator_epochs=1)
    seen = {}
    model.distill = lambda latents, targets, *labels: seen.update(
        z=numpy(latents), x=numpy(targets)
    )
    model.initialize_approximator()
    z, x = seen["z"], seen["x"].reshape(16, -1)
    weights = np.linalg.lstsq(z, x, rcond=None)[0]  # nothing is clipped at this scale
    np.testing.assert_allclose(z @ weights, x, atol=1e-4)
    assert weights.std() == pytest.approx(0.01, rel=0.2)


@pytest.mark.once
def test_a_stage_takes_t_u_minibatches_and_counts():
    model = small(discriminator_steps=3)
    model.fit(IMAGES, epochs=1, verbose=0)  # 48 = 2 x 3 x 8
    assert int(numpy(model.stage)) == 1
    assert int(numpy(model.d_optimizer.iterations)) == 6


def test_samples_grow_from_the_approximators_to_g_t():
    model = small()
    model.fit(IMAGES, epochs=1, verbose=0)
    z = model.draw_noise(8, keras.random.SeedGenerator(0))
    start = numpy(ops.clip(model(z, training=False), -1, 1))
    expected = np.round((start + 1) * 127.5)
    assert np.abs(model.generate(8, seed=0, steps=0) - expected).max() <= 1
    assert not np.array_equal(model.generate(8, seed=0), model.generate(8, seed=0, steps=0))
    np.testing.assert_array_equal(model.generate(8, seed=0), model.generate(8, seed=0, steps=2))


@pytest.mark.parametrize("spectral", [True, False])
def test_evaluation_changes_nothing(spectral):
    """Neither the vectors of spectral normalization nor the statistics of batch norm."""
    model = small(discriminator="dcgan_4x4", spectral_normalization=spectral, r1=0.1)
    model.fit(IMAGES, verbose=0)
    weights, images = model.get_weights(), model.generate(8, seed=0)
    weights = [w.copy() for w in weights]
    model.evaluate(IMAGES, verbose=0)
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(images, model.generate(8, seed=0))


def test_evaluation_gives_the_discriminator_the_labels():
    model = small(num_classes=3, augment="translation")
    model.fit(IMAGES, np.arange(48) % 3, verbose=0)
    scores = [
        model.evaluate(IMAGES, np.full(48, k), return_dict=True, verbose=0)["d_real"]
        for k in range(3)
    ]
    assert len(set(np.round(scores, 6))) == 3


def test_a_new_compile_takes_the_new_optimizers():
    model = toy()
    images = RNG.randint(0, 256, (12, 2, 2, 1)).astype("uint8")
    for rate in (0.1, 0.0):
        kept = [w.copy() for w in model.discriminator.get_weights()]
        kept += [w.copy() for w in model.approximator.get_weights()]
        rates = keras.optimizers.SGD(rate), keras.optimizers.SGD(rate)
        model.compile(*rates, run_eagerly=True)  # then each method is a program of its own
        model.fit(images, verbose=0)
    found = model.discriminator.get_weights() + model.approximator.get_weights()
    for before, after in zip(kept, found, strict=True):
        np.testing.assert_array_equal(before, after)


def test_whole_minibatches_are_drawn():
    """The first images of a short request are those of a full batch."""
    model = small()
    model.fit(IMAGES, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.generate(3, seed=1), model.generate(8, seed=1)[:3])


@pytest.mark.once
def test_discriminator_wins_and_training_stops():
    model = small(max_gap=1e-6, gap_patience=1)
    history = model.fit(IMAGES, epochs=5, verbose=0)
    assert len(history.history["d_loss"]) == 1


@pytest.mark.once
def test_a_divergence_costs_one_epoch(capsys):
    """The weights of the last epoch before it come back."""
    model = small(max_gap=1e-9, gap_patience=4)  # 3 stages an epoch: stopped in the second one
    kept = []

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                kept.extend(w.copy() for w in model.get_weights())

    model.fit(IMAGES, epochs=5, callbacks=[Keep()], verbose=0)
    assert "Stopped at stage 5" in capsys.readouterr().out
    for old, new in zip(kept, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert int(numpy(model.stage)) == 3


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_steps": 0}, "num_steps.*0"),
        ({"step_size": -0.5}, "step_size.*-0.5"),
        ({"step_size": [0.5, 0.1]}, r"num_steps=15 of them, got 2: \[0.5, 0.1\]"),
        ({"step_size": [0.5, 0.0], "num_steps": 2}, "step_size must be a positive number, got 0.0"),
        ({"algorithm": "CFG"}, "algorithm must be one of .*'xicfg'.*got 'CFG'"),
        ({"approximator_epochs": 0}, "approximator_epochs.*0"),
        ({"scaling": "sigmoid"}, "scaling must be a function or one of .*'sigmoid'"),
        ({"pool_size": 100}, "multiple of batch_size=64.*100"),
        ({"max_gap": "40"}, "max_gap.*40"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        kzoo.CFGGAN(**arguments)


@pytest.mark.once
def test_wrong_sampling_arguments():
    model = small()
    with pytest.raises(ValueError, match=r"steps must be an int in 0 \.\. 2, got 3"):
        model.generate(2, steps=3)
    with pytest.raises(ValueError, match="batches of 8.*got batch_size=4"):
        model.generate(2, batch_size=4)


@pytest.mark.once
def test_learning_rate_schedules_are_refused():
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-3, 10, 0.9)
    with pytest.raises(ValueError, match="constant learning rate"):
        small().compile(g_optimizer=keras.optimizers.SGD(schedule))


def test_loops_are_not_unrolled():
    """The discriminator is traced a fixed number of times, however long a stage is."""
    if keras.backend.backend() == "torch":
        pytest.skip("PyTorch runs its loops eagerly")

    def calls(num_steps):
        model = toy(num_steps=num_steps, approximator_epochs=num_steps)
        count = [0]
        original = model.discriminator.call

        def counting(*args, **kwargs):
            count[0] += 1
            return original(*args, **kwargs)

        model.discriminator.call = counting
        images = RNG.randint(0, 256, (4 * num_steps, 2, 2, 1)).astype("uint8")
        model.fit(images, epochs=1, verbose=0)
        return count[0]

    assert calls(12) == calls(3)


@pytest.mark.parametrize("restart", [True, False])
def test_restart_optimizer_forgets_the_gradients_of_the_stage_before(restart):
    model = toy(restart_optimizer=restart)
    # With the default's tiny epsilon a rounding error would be worth a whole step.
    model.compile(g_optimizer=keras.optimizers.RMSprop(2.5e-4, rho=0.95, epsilon=1e-7))
    latents = tensor(RNG.standard_normal((8, 3)))
    model.distill(latents, ops.ones((8, 2, 2, 1)))
    # At its own images the approximator has no gradient: what moves it is what it remembers.
    before = [numpy(v).copy() for v in model.approximator.trainable_variables]
    model.distill(latents, model.approximate(latents))
    velocity = model.g_optimizer._velocities
    remembered = max(float(np.abs(numpy(v)).max()) for v in velocity)
    assert (remembered < 1e-10) is restart
    for v, old in zip(model.approximator.trainable_variables, before, strict=True):
        np.testing.assert_allclose(numpy(v), old, atol=1e-6)
    assert kzoo.CFGGAN.from_config(model.get_config()).restart_optimizer is restart
