import numpy as np
import pytest

from kzoo.distributions.divergences import log_mean_weights


@pytest.mark.parametrize("batch_size", [1, 4, 30, 1000])
def test_the_mean_is_that_of_as_many_weights_as_asked_for(batch_size):
    """Weights far apart, which a sum without care would lose; chunks that divide nothing."""
    drawn = {image: [] for image in range(7)}
    rng = np.random.default_rng(0)
    shapes = set()

    def log_weights(index, repeats):
        weights = rng.normal(-800.0, 30.0, (repeats, len(index)))
        shapes.add(weights.shape)
        assert weights.size <= batch_size
        for place, image in enumerate(index):  # the last group is filled up with first images
            drawn[image].extend(weights[:, place])
        return weights

    means = log_mean_weights(7, 11, batch_size, log_weights)
    assert means.shape == (7,) and len(shapes) == 1
    for image, mean in enumerate(means):
        first = np.array(drawn[image][:11]) + 800.0
        assert mean == pytest.approx(np.log(np.mean(np.exp(first))) - 800.0, abs=1e-9)


def test_wrong_numbers():
    for arguments in ((3, 0, 5), (3, 5, 0)):
        with pytest.raises(ValueError, match="must be a positive integer, got 0"):
            log_mean_weights(*arguments, lambda index, repeats: np.zeros((repeats, len(index))))
