import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.models.parts import split
from kzoo.networks import patchgan_discriminator, resnet_translator

SHAPE = (8, 8, 1)


def numpy(x):
    return ops.convert_to_numpy(x).astype("float64")


def tiny(**arguments):
    model = kzoo.CycleGAN(
        SHAPE, **{"width": 4, "blocks": 1, "receptive_field": 16, "pool_size": 4, **arguments}
    )
    model.compile()
    return model


def squares(count, bright, seed):
    """uint8 images of one square of 3x3 pixels: bright on dark, or dark on bright."""
    rng = np.random.default_rng(seed)
    images = np.full((count, *SHAPE), 40 if bright else 215, "uint8")
    for image, (top, left) in zip(images, rng.integers(0, 6, (count, 2))):
        image[top : top + 3, left : left + 3] = 215 if bright else 40
    return images


def floats(images):
    return ops.convert_to_tensor(images.astype("float32") / np.float32(127.5) - 1)


def test_losses_equal_a_transcription():
    model = tiny(cycle_weight=7.0, identity_weight=3.0)
    a, b = floats(squares(4, True, 0)), floats(squares(4, False, 1))
    g, f = model.generator_ab, model.generator_ba
    d_a, d_b = model.discriminator_a, model.discriminator_b
    fake_a, fake_b = f(b), g(a)
    adversarial = sum(
        np.square(numpy(d(fake)) - 1).mean() for d, fake in ((d_a, fake_a), (d_b, fake_b))
    )
    pairs = [(f(fake_b), a), (g(fake_a), b)]
    cycle = sum(np.abs(numpy(x) - numpy(y)).mean() for x, y in pairs)
    identity = sum(np.abs(numpy(x) - numpy(y)).mean() for x, y in ((f(a), a), (g(b), b)))
    loss, (parts, fakes) = model.generator_loss(a, b)
    assert [float(x) for x in map(numpy, parts)] == pytest.approx(
        [adversarial, cycle, identity], rel=1e-5
    )
    expected = adversarial + 7 * cycle + 3 * identity
    assert float(numpy(loss)) == pytest.approx(expected, rel=1e-5)
    for got, wanted in zip(fakes, (fake_a, fake_b), strict=True):
        np.testing.assert_allclose(numpy(got), numpy(wanted), atol=1e-6)
    d_loss = sum(
        (np.square(numpy(d(real)) - 1).mean() + np.square(numpy(d(fake))).mean()) / 2
        for d, real, fake in ((d_a, a, fake_a), (d_b, b, fake_b))
    )
    got = model.discriminator_loss((a, b), (fake_a, fake_b))
    assert float(numpy(got)) == pytest.approx(d_loss, rel=1e-5)
    scores = model.evaluate(ops.convert_to_numpy(b), ops.convert_to_numpy(a), verbose=0)
    assert scores == pytest.approx([d_loss, adversarial, cycle, identity], rel=1e-4)


def test_it_learns_the_toy():
    keras.utils.set_random_seed(0)
    model = tiny(width=8, identity_weight=0.0)
    model.compile(*(keras.optimizers.Adam(4e-3, beta_1=0.5) for _ in range(2)))
    a, b = squares(32, True, 0), squares(32, False, 1)
    before = model.evaluate(b, a, verbose=0, return_dict=True)["cycle_loss"]
    model.fit(b, a, batch_size=8, epochs=12, verbose=0)
    a, b = squares(32, True, 2), squares(32, False, 3)
    after = model.evaluate(b, a, verbose=0, return_dict=True)["cycle_loss"]
    assert after < 0.6 * before
    # A dark square on bright, and a bright one on dark: most pixels change their side.
    assert model.translate(a, to="b").mean() > 140
    assert model.translate(b, to="a").mean() < 115


def test_discriminators_see_past_images():
    model = tiny(pool_size=2)
    a, b = squares(2, True, 0), squares(2, False, 1)
    model.fit(b, a, batch_size=1, verbose=0, shuffle=False)
    assert int(numpy(model.pool_a.count)) == int(numpy(model.pool_b.count)) == 2
    kept = numpy(model.pool_b.images)
    assert np.abs(kept).max() <= 1 and (kept[0] != kept[1]).any()
    assert model.pool_a.seed_generator is model.seed_generator
    model = tiny(pool_size=0)
    history = model.fit(b, a, batch_size=1, verbose=0).history
    assert not hasattr(model, "pool_a") and set(history) == set(model.loss_names)


def test_translate():
    model = tiny()
    images = squares(5, True, 0)
    for to, network in (("b", model.generator_ab), ("a", model.generator_ba)):
        got = model.translate(images, to=to)
        expected = np.round((numpy(network(floats(images))) + 1) * 127.5)
        assert got.dtype == np.uint8 and np.abs(got - expected).max() <= 1
        again = model.translate(ops.convert_to_numpy(floats(images)), to=to, batch_size=2)
        assert np.abs(got.astype(int) - again).max() <= 1
        np.testing.assert_array_equal(got, model.generate(sources=images, to=to))
    np.testing.assert_array_equal(model.translate(images), model.translate(images, to="b"))
    np.testing.assert_array_equal(
        numpy(model(floats(images))), numpy(model(floats(images), to="b"))
    )
    assert (model.translate(images) != model.translate(images, to="a")).any()


