"""What every generative model promises: data checks, saving, resuming, sampling."""

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.images import to_uint8
from tests.once import once_but
from tests.small_models import values_of

IMAGES = np.random.RandomState(0).randint(0, 256, (48, 8, 8, 1)).astype("uint8")


def numpy(x):
    return ops.convert_to_numpy(x)


def tiny(name, **kwargs):
    """A small compiled model of 8x8 grey images."""
    arguments = {
        "GAN": {"latent_dim": 4, "width": 4},
        "CFGGAN": {
            "latent_dim": 4,
            "width": 4,
            "num_steps": 2,
            "batch_size": 8,
            "pool_size": 16,
            "approximator_epochs": 2,
        },
        "LSGAN": {"latent_dim": 4, "width": 4},
        "BEGAN": {"latent_dim": 4, "width": 4, "repeats": 1},
        "WGAN": {"latent_dim": 4, "width": 4, "discriminator_steps": 2},
        "WGANGP": {"latent_dim": 4, "width": 4, "discriminator_steps": 2},
        "VAE": {"latent_dim": 2, "widths": (4, 4), "dense_width": 8},
        "PixelCNN": {"filters": 4, "num_blocks": 1},
        "GatedPixelCNN": {"filters": 4, "num_layers": 1, "head_filters": 4},
        "CycleGAN": {"width": 4, "blocks": 1, "receptive_field": 16, "pool_size": 4},
        "Pix2Pix": {"width": 4, "receptive_field": 16},
        "PixelRNN": {"levels": 2, "units": 4, "num_layers": 1, "head_filters": 4},
    }[name]
    model = getattr(kzoo, name)(image_shape=(8, 8, 1), **arguments, **kwargs)
    # Adam has several times as many operations per weight, of which TensorFlow makes programs.
    optimizers = {
        key: keras.optimizers.SGD(0.01, momentum=0.9) for key in model.default_optimizers()
    }
    model.compile(**optimizers)
    return model


def data(model, images=IMAGES):
    """The images, with a value of the model's condition for each if it has one."""
    count = len(images) if hasattr(images, "shape") else 1
    values = [values_of(condition, count) for condition in model.conditioned_on]
    return (images, *values)


def draw(model, count, **options):
    """`generate`, with the conditions that the model has."""
    given = {c.name: values_of(c, count) for c in model.conditioned_on}
    return model.generate(count, **given, **options)


NAMES = [
    "VAE",
    "GAN",
    "PixelCNN",
    "GatedPixelCNN",
    "PixelRNN",
    "CFGGAN",
    "LSGAN",
    "WGAN",
    "WGANGP",
    "BEGAN",
    "Pix2Pix",
    "CycleGAN",
]
# One of each way to train: LSGAN and WGAN differ from GAN in the loss, GatedPixelCNN from PixelCNN
# in the network.
KINDS = ["VAE", "GAN", "PixelCNN", "PixelRNN", "CFGGAN", "WGANGP", "Pix2Pix"]


each_model = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module", params=once_but(KINDS, NAMES))
def trained(request):
    """A model after two epochs, for all tests that leave it as it is: programs are made once."""
    keras.utils.set_random_seed(0)
    model = tiny(request.param)
    model.fit(*data(model), batch_size=16, epochs=2, verbose=0)
    return model


def test_fit_evaluate_generate(trained):
    model = trained
    history = model.history.history
    assert set(history) == set(model.loss_names)
    assert all(np.isfinite(value) for values in history.values() for value in values)
    scores = model.evaluate(*data(model), batch_size=16, verbose=0, return_dict=True)
    assert set(scores) == set(model.loss_names)
    images = draw(model, 5, seed=1)
    assert images.shape == (5, 8, 8, 1) and images.dtype == np.uint8


@pytest.fixture
def mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


# The others: see tests/backend/precision_test.py.
@pytest.mark.parametrize("name", once_but(["PixelRNN", "WGANGP", "Pix2Pix"], KINDS))
def test_mixed_precision(name, mixed_precision):
    if name == "Pix2Pix" and keras.backend.backend() == "torch":
        pytest.skip("on CPUs without bfloat16, torch has no gradient of a map of one feature")
    model = tiny(name)
    losses = model.fit(*data(model), batch_size=16, verbose=0).history
    assert all(np.isfinite(values).all() for values in losses.values())
    assert draw(model, 5, seed=1).shape == (5, 8, 8, 1)


