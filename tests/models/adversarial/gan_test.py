import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.losses import adversarial
from tests.once import once

RNG = np.random.default_rng(0)
IMAGES = np.random.RandomState(0).randint(0, 256, (48, 8, 8, 1)).astype("uint8")


def tiny_gan(**kwargs):
    return kzoo.GAN(image_shape=(8, 8, 1), latent_dim=4, width=4, **kwargs)


def numpy(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("frozen", ["discriminator", "generator"])
def test_a_frozen_network_stays(frozen):
    gan = tiny_gan()
    getattr(gan, frozen).trainable = False
    gan.compile()
    before = gan.discriminator.get_weights(), gan.generator.get_weights()
    gan.fit(IMAGES, batch_size=16, verbose=0)
    after = gan.discriminator.get_weights(), gan.generator.get_weights()
    for name, old, new in zip(("discriminator", "generator"), before, after, strict=True):
        moved = any((v != w).any() for v, w in zip(old, new, strict=True))
        assert moved == (name != frozen)


def test_losses_are_the_papers():
    real, fake = np.array([0.3, -2.0]), np.array([1.5, -0.7])
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    np.testing.assert_allclose(
        numpy(adversarial.discriminator_loss(ops.array(real), ops.array(fake))),
        -np.log(sigmoid(real)).mean() - np.log(1 - sigmoid(fake)).mean(),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        numpy(adversarial.minimax_loss(ops.array(fake))),
        np.log(1 - sigmoid(fake)).mean(),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        numpy(adversarial.non_saturating_loss(ops.array(fake))),
        -np.log(sigmoid(fake)).mean(),
        rtol=1e-5,
    )


def test_losses_do_not_overflow():
    logits = ops.array([-1e4, 1e4], "float32")
    for loss in adversarial.GENERATOR_LOSSES.values():
        assert np.isfinite(numpy(loss(logits)))


@pytest.mark.once
def test_networks_have_the_papers_shapes():
    gan = kzoo.GAN()
    assert gan.generator.output_shape == (None, 32, 32, 1)
    assert gan.discriminator.output_shape == (None, 1)
    shapes = [layer.output.shape[1:] for layer in gan.discriminator.layers]
    assert (16, 16, 32) in shapes and (8, 8, 64) in shapes and (4, 4, 128) in shapes


@pytest.mark.once
def test_pointwise_convolutions_follow_the_strided_ones():
    gan = kzoo.GAN(pointwise=True)
    for network, pointwise in ((gan.discriminator, 2), (gan.generator, 2)):
        sizes = [layer.kernel.shape[0] for layer in network.layers if "conv" in layer.name]
        assert sizes.count(5) == 3 and sizes.count(1) == pointwise
    copy = kzoo.GAN.from_config(gan.get_config())
    assert copy.count_params() == gan.count_params()


def test_codes_make_the_generator_jump():
    """Latents that differ by next to nothing, but in their code, give different images."""
    gan = tiny_gan(codes=2)
    latents = np.array([[0.5, 0.5001, 0, 0], [0.5001, 0.5, 0, 0]], "float32")
    for model in (gan, kzoo.GAN.from_config(gan.get_config())):
        images = numpy(model(latents))
        assert np.abs(images[0] - images[1]).max() > 1e-4


def test_code_loss_is_the_cross_entropy_of_the_code():
    gan = tiny_gan(codes=3, information=0.5)
    last = gan.code_head.layers[-1]
    last.set_weights([np.zeros((128, 3)), np.log([0.5, 0.25, 0.25])])  # Q(c | x), whatever x
    latents = np.eye(4, dtype="float32")[:3]  # codes 0, 1, 2
    _, further = gan.generator_losses(latents, {}, training=False)
    assert float(numpy(further["code_loss"])) == pytest.approx(
        -(np.log(0.5) + 2 * np.log(0.25)) / 3, rel=1e-5
    )


def test_information_moves_the_networks_that_share_the_code():
    """Without an adversarial loss, the code alone trains generator, discriminator and head."""

    class NoGame(kzoo.GAN):
        def discriminator_criterion(self, real, fake):
            return 0.0 * ops.mean(fake)

        def generator_criterion(self, fake):
            return 0.0 * ops.mean(fake)

    gan = NoGame((8, 8, 1), 4, width=4, codes=2, information=1.0)
    networks = (gan.generator, gan.discriminator, gan.code_head)
    gan.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3))
    before = [numpy(n.trainable_variables[0]).copy() for n in networks]
    history = gan.fit(IMAGES, batch_size=16, epochs=10, verbose=0).history["code_loss"]
    for network, old in zip(networks, before, strict=True):
        assert np.abs(numpy(network.trainable_variables[0]) - old).max() > 1e-3
    assert history[-1] < 0.5 * history[0]
    assert set(gan.evaluate(IMAGES, verbose=0, return_dict=True)) == set(gan.loss_names)


