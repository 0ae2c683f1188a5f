import math

import pytest

from kzoo.callbacks import CheckFinite


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_any_loss_that_is_not_finite_stops_the_training(value):
    with pytest.raises(RuntimeError, match=f"g_loss is {value}"):
        CheckFinite().on_train_batch_end(0, {"d_loss": 0.5, "g_loss": value})


def test_finite_losses_pass():
    CheckFinite().on_train_batch_end(0, {"d_loss": 0.5, "g_loss": -3.0})
    CheckFinite().on_train_batch_end(0, None)