def test_equal_seeds_give_equal_samples(trained):
    model = trained
    first = draw(model, 9, seed=5)
    np.testing.assert_array_equal(first, draw(model, 9, seed=5))
    np.testing.assert_array_equal(first, draw(model, 9, seed=keras.random.SeedGenerator(5)))
    if not isinstance(model, kzoo.CycleGAN):  # which draws nothing at random
        assert not np.array_equal(first, draw(model, 9, seed=6))
    if not isinstance(model, kzoo.CFGGAN):  # whose images depend on their batch
        other = draw(model, 9, seed=5, batch_size=4)
        assert np.abs(first.astype(int) - other).max() <= 1


def test_parts_of_the_noise_give_parts_of_the_samples(trained):
    """As several processes draw them, from one seed."""
    model = trained
    if isinstance(model, kzoo.CFGGAN):
        pytest.skip("an image depends on its batch")
    whole = draw(model, 6, seed=5)
    noise = model.draw_noise(6, keras.random.SeedGenerator(5))
    condition = {c.name: values_of(c, 6) for c in model.conditioned_on}
    for part in (slice(0, 6, 2), slice(1, 6, 2)):
        given = {name: values[part] for name, values in condition.items()}
        with model.with_state():
            images = numpy(to_uint8(model.transform_noise(noise[part], **given)))
        assert np.abs(whole[part].astype(int) - images).max() <= 1


def test_keras_file_keeps_model_and_optimizers(trained, tmp_path):
    model = trained
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert loaded.get_config() == model.get_config()
    assert len(loaded.optimizer.variables) == len(model.optimizer.variables)
    for a, b in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(numpy(a), numpy(b))
    np.testing.assert_array_equal(draw(model, 4, seed=0), draw(loaded, 4, seed=0))


@pytest.mark.once  # of other backends: saved_before_test.py
def test_a_keras_file_trains_on(trained, tmp_path):
    trained.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded.fit(*data(loaded), batch_size=16, epochs=1, verbose=0)
    for values in loaded.history.history.values():
        assert np.isfinite(values).all()


def test_preset_round_trip(trained, tmp_path):
    model = trained
    model.save_to_preset(tmp_path / "preset")
    loaded = kzoo.GenerativeModel.from_preset(str(tmp_path / "preset"))
    assert type(loaded) is type(model)
    np.testing.assert_array_equal(draw(model, 4, seed=0), draw(loaded, 4, seed=0))


@pytest.mark.once
@each_model
def test_config_has_every_constructor_argument(name):
    model = tiny(name)
    config = model.get_config()
    import inspect

    arguments = set(inspect.signature(type(model).__init__).parameters) - {"self", "kwargs"}
    assert arguments <= set(config)
    assert all(hasattr(model, argument) for argument in arguments)


@pytest.mark.once
@each_model
@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((4, 8, 8), "uint8"), r"\(4, 8, 8\)"),
        (np.zeros((4, 10, 8, 1), "uint8"), r"\(4, 10, 8, 1\)"),
        (np.zeros((4, 8, 8, 3), "uint8"), r"\(4, 8, 8, 3\)"),
        (np.zeros((4, 8, 8, 1), "int64"), "int64"),
        (np.full((4, 8, 8, 1), 7.5, "float32"), "7.5"),
        (np.full((4, 8, 8, 1), np.nan, "float32"), "nan"),
        (np.zeros((0, 8, 8, 1), "uint8"), r"\(0, 8, 8, 1\)"),
        ("mnist", "str"),
    ],
)
def test_wrong_images(name, images, message):
    model = tiny(name)
    for method in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=message):
            method(*data(model, images), verbose=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0,), "num_samples.*0"), ((2.5,), "num_samples.*2.5"), ((True,), "num_samples.*True")],
)
def test_wrong_number_of_samples(arguments, message):
    with pytest.raises(ValueError, match=message):
        tiny("GAN").generate(*arguments)


def test_wrong_seed():
    for seed in ("0", -1, 1.5):
        with pytest.raises(ValueError, match="seed"):
            tiny("GAN").generate(2, seed=seed)