def test_code_probabilities_are_the_mean_of_q():
    gan = tiny_gan(codes=3, information=0.5)
    with pytest.raises(ValueError, match="information > 0"):
        tiny_gan(codes=3).code_probabilities(IMAGES)
    last = gan.code_head.layers[-1]
    last.set_weights([np.zeros((128, 3)), np.log([0.5, 0.25, 0.25])])
    np.testing.assert_allclose(gan.code_probabilities(IMAGES), [0.5, 0.25, 0.25], rtol=1e-5)
    last.set_weights([RNG.normal(size=(128, 3)), np.zeros(3)])
    halves = [gan.code_probabilities(half) for half in (IMAGES[:24], IMAGES[24:])]
    np.testing.assert_allclose(gan.code_probabilities(IMAGES), np.mean(halves, axis=0), rtol=1e-4)
    assert np.abs(halves[0] - 1 / 3).max() > 1e-3


@pytest.mark.once
def test_code_head_is_saved(tmp_path):
    gan = tiny_gan(codes=2, information=1.0)
    gan.compile()
    gan.fit(IMAGES, batch_size=16, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert loaded.information == 1.0
    for v, w in zip(gan.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(numpy(v), numpy(w))
    loaded.fit(IMAGES, batch_size=16, verbose=0)


def test_information_needs_a_discriminator_of_layers():
    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(ops.reshape(x, (-1, 64)))

        def compute_output_shape(self, input_shape):
            return (input_shape[0], 1)

    with pytest.raises(ValueError, match="information > 0 needs a discriminator made of layers"):
        tiny_gan(codes=2, information=1.0, discriminator=Subclassed())


def test_instance_noise_has_its_deviation_and_only_in_training():
    """A discriminator that sums squares sees h w sigma^2 more per black image."""
    square = keras.Sequential(
        [
            keras.layers.Flatten(),
            keras.layers.Lambda(lambda x: ops.sum(x**2, axis=-1, keepdims=True)),
        ]
    )
    gan = tiny_gan(instance_noise=0.5, discriminator=square)
    images = ops.zeros((2000, 8, 8, 1))
    seen = numpy(gan.logits(gan._noisy(images, training=True)))
    assert seen.mean() == pytest.approx(64 * 0.25, rel=0.02)
    assert seen.std() > 1.0  # every image has noise of its own
    assert not numpy(gan._noisy(images, training=False)).any()


@pytest.mark.parametrize("generator_loss", [once("minimax"), "non_saturating"])
def test_updates_move_the_right_network(generator_loss):
    """With a learning rate of 0 for one network, only the other one learns."""
    for frozen in ("discriminator", "generator"):
        gan = tiny_gan(generator_loss=generator_loss)
        rates = {"discriminator": 1e-2, "generator": 1e-2, frozen: 0.0}
        gan.compile(
            keras.optimizers.SGD(rates["discriminator"]), keras.optimizers.SGD(rates["generator"])
        )
        before = {
            name: [numpy(v) for v in getattr(gan, name).trainable_variables] for name in rates
        }
        gan.fit(IMAGES, batch_size=16, epochs=1, verbose=0)
        for name in rates:
            moved = any(
                not np.array_equal(numpy(v), old)
                for v, old in zip(getattr(gan, name).trainable_variables, before[name], strict=True)
            )
            assert moved == (name != frozen)


@pytest.mark.once
def test_discriminator_learns_to_tell_constant_images():
    gan = tiny_gan()
    gan.compile(keras.optimizers.Adam(1e-2), keras.optimizers.SGD(0.0))
    white = np.full((64, 8, 8, 1), 255, "uint8")
    history = gan.fit(white, batch_size=16, epochs=5, verbose=0).history["d_loss"]
    assert history[-1] < 0.5 * history[0]


@pytest.mark.once
def test_discriminator_steps_take_a_minibatch_each():
    gan = tiny_gan(discriminator_steps=3)
    gan.compile()
    gan.fit(IMAGES, batch_size=8, epochs=1, verbose=0)  # 48 images = 2 x 3 x 8
    assert int(numpy(gan.d_optimizer.iterations)) == 6
    assert int(numpy(gan.g_optimizer.iterations)) == 2


def test_average_of_the_generator_replaces_its_weights_after_fit():
    gan = tiny_gan()
    gan.compile(g_optimizer=keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.9))
    gan.fit(IMAGES, batch_size=16, epochs=1, verbose=0)
    averages = [v for v in gan.g_optimizer.variables if "average" in v.path]
    assert len(averages) == len(gan.generator.trainable_variables)
    for v, average in zip(gan.generator.trainable_variables, averages, strict=True):
        np.testing.assert_array_equal(numpy(v), numpy(average))
    gan.evaluate(IMAGES, batch_size=16, verbose=0)
    gan.fit(IMAGES, batch_size=16, epochs=1, verbose=0)


@pytest.mark.once
def test_users_networks_survive_saving(tmp_path):
    generator = keras.Sequential(
        [keras.layers.Dense(64, activation="tanh"), keras.layers.Reshape((8, 8, 1))]
    )
    discriminator = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)])
    gan = kzoo.GAN((8, 8, 1), 4, generator=generator, discriminator=discriminator)
    gan.compile()
    gan.fit(IMAGES, batch_size=16, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert [layer.name for layer in loaded.generator.layers] == [
        layer.name for layer in generator.layers
    ]
    np.testing.assert_array_equal(gan.generate(5, seed=3), loaded.generate(5, seed=3))


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"generator_loss": "wasserstein"}, "generator_loss.*wasserstein"),
        ({"discriminator_steps": 0}, "discriminator_steps.*0"),
        ({"instance_noise": -0.1}, "instance_noise.*-0.1"),
        ({"information": -1, "codes": 4}, "information.*-1"),
        ({"information": 0.5}, "information=0.5 .* got codes=0"),
        ({"latent_dim": 2.5}, "latent_dim.*2.5"),
        ({"image_shape": (8, 8)}, r"image_shape.*\(8, 8\)"),
        ({"image_shape": (30, 30, 1)}, r"\(30, 30, 1\)"),
        ({"generator": "stylegan"}, "generator must be .*'dcgan', 'resnet'.*got 'stylegan'"),
        ({"discriminator": 3}, "discriminator must be a keras.Model, got 3"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        kzoo.GAN(**arguments)


def test_network_of_another_shape():
    discriminator = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"discriminator must map.*\(None, 1\).*\(None, 2\)"):
        kzoo.GAN((8, 8, 1), 4, width=4, discriminator=discriminator)


