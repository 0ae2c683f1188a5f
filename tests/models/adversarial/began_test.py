"""BEGAN against a transcription in NumPy, and what it makes of a toy."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from tests.once import once

SIZE = 64  # values of an 8x8 image
RNG = np.random.RandomState(0)
IMAGES = RNG.randint(0, 256, (48, 8, 8, 1)).astype("uint8")


def numpy(x):
    return ops.convert_to_numpy(x)


def tiny(**kwargs):
    return kzoo.BEGAN(**{"image_shape": (8, 8, 1), "latent_dim": 4, "width": 4, **kwargs})


def linear(inputs, matrix):
    """Vectors or images times a matrix, as an image."""
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input(inputs),
            layers.Flatten(),
            layers.Dense(SIZE, use_bias=False),
            layers.Reshape((8, 8, 1)),
        ]
    )
    network.set_weights([matrix])
    return network


class Known(kzoo.BEGAN):
    """Draws the same latents z_D and z_G for every update."""

    def _latents(self, images):
        self.turn = not getattr(self, "turn", False)
        return ops.convert_to_tensor(self.z_d if self.turn else self.z_g)


def transcription(a, b, x, z_d, z_g, gamma, lambda_k, rates, updates):
    """The updates of a linear autoencoder v A and a linear generator z B, in float64."""
    k, rows = 0.0, []
    mean = lambda v, a: np.abs(v - v @ a).mean()  # noqa: E731  L(v)
    for _ in range(updates):
        g = z_d @ b
        real = mean(x, a)
        d_loss = real - k * mean(g, a)
        gradient = -x.T @ np.sign(x - x @ a) / x.size + k * g.T @ np.sign(g - g @ a) / g.size
        a = a - rates[0] * gradient
        g = z_g @ b
        fake = mean(g, a)
        b = b - rates[1] * z_g.T @ (np.sign(g - g @ a) @ (np.eye(SIZE) - a).T) / g.size
        k = min(max(k + lambda_k * (gamma * real - fake), 0.0), 1.0)
        rows.append([d_loss, fake, real, real + abs(gamma * real - fake), k])
    return a, b, k, np.array(rows)


@pytest.mark.parametrize("gamma, lambda_k", [(0.7, 0.5), (0.5, 0.001), (1.0, 100.0), (0.1, 9.0)])
def test_updates_are_the_papers(gamma, lambda_k):
    x = RNG.uniform(-1, 1, (6, SIZE)).astype("float32")
    z_d, z_g = RNG.normal(size=(2, 6, 4)).astype("float32")
    a, b = (RNG.normal(0, 0.1, (n, SIZE)).astype("float32") for n in (SIZE, 4))
    model = Known(
        (8, 8, 1),
        4,
        gamma=gamma,
        lambda_k=lambda_k,
        discriminator=linear((8, 8, 1), a),
        generator=linear((4,), b),
    )
    model.z_d, model.z_g = z_d, z_g
    model.compile(keras.optimizers.SGD(0.5), keras.optimizers.SGD(2.0))
    batch = x.reshape(6, 8, 8, 1)
    history = model.fit(batch, batch_size=6, epochs=4, verbose=0, shuffle=False).history
    given = [v.astype("float64") for v in (a, b, x, z_d, z_g)]
    a, b, k, rows = transcription(*given, gamma, lambda_k, (0.5, 2.0), 4)
    got = np.array([history[name] for name in model.loss_names]).T
    np.testing.assert_allclose(got, rows, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(float(numpy(model.k)), k, atol=1e-6)
    np.testing.assert_allclose(model.discriminator.get_weights()[0], a, atol=1e-5)
    np.testing.assert_allclose(model.generator.get_weights()[0], b, atol=1e-5)
    if lambda_k > 1:
        assert set(rows[:, 4]) == {float(gamma == 1.0)}  # clipped


def test_evaluation_moves_nothing():
    model = tiny()
    model.compile()
    model.k.assign(0.25)
    before = [v.copy() for v in model.get_weights()]
    scores = model.evaluate(IMAGES, verbose=0, return_dict=True)
    assert set(scores) == set(model.loss_names)
    assert scores["k"] == 0.25
    real, fake = scores["real_loss"], scores["g_loss"]
    np.testing.assert_allclose(scores["convergence"], real + abs(0.5 * real - fake), rtol=1e-3)
    np.testing.assert_allclose(scores["d_loss"], real - 0.25 * fake, rtol=1e-2)
    generator_state = {id(v) for v in [model.seed_generator.state]}
    for variable, value in zip(model.weights, before, strict=True):
        if id(variable) not in generator_state:
            np.testing.assert_array_equal(numpy(variable), value)


@pytest.mark.once
def test_k_is_saved_and_restored(tmp_path):
    model = tiny(lambda_k=0.1, gamma=0.7)
    model.compile()
    model.fit(IMAGES, batch_size=16, verbose=0)
    k = float(numpy(model.k))
    assert 0 < k < 1
    model.save(tmp_path / "began.keras")
    model.save_to_preset(tmp_path / "preset")
    model.save_weights(tmp_path / "began.weights.h5")
    again = tiny(lambda_k=0.1, gamma=0.7)
    again.load_weights(tmp_path / "began.weights.h5")
    for copy in (
        keras.models.load_model(tmp_path / "began.keras"),
        kzoo.BEGAN.from_preset(tmp_path / "preset"),
        again,
    ):
        assert float(numpy(copy.k)) == k
        assert copy.get_config() == {**model.get_config(), "name": copy.name}
        np.testing.assert_array_equal(copy.generate(3, seed=0), model.generate(3, seed=0))
    loaded = keras.models.load_model(tmp_path / "began.keras")
    loaded.fit(IMAGES, batch_size=16, verbose=0)


def test_generated_images_become_striped_as_the_real_ones():
    """A linear autoencoder with two codes learns the stripes, and pulls the generator to them."""
    rng = np.random.RandomState(2)
    stripes = np.where(np.arange(8) < 4, 1.0, -1.0)[None, None, :, None] * np.ones((1, 8, 1, 1))
    images = (rng.uniform(-1, 1, (64, 1, 1, 1)) * stripes).astype("float32")
    keras.utils.set_random_seed(3)
    layers = keras.layers
    discriminator = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(2, use_bias=False),
            layers.Dense(SIZE, use_bias=False),
            layers.Reshape((8, 8, 1)),
        ]
    )
    generator = linear((4,), rng.normal(0, 0.17, (4, SIZE)))
    networks = {"discriminator": discriminator, "generator": generator}
    model = kzoo.BEGAN((8, 8, 1), 4, lambda_k=0.1, **networks)

    latents = rng.normal(size=(64, 4)).astype("float32")

    def striped():
        """Which share of the squares of generated images lies along the stripes."""
        values = numpy(model(latents)).reshape(64, SIZE)
        return np.square(values @ stripes.ravel() / 8).sum() / np.square(values).sum()

    assert striped() < 0.1
    model.compile(*(keras.optimizers.Adam(1e-2) for _ in range(2)))
    history = model.fit(images, batch_size=32, epochs=50, verbose=0).history
    assert striped() > 0.8
    assert history["convergence"][-1] < 0.2 * history["convergence"][0]


def test_callbacks_watch_the_measure_of_convergence():
    model = tiny()
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    watch = {"monitor": "convergence", "mode": "min", "patience": 1, "min_delta": 10.0}
    halve = keras.callbacks.ReduceLROnPlateau(factor=0.5, **watch)
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2))
    model.fit(IMAGES, batch_size=16, epochs=2, verbose=0, callbacks=[halve])
    rates = [float(numpy(x.learning_rate)) for x in (model.d_optimizer, model.g_optimizer)]
    np.testing.assert_allclose(rates, [0.05, 0.1])
    stop = keras.callbacks.EarlyStopping(**watch)
    history = model.fit(IMAGES, batch_size=16, epochs=9, verbose=0, callbacks=[stop]).history
    assert len(history["convergence"]) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"r1": 0.1, "r1_every": 1},
        once({"augment": "translation", "average_decay": 0.9, "instance_noise": 0.1}),
        once({"codes": 2, "generator": "dcgan"}),
        once({"discriminator_steps": 2, "num_classes": 3}),
    ],
)
def test_options_of_other_gans(options):
    model = tiny(**options)
    model.compile()
    data = (IMAGES, np.arange(48) % 3)
    history = model.fit(*data[: 2 if "num_classes" in options else 1], batch_size=8, verbose=0)
    assert all(np.isfinite(values).all() for values in history.history.values())
    assert model.generate(3, seed=0).shape == (3, 8, 8, 1)


def own_discriminator():
    return keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"gamma": 0.0}, "gamma must be above 0 and at most 1, got 0.0"),
        ({"gamma": 1.5}, "gamma must be above 0 and at most 1, got 1.5"),
        ({"lambda_k": 0}, "lambda_k must be a positive number, got 0"),
        ({"repeats": 0}, "repeats must be a positive integer, got 0"),
        ({"codes": 3, "information": 1.0}, "BEGAN takes information=0, got information=1.0"),
        ({"conditioning": "projection"}, "conditioning='concatenation', got 'projection': an auto"),
        ({"conditioning": "auxiliary"}, "conditioning='concatenation', got 'auxiliary': an auto"),
        ({"spectral_normalization": True}, "needs spectral_normalization=False, got True"),
        ({"discriminator": "dcgan"}, r"discriminator must map .* outputs \(None, 8, 8, 1\)"),
        ({"discriminator": own_discriminator}, r"discriminator must map .* got outputs \(None, 1"),
        ({"codes": 2}, "codes=2 needs generator='dcgan'"),
        ({"fade_images": 10}, "fade_images needs discriminator='dcgan_4x4'"),
    ],
)
def test_wrong_arguments(arguments, message):
    made = {name: value() if callable(value) else value for name, value in arguments.items()}
    with pytest.raises(ValueError, match=message):
        tiny(**made)


def test_the_autoencoder_is_no_discriminator_of_another_gan():
    with pytest.raises(ValueError, match=r"discriminator must map .* to outputs \(None, 1\)"):
        kzoo.GAN((8, 8, 1), 4, width=4, discriminator="began")
