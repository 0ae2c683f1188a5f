import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from kzoo.visualization import arithmetic_sheet, latent_traversals, reconstruction_sheet


class Pixels:
    """Codes are the three pixels of an image, times 3; some models give a posterior."""

    latent_dim = 3
    image_shape = (1, 3, 1)

    def __init__(self, posterior=False):
        self.posterior = posterior

    def encode(self, images):
        scaled = images if images.dtype != np.uint8 else images / 127.5 - 1
        mean = 3.0 * scaled.reshape(-1, 3)
        return (mean, np.zeros_like(mean)) if self.posterior else mean

    def decode(self, codes):
        return np.clip(codes / 3.0, -1, 1).reshape(-1, 1, 3, 1).astype("float32")


def shown(sheet, columns):
    """The codes that a sheet with a padding of 2 shows, (rows, columns, 3)."""
    rows = (sheet.shape[0] - 2) // 3
    cells = [
        [sheet[2 + 3 * r, 2 + 5 * c : 5 + 5 * c, 0] for c in range(columns)] for r in range(rows)
    ]
    return (np.array(cells) / 127.5 - 1) * 3


@pytest.fixture
def images():
    """Pixel 1 varies most, then 2, then 0; all around -1."""
    rng = np.random.default_rng(0)
    values = -1 / 3 + rng.standard_normal((200, 3)) * np.array([0.02, 0.2, 0.1])
    return np.clip(values, -1, 1).reshape(-1, 1, 3, 1).astype("float32")


def test_traversals_of_a_posterior_span_the_prior_in_the_order_of_kl(images, tmp_path):
    # All variances are 1 (log 0), so KL is the mean square: pixel 1, pixel 2, pixel 0.
    sheet = latent_traversals(
        Pixels(True), images, image=images[0], steps=5, extent=2.0, path=tmp_path / "t.png"
    )
    z = shown(sheet, 5)
    assert z.shape == (3, 5, 3) and Image.open(tmp_path / "t.png").size == sheet.shape[1::-1]
    start = 3 * images[0].ravel()
    for row, dimension in zip(z, (1, 2, 0)):
        assert_allclose(row[:, dimension], [-2, -1, 0, 1, 2], atol=0.03)
        others = [d for d in range(3) if d != dimension]
        assert_allclose(row[:, others], np.tile(start[others], (5, 1)), atol=0.03)


def test_traversals_of_codes_span_their_own_spread_around_the_average(images):
    z = shown(latent_traversals(Pixels(), images, num_dimensions=2, steps=3, extent=1.5), 3)
    assert z.shape == (2, 3, 3)
    codes = 3 * images.reshape(-1, 3)
    mean, std = codes.mean(axis=0), codes.std(axis=0)
    for row, dimension in zip(z, (1, 2)):
        expected = np.tile(mean, (3, 1))
        expected[:, dimension] += std[dimension] * np.array([-1.5, 0, 1.5])
        assert_allclose(row, expected, atol=0.03)


def test_reconstructions_stand_below_their_images():
    class Doubled(Pixels):
        def decode(self, codes):
            return super().decode(2 * codes)

    images = np.arange(100, 115, dtype="uint8").reshape(5, 1, 3, 1)
    sheet = reconstruction_sheet(Doubled(), images, columns=3)
    z = shown(sheet, 3)
    assert z.shape == (4, 3, 3)
    truth = 3 * (images.reshape(5, 3) / 127.5 - 1)
    assert_allclose(z[0], truth[:3], atol=0.02)
    assert_allclose(z[1], 2 * truth[:3], atol=0.02)
    assert_allclose(z[2, :2], truth[3:], atol=0.02)
    assert_allclose(z[3, :2], 2 * truth[3:], atol=0.02)
    assert (z[2:, 2] == -3).all()  # filled up
    floats = images / np.float32(127.5) - 1
    assert_array_equal(reconstruction_sheet(Doubled(), floats, columns=3), sheet)


def test_arithmetic_shows_averages_and_their_sum():
    rng = np.random.default_rng(1)
    groups = [rng.uniform(-0.3, 0.3, (n, 1, 3, 1)).astype("float32") for n in (4, 6, 5)]
    z = shown(arithmetic_sheet(Pixels(), *groups, rows=1), 4)[0]
    first, minus, plus = (3 * group.mean(axis=0).ravel() for group in groups)
    assert_allclose(z, [first, minus, plus, first - minus + plus], atol=0.03)
    rows = shown(arithmetic_sheet(Pixels(), *groups, rows=2, seed=3), 4)
    assert_allclose(rows[:, 3], rows[:, 0] - rows[:, 1] + rows[:, 2], atol=0.05)
    # The shares are disjoint: of equal size, their averages average to that of the group.
    assert_allclose(rows[:, 0].mean(axis=0), first, atol=0.03)
    assert not np.allclose(rows[0, 0], rows[1, 0], atol=0.03)


def test_errors(images):
    with pytest.raises(ValueError, match="steps.*1"):
        latent_traversals(Pixels(), images, steps=1)
    with pytest.raises(ValueError, match="extent.*0"):
        latent_traversals(Pixels(), images, extent=0)
    with pytest.raises(ValueError, match="got object"):
        latent_traversals(object(), images)
    with pytest.raises(ValueError, match="columns.*0"):
        reconstruction_sheet(Pixels(), images, columns=0)
    with pytest.raises(ValueError, match="at least 4 images per group, got 2"):
        arithmetic_sheet(Pixels(), images, images[:2], images)
