import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.losses import adversarial

IMAGES = np.random.RandomState(0).randint(0, 256, (80, 8, 8, 1)).astype("uint8")


def numpy(x):
    return ops.convert_to_numpy(x)


def linear_critic(weights):
    critic = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1, use_bias=False)]
    )
    critic.layers[-1].kernel.assign(weights.reshape(-1, 1))
    return critic


def tiny(name, **kwargs):
    model = getattr(kzoo, name)((8, 8, 1), 4, width=4, **kwargs)
    model.compile()
    return model


def test_losses_are_the_papers():
    real, fake = np.array([0.5, -2.0], "float32"), np.array([1.5, 0.5], "float32")
    assert float(numpy(adversarial.critic_loss(real, fake))) == pytest.approx(1.0 + 0.75)
    assert float(numpy(adversarial.wasserstein_generator_loss(fake))) == pytest.approx(-1.0)


def test_clipping_bounds_every_weight_of_the_critic():
    model = tiny("WGAN", clip=0.01)
    model.fit(IMAGES, batch_size=8, verbose=0)
    for variable in model.discriminator.trainable_variables:
        assert np.abs(numpy(variable)).max() <= 0.01
    assert any(np.abs(numpy(v)).max() > 0.01 for v in model.generator.trainable_variables)


@pytest.mark.once
def test_five_critic_steps_with_the_papers_optimizers():
    for name in ("WGAN", "WGANGP"):
        model = tiny(name)
        model.fit(IMAGES, batch_size=8, verbose=0)  # 80 images = 2 x 5 x 8
        assert int(numpy(model.d_optimizer.iterations)) == 10
        assert int(numpy(model.g_optimizer.iterations)) == 2
    assert (model.d_optimizer.beta_1, model.d_optimizer.beta_2) == (0.0, 0.9)


def test_gradient_penalty_of_a_linear_critic():
    """grad D = w everywhere: the penalty is (||w|| - 1)^2."""
    weights = np.random.RandomState(1).randn(64).astype("float32")
    model = tiny("WGANGP", discriminator=linear_critic(weights))
    real, fake = np.random.RandomState(2).uniform(-1, 1, (2, 6, 8, 8, 1)).astype("float32")
    penalty = model.gradient_penalty(ops.convert_to_tensor(real), ops.convert_to_tensor(fake), {})
    assert float(numpy(penalty)) == pytest.approx((np.linalg.norm(weights) - 1) ** 2, rel=1e-4)


def test_penalty_trains_the_critic():
    """Only the penalty is left when real and generated values agree: ||w|| goes to 1."""
    weights = np.full(64, 0.5, "float32")  # norm 4
    generator = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(64), keras.layers.Reshape((8, 8, 1))]
    )
    generator.layers[0].kernel.assign(np.zeros((4, 64)))
    model = kzoo.WGANGP((8, 8, 1), 4, generator=generator, discriminator=linear_critic(weights))
    model.compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(1e-9))
    grey = np.zeros((40, 8, 8, 1), "float32")  # what the generator draws, too
    model.fit(grey, batch_size=8, epochs=20, verbose=0)
    assert np.linalg.norm(numpy(model.discriminator.layers[-1].kernel)) == pytest.approx(
        1, abs=0.05
    )


def test_evaluation_has_no_penalty():
    weights = np.full(64, 0.5, "float32")
    model = tiny("WGANGP", discriminator=linear_critic(weights))
    scores = model.evaluate(IMAGES[:16], batch_size=16, verbose=0, return_dict=True)
    real = (IMAGES[:16].reshape(16, 64) / 127.5 - 1) @ weights
    assert scores["d_loss"] + real.mean() == pytest.approx(-scores["g_loss"], abs=1e-3)


@pytest.mark.once
def test_critic_has_no_batch_norm():
    names = [type(layer).__name__ for layer in kzoo.WGANGP().discriminator.layers]
    assert "BatchNormalization" not in names
    names = [type(layer).__name__ for layer in kzoo.WGAN().discriminator.layers]
    assert "BatchNormalization" in names


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("WGAN", {"clip": 0}, "clip.*0"),
        ("WGANGP", {"penalty_weight": -1.0}, "penalty_weight.*-1"),
        ("WGANGP", {"discriminator_steps": 0}, "discriminator_steps.*0"),
    ],
)
def test_wrong_arguments(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        tiny(name, **arguments)