@pytest.mark.once
def test_zipped_domains():
    """Domains of different sizes, as arrays and tensors, alone or with labels and names."""
    tf = pytest.importorskip("tensorflow")
    a, b = squares(6, True, 0), squares(4, False, 1)
    model = tiny()
    arrays = [kzoo.datasets.from_arrays(x, np.zeros(len(x), int), batch_size=2) for x in (a, b)]
    tensors = [
        tf.data.Dataset.from_tensor_slices({"image": x, "id": np.arange(len(x))}).batch(2, True)
        for x in (a, b)
    ]
    for data in (arrays, tensors):
        before = int(numpy(model.d_optimizer.iterations))
        model.fit(kzoo.datasets.zip_domains(*data), verbose=0)
        assert int(numpy(model.d_optimizer.iterations)) == before + 3
    nested = {"a": {"image": a}, "b": (b, np.zeros(4))}
    got, condition, _ = split(model, nested)
    assert got is b and condition["sources"] is a
    for image, source in (("b", "a"), ("target_image", "input_image")):
        got, condition, _ = split(model, {source: a, image: b})
        assert got is b and condition["sources"] is a
    with pytest.raises(ValueError, match="found no images among the features 'label'"):
        split(model, {"a": a, "b": {"label": b}})


@pytest.mark.once
def test_round_trips(tmp_path):
    model = tiny(cycle_weight=5.0, identity_weight=0.0, generator_ba="unet")
    a, b = squares(6, True, 0), squares(6, False, 1)
    model.fit(b, a, batch_size=2, epochs=2, verbose=0)
    assert model.loss_names == ("d_loss", "g_loss", "cycle_loss")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    model.save_to_preset(tmp_path / "preset")
    preset = kzoo.GenerativeModel.from_preset(str(tmp_path / "preset"))
    for other in (loaded, preset):
        assert type(other) is kzoo.CycleGAN and other.get_config() == model.get_config()
        for to in "ab":
            np.testing.assert_array_equal(other.translate(a, to), model.translate(a, to))
        np.testing.assert_array_equal(numpy(other.pool_a.images), numpy(model.pool_a.images))
    assert len(loaded.optimizer.variables) == len(model.optimizer.variables)


@pytest.mark.once
def test_networks_of_the_user(tmp_path):
    networks = {
        "generator_ab": resnet_translator(SHAPE, SHAPE, width=2, blocks=1, name="mine"),
        "discriminator_b": patchgan_discriminator(SHAPE, width=2, receptive_field=16),
    }
    model = tiny(**networks)
    assert all(getattr(model, role) is network for role, network in networks.items())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    images = squares(3, True, 0)
    np.testing.assert_array_equal(loaded.translate(images), model.translate(images))


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cycle_weight": 0}, "cycle_weight must be a positive number, got 0"),
        ({"identity_weight": -1}, "identity_weight must be 0 or positive, got -1"),
        ({"pool_size": -1}, "pool_size must be .*got -1"),
        ({"blocks": 0}, "blocks must be .*got 0"),
        ({"receptive_field": 71}, r"one of \[16, 34, 70\], got 71"),
        ({"image_shape": (10, 8, 1)}, r"multiples of 4.*got the shape \(10, 8, 1\)"),
        ({"generator_ba": "dcgan"}, "generator_ba must be a keras.Model or one of 'unet'"),
        ({"discriminator_a": "dcgan"}, "discriminator_a must be .*'patchgan', got 'dcgan'"),
        (
            {"generator_ab": resnet_translator((8, 8, 3), (8, 8, 3), width=1, blocks=1)},
            r"generator_ab must map inputs.*got outputs \(None, 8, 8, 3\)",
        ),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        kzoo.CycleGAN(**{"image_shape": SHAPE, "width": 2, "receptive_field": 16, **arguments})


@pytest.mark.once
def test_wrong_data():
    model, images = tiny(), squares(4, True, 0)
    with pytest.raises(ValueError, match=r"to must be one of .*, got 'c'"):
        model.translate(images, to="c")
    with pytest.raises(ValueError, match=r"'sources' expects.*8, 8, 1.*got \(4, 8, 4, 1\)"):
        model.translate(images[:, :, :4])
    with pytest.raises(ValueError, match="needs sources, got none"):
        model.generate(4)
    with pytest.raises(ValueError, match=r"fitted and evaluated on \(images, sources\)"):
        model.fit(images, verbose=0)
    with pytest.raises(ValueError, match="sources for 4 images, got 3"):
        model.fit(images, images[:3], verbose=0)
    with pytest.raises(ValueError, match="augment"):
        kzoo.CycleGAN(SHAPE, width=2, augment="color")