def test_one_optimizer_for_two_networks():
    optimizer = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="two objects"):
        tiny_gan().compile(optimizer, optimizer)
    with pytest.raises(ValueError, match="d_optimizer and g_optimizer"):
        tiny_gan().compile(optimizer="adam")


@pytest.mark.once
def test_networks_by_name(tmp_path):
    gan = tiny_gan(generator="fully_connected", discriminator="resnet")
    sizes = [layer.units for layer in gan.generator.layers if hasattr(layer, "units")]
    assert sizes == [512, 512, 64]
    assert any("average_pooling" in layer.name for layer in gan.discriminator.layers)
    gan.compile()
    gan.fit(IMAGES, batch_size=16, verbose=0)
    gan.save_to_preset(tmp_path / "gan")
    loaded = kzoo.GAN.from_preset(tmp_path / "gan")
    assert loaded.get_config()["generator"] == "fully_connected"
    np.testing.assert_array_equal(gan.generate(5, seed=3), loaded.generate(5, seed=3))


def test_networks_of_version_0_1_0_had_no_name():
    config = {**tiny_gan().get_config(), "generator": None, "discriminator": None}
    assert kzoo.GAN.from_config(config).get_config()["generator"] == "dcgan"


def test_codes_need_a_generator_that_has_them():
    with pytest.raises(ValueError, match="codes=3 needs generator='dcgan' or .*, got .*'resnet'"):
        tiny_gan(codes=3, generator="resnet")


def test_initial_weights_of_two_layers_differ():
    kernels = [v for v in tiny_gan(pointwise=True).trainable_variables if "kernel" in v.path]
    first = [numpy(kernel).ravel()[:16] for kernel in kernels]
    assert len({tuple(numbers) for numbers in first}) == len(first)
