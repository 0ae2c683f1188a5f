import numpy as np
import pytest

from kzoo.batching import in_batches


@pytest.mark.parametrize(("fill", "sizes"), [(True, [3, 3, 3]), (False, [3, 3, 1])])
def test_the_last_batch_is_filled_up_or_not(fill, sizes):
    seen, x = [], np.arange(7.0)

    def function(a, nest, nothing):
        assert nothing is None
        seen.append(len(a))
        return a + 1, nest["b"][:, None]

    first, second = in_batches(function, 3, x, {"b": -x}, None, fill=fill)
    assert seen == sizes
    np.testing.assert_array_equal(first, x + 1)
    np.testing.assert_array_equal(second, -x[:, None])


def test_errors():
    with pytest.raises(ValueError, match="batch_size must be a positive integer, got 0"):
        in_batches(np.copy, 0, np.ones(3))
    with pytest.raises(ValueError, match="at least one image or latent, got the shape"):
        in_batches(np.copy, 3, np.ones((0, 2)))