def test_fit_before_compile():
    model = kzoo.GAN((8, 8, 1), 4, width=4)
    with pytest.raises(RuntimeError, match="compile"):
        model.fit(IMAGES)


def test_a_diverged_model_says_so():
    model = kzoo.VAE((8, 8, 1), latent_dim=2, widths=(4, 4), dense_width=8)
    model.compile(keras.optimizers.SGD(1e30))
    images = np.random.RandomState(0).randint(0, 256, (16, 8, 8, 1)).astype("uint8")
    with pytest.warns(UserWarning, match="training of this VAE diverged: .* is nan after epoch"):
        model.fit(images, batch_size=4, epochs=2, verbose=0)
    with pytest.raises(ValueError, match="VAE draws values that are not numbers"):
        model.generate(2, seed=0)


def test_compile_takes_no_loss():
    with pytest.raises(ValueError, match="loss='mse'"):
        tiny("GAN").compile(loss="mse")


def test_uint8_and_scaled_floats_are_the_same():
    floats = IMAGES.astype("float32") / 127.5 - 1
    model = tiny("PixelCNN")
    a = model.evaluate(IMAGES, batch_size=16, verbose=0, return_dict=True)
    b = model.evaluate(floats, batch_size=16, verbose=0, return_dict=True)
    assert a == pytest.approx(b, rel=1e-5)


def test_to_uint8_rounds_and_clips():
    from kzoo.images import to_float, to_uint8

    values = np.arange(256, dtype="uint8")
    np.testing.assert_array_equal(numpy(to_uint8(to_float(ops.array(values)))), values)
    np.testing.assert_array_equal(numpy(to_uint8(ops.array([-3.0, 3.0]))), [0, 255])


def test_last_small_batch_is_weighted_by_its_size():
    model = tiny("PixelCNN")
    whole = model.evaluate(IMAGES, batch_size=48, verbose=0, return_dict=True)
    parts = model.evaluate(IMAGES, batch_size=20, verbose=0, return_dict=True)
    assert whole == pytest.approx(parts, rel=1e-5)


@pytest.mark.parametrize("source", ["arrays", "data set"])
def test_held_out_images_come_in_batches_of_the_size_given(tmp_path, monkeypatch, source):
    """Also where the training data are batched before Keras gets them."""
    model, sizes = tiny("VAE"), []
    evaluation = model.evaluation

    def spy(x, *rest):
        sizes.append(x.shape[0])
        return evaluation(x, *rest)

    monkeypatch.setattr(model, "evaluation", spy)
    model.compile(run_eagerly=True)
    data = IMAGES if source == "arrays" else kzoo.datasets.from_arrays(IMAGES, batch_size=24)
    callbacks = [kzoo.callbacks.Checkpoint(tmp_path)] if source == "arrays" else []
    options = {"validation_data": IMAGES[:40], "callbacks": callbacks, "verbose": 0}
    model.fit(data, batch_size=40, **options)
    model.fit(data, batch_size=40, epochs=2, validation_batch_size=20, **options)
    assert sizes[:3] == [40, 20, 20]


@pytest.mark.parametrize("name", ["VAE", "GAN", "CFGGAN"])
def test_steps_per_execution(name):
    """Several updates per call of the compiled step change nothing but the overhead."""
    if keras.backend.backend() == "torch":
        pytest.skip("Keras has no steps_per_execution on torch")
    model = tiny(name)
    model.compile(steps_per_execution=2)
    model.fit(*data(model), batch_size=12, epochs=1, verbose=0)
    optimizer = model.d_optimizer if hasattr(model, "d_optimizer") else model.optimizer
    batches = len(IMAGES) // model.examples_per_step(12)
    updates = getattr(model, "num_steps", 1) * getattr(model, "discriminator_steps", 1)
    assert int(numpy(optimizer.iterations)) == batches * updates


@pytest.mark.parametrize("name", ["VAE", "GAN"])
def test_xla(name):
    """`jit_compile=True` gives the losses of `jit_compile=False`."""
    if keras.backend.backend() == "torch":
        pytest.skip("on torch, jit_compile needs a C++ compiler")
    losses = []
    for jit_compile in (True, False):
        keras.utils.set_random_seed(0)
        model = tiny(name)
        model.compile(jit_compile=jit_compile)
        history = model.fit(IMAGES, batch_size=16, epochs=2, shuffle=False, verbose=0).history
        losses.append([history[key][-1] for key in model.loss_names])
    np.testing.assert_allclose(losses[0], losses[1], rtol=2e-2)


