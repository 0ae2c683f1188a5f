import statistics

import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from kzoo.visualization import interpolation_strip, latent_manifold
from kzoo.visualization.latents import lerp, slerp


class Latents:
    """Shows the two coordinates of a latent as the two pixels of an image."""

    latent_dim = 2

    def transform_noise(self, noise):
        return ops.reshape(ops.convert_to_tensor(noise) / 4.0, (-1, 1, 2, 1))


def shown(sheet):
    """The coordinates that a sheet without padding shows, (rows, columns, 2)."""
    return (sheet[:, :, 0].reshape(len(sheet), -1, 2) / 127.5 - 1) * 4


def test_slerp_keeps_to_the_circle_and_equal_angles():
    a, b = np.array([[3.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 3.0], [-1.0, 0.0]])
    angle = 0.3 * np.pi / 2
    expected = [[3 * np.cos(angle), 3 * np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    assert_allclose(slerp(a, b, 0.3), expected, atol=1e-12)
    for interpolate in (slerp, lerp):
        assert_allclose(interpolate(a, b, 0.0), a, atol=1e-12)
        assert_allclose(interpolate(a, b, 1.0), b, atol=1e-12)


def test_slerp_of_parallel_vectors_is_the_line():
    a = np.array([[1.0, 2.0]])
    b = np.array([[2.0, 4.0]])
    assert_allclose(slerp(a, b, 0.25), lerp(a, b, 0.25))


@pytest.mark.parametrize("spherical", [True, False])
def test_strip_goes_from_latent_to_latent(spherical, tmp_path):
    arguments = {"steps": 5, "rows": 3, "seed": 4, "spherical": spherical}
    sheet = interpolation_strip(Latents(), path=tmp_path / "strip.png", **arguments)
    assert sheet.shape == (3 * 3 + 2, 5 * 4 + 2, 1) and (tmp_path / "strip.png").exists()
    z = shown(np.stack([sheet[2::3, 2 + 4 * i : 4 + 4 * i] for i in range(5)], 1).reshape(3, -1, 1))
    interpolate = slerp if spherical else lerp
    for i in range(5):
        assert_allclose(z[:, i], interpolate(z[:, 0], z[:, -1], i / 4), atol=0.08)
    assert_array_equal(interpolation_strip(Latents(), **arguments), sheet)
    assert not np.array_equal(interpolation_strip(Latents(), **{**arguments, "seed": 5}), sheet)


def test_manifold_spreads_the_latents_by_the_gaussian_quantiles():
    z = shown(latent_manifold(Latents(), n=4))
    quantiles = [statistics.NormalDist().inv_cdf(p) for p in (0.125, 0.375, 0.625, 0.875)]
    for i in range(4):
        assert_allclose(z[i, :, 0], quantiles, atol=0.02)  # rises to the right
        assert_allclose(z[::-1, i, 1], quantiles, atol=0.02)  # rises upwards


def test_errors():
    class Wide(Latents):
        latent_dim = 3

    with pytest.raises(ValueError, match="latent_dim 2, got 3"):
        latent_manifold(Wide())
    with pytest.raises(ValueError, match="n must.*0"):
        latent_manifold(Latents(), n=0)
    with pytest.raises(ValueError, match="steps.*1"):
        interpolation_strip(Latents(), steps=1)
    for function in (latent_manifold, interpolation_strip):
        with pytest.raises(ValueError, match="latents.*got object"):
            function(object())
