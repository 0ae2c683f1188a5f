import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from kzoo.visualization import image_grid


def images_of(n, channels=1):
    return np.random.default_rng(n).integers(0, 256, (n, 4, 3, channels), dtype="uint8")


def test_places_every_image_in_its_cell():
    images = images_of(5, channels=3)
    sheet = image_grid(images, columns=2, padding=1, background=7)
    assert sheet.shape == (3 * 5 + 1, 2 * 4 + 1, 3) and sheet.dtype == np.uint8
    for i, image in enumerate(images):
        top, left = 1 + 5 * (i // 2), 1 + 4 * (i % 2)
        assert_array_equal(sheet[top : top + 4, left : left + 3], image)
        sheet[top : top + 4, left : left + 3] = 7
    assert (sheet == 7).all()  # all else, the empty cell too, is background


def test_default_columns_make_a_square():
    assert image_grid(images_of(64), padding=0).shape == (32, 24, 1)
    assert image_grid(images_of(5), padding=0).shape == (8, 9, 1)


def test_scale_repeats_pixels():
    image = images_of(1)
    sheet = image_grid(image, scale=3, padding=0)
    assert_array_equal(sheet, np.kron(image[0, :, :, 0], np.ones((3, 3), "uint8"))[..., None])


@pytest.mark.parametrize(
    "shape, hint",
    [
        ((2, 3, 8, 6), "Channels come last"),
        ((2, 1, 8, 6), "Channels come last"),
        ((2, 8, 6, 4), "transparent"),
        ((2, 8, 6, 2), r"got uint8 of shape \(2, 8, 6, 2\)\.$"),
        ((8, 6, 3), r"got uint8 of shape \(8, 6, 3\)\.$"),
    ],
)
def test_other_layouts_are_named(shape, hint):
    with pytest.raises(ValueError, match=hint):
        image_grid(np.zeros(shape, "uint8"))


@pytest.mark.parametrize("channels", [1, 3])
def test_written_file_holds_the_sheet(tmp_path, channels):
    path = tmp_path / "sheet.png"
    path.write_bytes(b"an older sheet")
    images = keras.ops.convert_to_tensor(images_of(4, channels))
    sheet = image_grid(images, path=path)
    assert_array_equal(np.asarray(Image.open(path)).reshape(sheet.shape), sheet)
    assert [file.name for file in tmp_path.iterdir()] == ["sheet.png"]


def test_errors(tmp_path):
    for images in (np.zeros((2, 4, 4, 1)), np.zeros((4, 4, 1), "uint8"), np.zeros((2, 4, 4, 2))):
        with pytest.raises(ValueError, match="uint8 images"):
            image_grid(images)
    with pytest.raises(ValueError, match="at least one image"):
        image_grid(images_of(0))
    for name, value in {"columns": -1, "scale": 0, "padding": -2, "background": 256}.items():
        with pytest.raises(ValueError, match=f"{name}.*{value}"):
            image_grid(images_of(2), **{name: value})
    with pytest.raises(ValueError, match="png.*sheet.jpg"):
        image_grid(images_of(2), path=tmp_path / "sheet.jpg")
    assert not list(tmp_path.iterdir())


def test_folders_of_a_sheet_are_made(tmp_path):
    sheet = image_grid(images_of(2), path=tmp_path / "new" / "folder" / "sheet.png")
    found = np.asarray(Image.open(tmp_path / "new" / "folder" / "sheet.png"))
    assert_array_equal(found, sheet[..., 0])
