import keras
import numpy as np
import pytest
from keras import ops

from kzoo.layers import ImagePool


def numbered(first, count):
    """Images (count, 2, 2, 1) whose pixels hold first, first + 1, ..."""
    numbers = np.arange(first, first + count, dtype="float32")
    return np.ones((count, 2, 2, 1), "float32") * numbers[:, None, None, None]


def numbers(images):
    images = ops.convert_to_numpy(images)
    assert (images == images[:, :1, :1]).all()
    return images[:, 0, 0, 0].astype(int).tolist()


def test_it_fills_and_gives_back_what_is_new():
    pool = ImagePool(5, (2, 2, 1), seed=0)
    assert numbers(pool(numbered(1, 3))) == [1, 2, 3]
    assert numbers(pool.images) == [1, 2, 3, 0, 0] and int(pool.count) == 3
    # The batch that fills it: there is room for two more.
    assert numbers(pool(numbered(4, 3))) == [4, 5, 6]
    assert numbers(pool.images) == [1, 2, 3, 4, 5] and int(pool.count) == 5


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_half_of_the_images_are_past_ones(batch_size):
    """An image that is given has been in the pool, and is in it no longer."""
    size, calls = 5, 400 // batch_size
    pool = ImagePool(size, (2, 2, 1), seed=1)
    first = -(-size // batch_size) * batch_size
    for start in range(0, first, batch_size):
        pool(numbered(start, batch_size))
    past, taken = 0, np.zeros(size, int)
    for call in range(calls):
        before = numbers(pool.images)
        new = list(range(first + call * batch_size, first + (call + 1) * batch_size))
        given, after = numbers(pool(numbered(new[0], batch_size))), numbers(pool.images)
        assert sorted(given + after) == sorted(before + new)  # nothing is lost, or there twice
        for image, other in zip(new, given):
            if other != image:
                slot = before.index(other)
                assert after[slot] == image
                past, taken[slot] = past + 1, taken[slot] + 1
    possible = calls * min(batch_size, size)
    assert past / possible == pytest.approx(0.5, abs=3 * 0.5 / possible**0.5)
    # Every place of the pool is as likely as any other.
    assert taken / past == pytest.approx(1 / size, abs=4 * (0.16 / past) ** 0.5)


def test_config():
    pool = ImagePool(3, (2, 4, 1), seed=7)
    copy = ImagePool.from_config(pool.get_config())
    assert copy.get_config() == pool.get_config()
    assert (copy.size, copy.image_shape, copy.seed) == (3, (2, 4, 1), 7)
    assert not pool.trainable_variables and pool.images.dtype == "float32"
    shared = ImagePool(3, (2, 4, 1), seed=keras.random.SeedGenerator(0))
    assert shared.get_config()["seed"] is None


def test_wrong_arguments():
    with pytest.raises(ValueError, match="size must be .*got 0"):
        ImagePool(0, (2, 2, 1))
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        ImagePool(3, (2, 2))
