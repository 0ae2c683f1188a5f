import numpy as np
from keras import ops

from kzoo.losses import adversarial

RNG = np.random.default_rng(0)
REAL, FAKE = RNG.normal(size=(6, 1)) * 2, RNG.normal(size=(6, 1)) * 2


def test_hinge_losses_against_numpy():
    d_loss = adversarial.hinge_discriminator_loss(ops.array(REAL), ops.array(FAKE))
    expected = np.maximum(0, 1 - REAL).mean() + np.maximum(0, 1 + FAKE).mean()
    np.testing.assert_allclose(ops.convert_to_numpy(d_loss), expected, rtol=1e-6)
    g_loss = adversarial.hinge_generator_loss(ops.array(FAKE))
    np.testing.assert_allclose(ops.convert_to_numpy(g_loss), -FAKE.mean(), rtol=1e-6)


def test_hinge_loss_of_a_discriminator_that_tells_nothing():
    zeros = ops.zeros((4, 1))
    assert float(adversarial.hinge_discriminator_loss(zeros, zeros)) == 2.0


def test_hinge_loss_beyond_the_margin():
    real, fake = ops.array([[1.5], [3.0]]), ops.array([[-1.0], [-7.0]])
    assert float(adversarial.hinge_discriminator_loss(real, fake)) == 0.0
