import numpy as np
import pytest

import kzoo
from kzoo.callbacks import StageHistory

IMAGES = np.random.RandomState(0).randint(0, 256, (48, 8, 8, 1)).astype("uint8")


def test_one_value_per_stage():
    model = kzoo.CFGGAN(
        (8, 8, 1), 4, width=2, num_steps=2, batch_size=8, pool_size=8, approximator_epochs=1
    )
    model.compile()
    stages = StageHistory()
    epochs = model.fit(IMAGES, epochs=2, callbacks=[stages], verbose=0).history
    assert stages.history["stage"] == [1, 2, 3, 4, 5, 6]
    assert set(stages.history) == {"stage", *model.loss_names}
    for name in model.loss_names:  # an epoch's value is the average of its three stages
        averages = np.reshape(stages.history[name], (2, 3)).mean(axis=1)
        np.testing.assert_allclose(averages, epochs[name], rtol=1e-4, atol=1e-6)
    assert len(set(stages.history["g_loss"])) == 6


def test_other_models_have_no_stages():
    gan = kzoo.GAN((8, 8, 1), 4, width=2)
    gan.compile()
    with pytest.raises(ValueError, match="grows in stages .* got GAN"):
        gan.fit(IMAGES, callbacks=[StageHistory()], verbose=0)
