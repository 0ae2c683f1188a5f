import numpy as np
import pytest
from PIL import Image

from kzoo.visualization import nearest_neighbor_panel


def test_a_row_is_an_image_and_its_neighbors(tmp_path):
    images = np.array([10, 20], "uint8").reshape(2, 1, 1, 1)
    neighbors = np.array([[11, 12], [21, 22]], "uint8").reshape(2, 2, 1, 1, 1)
    sheet = nearest_neighbor_panel(images, neighbors, path=tmp_path / "panel.png")
    assert sheet.shape == (8, 11, 1)  # 2 x 3 pixels, with 2 pixels between and around them
    np.testing.assert_array_equal(sheet[2::3, 2::3, 0], [[10, 11, 12], [20, 21, 22]])
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "panel.png")), sheet[:, :, 0])
    assert nearest_neighbor_panel(images, neighbors, scale=3).shape == (12, 17, 1)


@pytest.mark.parametrize("shape", [(2, 4, 4, 3), (3, 1, 4, 4, 3), (2, 1, 4, 5, 3)])
def test_neighbors_of_another_shape(shape):
    with pytest.raises(ValueError, match=r"Expected neighbors of shape \(n, k, height"):
        nearest_neighbor_panel(np.zeros((2, 4, 4, 3), "uint8"), np.zeros(shape, "uint8"))


def test_floats():
    with pytest.raises(ValueError, match="uint8"):
        nearest_neighbor_panel(np.zeros((2, 4, 4, 3), "uint8"), np.zeros((2, 1, 4, 4, 3)))