@pytest.mark.parametrize("name", once_but(["VAE", "CFGGAN"], KINDS))
def test_a_cached_data_set_stays_whole(name):
    """Checking the data must not read a part of them: a cache would keep only that part."""
    tf_data = pytest.importorskip("tensorflow").data
    model = tiny(name)
    given = data(model) if model.conditioned_on else IMAGES
    dataset = tf_data.Dataset.from_tensor_slices(given).cache().batch(4).prefetch(2)

    def count():
        batches = map(keras.tree.flatten, dataset.as_numpy_iterator())
        return sum(len(batch[0]) for batch in batches)

    model.evaluate(dataset, verbose=0)
    assert count() == len(IMAGES)
    model.fit(dataset, verbose=0)
    assert count() == len(IMAGES)


def test_the_end_of_regrouped_data_is_no_interruption(recwarn):
    tf_data = pytest.importorskip("tensorflow").data
    dataset = tf_data.Dataset.from_tensor_slices(IMAGES).batch(4)
    tiny("CFGGAN").fit(dataset, epochs=2, verbose=0)
    assert not [w for w in recwarn if "ran out of data" in str(w.message)]


def test_validation_data_go_before_a_split():
    """As in Keras: with both, all examples are trained on, and those given are held out."""
    model = tiny("CFGGAN")
    model.compile()
    size = model.examples_per_step(1)
    images = np.resize(IMAGES, (2 * size, *IMAGES.shape[1:]))
    model.fit(images, validation_split=0.5, validation_data=images[:size], verbose=0)
    assert model.stages_done == 2


def test_regrouping_ends_with_a_generator():
    from kzoo.models.regrouping import converted

    batches = ((IMAGES[i : i + 16],) for i in (0, 16, 32))
    pieces = [piece for (piece,) in converted(next(batches), batches, tuple, 10)]
    np.testing.assert_array_equal(np.concatenate(pieces), IMAGES[:40])  # 48 = 4 x 10 + 8


def test_regrouping_reads_the_first_batch_once():
    from kzoo.models import batches

    class Data(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            asked.append(index)
            return IMAGES[20 * index : 20 * index + 20]  # 20, 20 and 8 of 48

    asked = []
    prepared = batches.prepare(tiny("CFGGAN"), Data(), grouped=True)
    assert asked == [0, 2]  # the last one tells how many images there are
    size = tiny("CFGGAN").examples_per_step(20)
    assert prepared["x"].num_batches == 48 // size


def test_regrouped_generator():
    def batches():
        while True:
            yield IMAGES[:5]

    model = tiny("CFGGAN")  # 2 steps of 8 images per stage
    model.fit(batches(), steps_per_epoch=2, verbose=0)
    assert int(numpy(model.stage)) == 2


def test_too_few_images_for_a_stage():
    with pytest.raises(ValueError, match="takes 16 images"):
        tiny("CFGGAN").fit(IMAGES[:10], verbose=0)


@pytest.mark.parametrize("name", once_but(["GAN"], ["GAN", "CFGGAN", "VAE", "PixelCNN", "Pix2Pix"]))
def test_many_threads_use_one_model(name):
    """Each gets what it would get alone: images of its seed, losses of its data."""
    model = tiny(name)
    images = data(model)[0]
    size = model.examples_per_step(8)

    def losses(start):
        given = [values[start : start + size] for values in data(model)]
        return model.evaluate(*given, batch_size=8, verbose=0, return_dict=True)

    def use(number):
        start = number % (len(images) - size + 1)
        return draw(model, 3, seed=number), losses(start)

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(use, range(8)))
    for number, (drawn, measured) in enumerate(together):
        np.testing.assert_array_equal(drawn, draw(model, 3, seed=number))
        expected = losses(number % (len(images) - size + 1))
        if name == "PixelCNN":  # the losses of the others have noise in them
            assert measured == pytest.approx(expected, rel=1e-5)
        assert set(measured) == set(expected) and np.isfinite(list(measured.values())).all()
