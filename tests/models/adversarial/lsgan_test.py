import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.losses import adversarial

IMAGES = np.random.RandomState(0).randint(0, 256, (48, 8, 8, 1)).astype("uint8")


def test_losses_are_the_papers():
    real, fake = np.array([0.5, -2.0], "float32"), np.array([1.5, 0.5], "float32")
    loss = adversarial.least_squares_discriminator_loss(real, fake, -1.0, 1.0)
    expected = 0.5 * (0.25 + 9.0) / 2 + 0.5 * (6.25 + 2.25) / 2
    assert float(ops.convert_to_numpy(loss)) == pytest.approx(expected)
    loss = adversarial.least_squares_generator_loss(fake, 1.0)
    assert float(ops.convert_to_numpy(loss)) == pytest.approx(0.125)


@pytest.mark.once
def test_discriminator_goes_to_its_labels():
    model = kzoo.LSGAN((8, 8, 1), 4, width=4, fake_label=-1, generator_label=0)
    model.compile(keras.optimizers.Adam(1e-2), keras.optimizers.SGD(0.0))
    white = np.full((64, 8, 8, 1), 255, "uint8")
    losses = model.fit(white, batch_size=16, epochs=8, verbose=0).history["d_loss"]
    assert losses[-1] < 0.2 * losses[0]
    values = model.logits(ops.ones((8, 8, 8, 1)), training=True)
    np.testing.assert_allclose(ops.convert_to_numpy(values), 1.0, atol=0.5)


def test_labels_are_in_the_config():
    model = kzoo.LSGAN((8, 8, 1), 4, width=4, fake_label=-1, generator_label=0)
    copy = kzoo.LSGAN.from_config(model.get_config())
    assert (copy.fake_label, copy.real_label, copy.generator_label) == (-1.0, 1.0, 0.0)


def test_equal_labels():
    with pytest.raises(ValueError, match="must differ, got 1.0 for both"):
        kzoo.LSGAN((8, 8, 1), 4, width=4, fake_label=1.0)
