import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.models.parts import split
from kzoo.networks import patchgan_discriminator, unet_generator

SHAPE, SOURCE = (8, 8, 3), (8, 8, 1)


def numpy(x):
    return ops.convert_to_numpy(x).astype("float64")


def tiny(**arguments):
    arguments = {"width": 4, "receptive_field": 16, **arguments}
    model = kzoo.Pix2Pix(SHAPE, SOURCE, **arguments)
    model.compile()
    return model


def pairs(count=8, seed=0):
    """Sources with a bright half, left or right; images with red on it and blue beside it."""
    rng = np.random.default_rng(seed)
    sources = rng.integers(0, 100, (count, *SOURCE)).astype("uint8")
    images = np.zeros((count, *SHAPE), "uint8")
    for i in range(count):
        half = slice(0, 4) if rng.random() < 0.5 else slice(4, 8)
        sources[i, :, half] += 155
        images[i, ..., 2] = 220
        images[i, :, half] = [220, 20, 20]
    return images, sources


def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def test_losses_equal_a_transcription():
    model = tiny(gan_weight=2.0, l1_weight=30.0)
    images, sources = (ops.convert_to_tensor(a / np.float32(127.5) - 1) for a in pairs(4))
    noise = model.draw_noise(4, keras.random.SeedGenerator(1))
    fake = model(sources, noise)
    logits = [numpy(model.discriminator([x, sources])) for x in (images, fake)]
    d_loss = (softplus(-logits[0]).mean() + softplus(logits[1]).mean()) / 2
    g_loss = softplus(-logits[1]).mean()
    l1 = np.abs(numpy(images) - numpy(fake)).mean()
    got = model.discriminator_loss(images, fake, sources)
    assert float(numpy(got)) == pytest.approx(d_loss, rel=1e-5)
    loss, parts = model.generator_loss(images, sources, noise)
    assert [float(numpy(part)) for part in parts] == pytest.approx([g_loss, l1], rel=1e-5)
    assert float(numpy(loss)) == pytest.approx(2 * g_loss + 30 * l1, rel=1e-5)


def test_the_noise_is_that_of_dropout():
    model = tiny(dropout=0.25)
    noise = numpy(model.draw_noise(50, keras.random.SeedGenerator(0)))
    assert noise.shape == (50, model.noise_size)
    np.testing.assert_allclose(np.unique(noise), [0, 4 / 3], rtol=1e-6)
    assert noise.mean() == pytest.approx(1, abs=0.02)


def test_it_learns_the_toy():
    model = tiny(width=6)
    model.compile(keras.optimizers.Adam(2e-3, beta_1=0.5), keras.optimizers.Adam(5e-3, beta_1=0.5))
    data = pairs(16)
    before = model.evaluate(*data, verbose=0, return_dict=True)["l1"]
    model.fit(*data, batch_size=8, epochs=12, verbose=0)
    after = model.evaluate(*pairs(16, seed=1), verbose=0, return_dict=True)["l1"]
    assert after < 0.4 * before


def test_l1_alone():
    model = tiny(gan_weight=0, average_decay=0.9)
    kept = [numpy(v) for v in model.discriminator.trainable_variables]
    history = model.fit(*pairs(), batch_size=4, epochs=2, verbose=0).history
    assert set(history) == {"l1"} == set(model.loss_names)
    for before, variable in zip(kept, model.discriminator.trainable_variables):
        np.testing.assert_array_equal(before, numpy(variable))
    images, sources = (ops.convert_to_tensor(a / np.float32(127.5) - 1) for a in pairs(4))
    loss, (l1,) = model.generator_loss(images, sources, ops.ones((4, model.noise_size)))
    assert float(numpy(loss)) == pytest.approx(100 * float(numpy(l1)), rel=1e-6)


def test_generate():
    model = tiny()
    sources = pairs(5)[1]
    images = model.generate(sources=sources, seed=3)
    assert images.shape == (5, *SHAPE) and images.dtype == np.uint8
    np.testing.assert_array_equal(images, model.generate(5, sources=sources, seed=3))
    assert (images != model.generate(sources=sources, seed=4)).any()
    again = model.generate(sources=sources, seed=3, batch_size=2)
    assert np.abs(images.astype(int) - again).max() <= 1
    # An image depends on its own source alone.
    changed = sources.copy()
    changed[1:] = 255 - changed[1:]
    alone = model.generate(sources=changed, seed=3)
    assert np.abs(images[:1].astype(int) - alone[:1]).max() <= 1
    assert tiny(dropout=0).noise_size == 0
    plain = tiny(dropout=0, average_decay=0.9)
    drawn = [plain.generate(sources=sources, seed=seed) for seed in (0, 1)]
    np.testing.assert_array_equal(*drawn)


