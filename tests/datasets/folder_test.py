import numpy as np
import pytest
from PIL import Image

import kzoo.datasets
from kzoo.datasets.preprocessing import Preprocessing


def random_image(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def save(path, array, **options):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(array).save(path, **options)


def test_lossless_formats_and_order(tmp_path):
    images = [random_image(6, 5, 3, seed=i) for i in range(3)]
    save(tmp_path / "a.png", images[0])
    save(tmp_path / "b" / "x.BMP", images[1])
    save(tmp_path / "c.webp", images[2], lossless=True)
    (tmp_path / "notes.txt").write_text("not an image")
    dataset = kzoo.datasets.from_directory(tmp_path, 2, shuffle=False)
    assert isinstance(dataset, kzoo.datasets.ArrayDataset)
    assert (len(dataset), dataset.image_shape) == (2, (6, 5, 3))
    np.testing.assert_array_equal(kzoo.datasets.to_arrays(dataset)[0], images)


def test_lossy_and_palette_formats(tmp_path):
    flat = np.zeros((8, 8, 3), "uint8") + np.array([200, 40, 90], "uint8")
    save(tmp_path / "a.jpg", flat, quality=95)
    Image.fromarray(flat).save(
        tmp_path / "b.gif", save_all=True, append_images=[Image.new("RGB", (8, 8))]
    )
    images, _ = kzoo.datasets.to_arrays(kzoo.datasets.from_directory(tmp_path, shuffle=False))
    assert np.abs(images.astype(int) - flat).max() <= 4  # of the animation, the first frame


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels(tmp_path, channels):
    grey = random_image(4, 4)
    save(tmp_path / "a.png", grey)
    images = kzoo.datasets.from_directory(tmp_path, channels=channels)[0]
    assert images.shape == (1, 4, 4, channels)
    np.testing.assert_array_equal(images[0, ..., 0], grey)
    if channels == 4:
        assert (images[..., 3] == 255).all()


def test_sizes(tmp_path):
    files = [random_image(9, 12, 3), random_image(16, 8, 3)]
    save(tmp_path / "a.png", files[0])
    save(tmp_path / "b.png", files[1])
    with pytest.raises(ValueError, match=r"\(9, 12\) in .*a.png and \(16, 8\) in .*b.png"):
        kzoo.datasets.from_directory(tmp_path)
    dataset = kzoo.datasets.from_directory(tmp_path, image_size=6, pad_to=8, shuffle=False)
    options = Preprocessing(image_size=6, pad_to=8)
    np.testing.assert_array_equal(
        dataset[0], np.concatenate([options.apply(file[None]) for file in files])
    )


def test_labels_are_subfolders(tmp_path):
    for i, name in enumerate(["cat/1.png", "cat/deep/2.png", "dog/1.png"]):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        save(tmp_path / name, np.full((2, 2), i, "uint8"))
    options = {"channels": 1, "labels": True}
    images, labels = kzoo.datasets.from_directory(tmp_path, shuffle=False, **options)[0]
    assert images[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert labels.tolist() == [0, 0, 1]
    save(tmp_path / "stray.png", np.zeros((2, 2), "uint8"))
    with pytest.raises(ValueError, match="every image in a subfolder"):
        kzoo.datasets.from_directory(tmp_path, **options)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".bmp", ".webp"])
@pytest.mark.parametrize("keep", [0.0, 0.5])
def test_damaged_file_is_named(tmp_path, suffix, keep):
    save(tmp_path / "good.png", random_image(32, 32, 3))
    bad = tmp_path / f"bad{suffix}"
    save(bad, random_image(32, 32, 3))
    content = bad.read_bytes()
    bad.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(ValueError, match=f"cannot read the image .*bad{suffix}"):
        kzoo.datasets.from_directory(tmp_path)


def test_sixteen_bits_are_refused(tmp_path):
    save(tmp_path / "deep.png", np.full((4, 4), 1000, "uint16"))
    with pytest.raises(ValueError, match="deep.png.*I;16.*8 bits"):
        kzoo.datasets.from_directory(tmp_path)


def test_wrong_folder_and_options(tmp_path):
    with pytest.raises(NotADirectoryError, match="none"):
        kzoo.datasets.from_directory(tmp_path / "none")
    with pytest.raises(ValueError, match="no image files"):
        kzoo.datasets.from_directory(tmp_path)
    with pytest.raises(ValueError, match="channels .*got 2"):
        kzoo.datasets.from_directory(tmp_path, channels=2)
