import keras
import numpy as np
import pytest

import kzoo
from kzoo import checks
from kzoo.cli import types


@pytest.mark.parametrize("seed", [0, 3, checks.MAX_SEED])
def test_a_seed_that_every_backend_takes(seed):
    draws = [
        keras.ops.convert_to_numpy(
            keras.random.normal((4,), seed=checks.seed_generator(np.int64(seed)))
        )
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*draws)
    model = kzoo.VAE((8, 8, 1), latent_dim=2, widths=(3,), dense_width=4, seed=seed)
    assert model.generate(1, seed=seed).shape == (1, 8, 8, 1)


@pytest.mark.parametrize("seed", [-1, 2**31, 2**40])
def test_a_seed_out_of_range_is_named(seed):
    message = f"seed must be in 0..2147483647, got {seed}"
    with pytest.raises(ValueError, match=message):
        kzoo.VAE((8, 8, 1), latent_dim=2, widths=(3,), dense_width=4, seed=seed)
    model = kzoo.GAN((8, 8, 1), 4, width=2)
    with pytest.raises(ValueError, match=message):
        model.generate(1, seed=seed)


@pytest.mark.parametrize("seed", ["0", 1.5, [1]])
def test_a_seed_of_another_type_is_named(seed):
    with pytest.raises(ValueError, match="seed must be an int"):
        checks.seed_generator(seed)


def test_the_command_line_knows_the_largest_seed():
    assert types.MAX_SEED == checks.MAX_SEED