def test_call_maps_an_image_to_an_image():
    model = tiny()
    sources = pairs(2)[1].astype("float32") / 127.5 - 1
    assert model(sources).shape == (2, *SHAPE)
    assert (numpy(model(sources)) != numpy(model(sources))).any()
    np.testing.assert_array_equal(*(numpy(model.exported_call(sources)) for _ in range(2)))


@pytest.mark.once
def test_features_by_name():
    model, (images, sources) = tiny(), pairs()
    for image, source in (("real_image", "input_image"), ("image", "source")):
        features = {source: sources, image: images, "id": np.arange(8)}
        got, condition, _ = split(model, features)
        assert got is images and condition["sources"] is sources


def test_options_of_training(tmp_path):
    model = tiny(
        augment="color,translation",
        spectral_normalization=True,
        average_decay=0.9,
        r1=1.0,
        r1_every=2,
    )
    data = pairs()
    history = model.fit(*data, batch_size=4, epochs=2, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    np.testing.assert_array_equal(
        *(m.generate(sources=data[1], seed=0) for m in (model, loaded)),
    )
    assert len(loaded.optimizer.variables) == len(model.optimizer.variables)
    model.save_to_preset(tmp_path / "preset")
    again = kzoo.GenerativeModel.from_preset(str(tmp_path / "preset"))
    assert type(again) is kzoo.Pix2Pix
    np.testing.assert_array_equal(
        *(m.generate(sources=data[1], seed=0) for m in (model, again)),
    )


def test_augmentation_changes_a_pair_alike():
    model = tiny(augment="translation")
    images = ops.ones((3, *SHAPE))
    seen, beside = model._seen(images, images[..., :1], training=True)
    np.testing.assert_array_equal(numpy(seen)[..., :1], numpy(beside))
    assert (numpy(seen) == 0).any()
    # Colours too; but an image stays its own, whatever its source is.
    model = tiny(augment="color")
    images = ops.convert_to_tensor(pairs(3)[0] / np.float32(127.5) - 1)
    state, changed = numpy(model.seed_generator.state).astype("int64"), []
    for sources in (images[..., :1], -images[..., :1], images):
        model.seed_generator.state.assign(state)
        changed.append([numpy(x) for x in model._seen(images, sources, training=True)])
    for seen, _ in changed:
        np.testing.assert_array_equal(seen, changed[0][0])
    np.testing.assert_array_equal(*changed[2])


@pytest.mark.once
def test_networks_of_the_user(tmp_path):
    generator = unet_generator(SOURCE, SHAPE, width=2, dropout=0)
    discriminator = patchgan_discriminator(SHAPE, SOURCE, width=2, receptive_field=16)
    model = tiny(generator=generator, discriminator=discriminator)
    assert model.generator is generator and model.noise_size == 0
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    sources = pairs()[1]
    np.testing.assert_array_equal(*(m.generate(sources=sources) for m in (model, loaded)))


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"l1_weight": -1}, "l1_weight must be 0 or positive, got -1"),
        ({"gan_weight": 0, "l1_weight": 0}, "must be positive, got 0 for both"),
        ({"dropout": 1}, "dropout must be at least 0 and below 1, got 1"),
        ({"receptive_field": 71}, r"one of \[16, 34, 70\], got 71"),
        ({"source_shape": (4, 8, 3)}, r"source_shape=\(4, 8, 3\).*image_shape=\(8, 8, 3\)"),
        (
            {"generator": "dcgan"},
            "generator must be a keras.Model or one of 'unet', .* got 'dcgan'",
        ),
        ({"discriminator": "dcgan"}, "one of 'patchgan', got 'dcgan'"),
        (
            {"generator": unet_generator(SHAPE, SOURCE, width=1, dropout=0)},
            r"generator must map inputs.*\(None, 8, 8, 3\)",
        ),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        kzoo.Pix2Pix(**{"image_shape": SHAPE, "width": 2, "receptive_field": 16, **arguments})


@pytest.mark.once
def test_wrong_data():
    model = tiny()
    images, sources = pairs()
    with pytest.raises(ValueError, match="needs sources, got none"):
        model.generate(4)
    with pytest.raises(ValueError, match=r"fitted and evaluated on \(images, sources\)"):
        model.fit(images, verbose=0)
    with pytest.raises(ValueError, match="sources for 8 images, got 4"):
        model.fit(images, sources[:4], verbose=0)
    with pytest.raises(ValueError, match=r"'sources' expects.*8, 8, 1.*got \(8, 8, 4, 1\)"):
        model.fit(images, sources[:, :, :4], verbose=0)
    with pytest.raises(ValueError, match="GAN takes no sources"):
        kzoo.GAN((8, 8, 1), width=2).generate(sources=sources)
