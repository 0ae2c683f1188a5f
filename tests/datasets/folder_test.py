import json

import numpy as np
import pytest
from PIL import Image

import kzoo.datasets
from kzoo.datasets.preprocessing import Preprocessing


def random_image(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
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


def test_lossy_palette_and_cmyk_formats(tmp_path):
    colour = [200, 40, 90]
    flat = np.zeros((8, 8, 3), "uint8") + np.array(colour, "uint8")
    save(tmp_path / "a.jpg", flat, quality=95)
    save(tmp_path / "b.gif", flat)
    image = Image.fromarray(flat)
    image.quantize(4).save(tmp_path / "c.png")
    image.convert("CMYK").save(tmp_path / "d.jpg", quality=95)
    image.convert("CMYK").save(tmp_path / "e.tif")
    images, _ = kzoo.datasets.to_arrays(kzoo.datasets.from_directory(tmp_path, shuffle=False))
    assert np.abs(images.astype(int) - colour).max() <= 5


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp", "a.tiff"])
def test_several_frames_or_pages_are_refused_by_name(tmp_path, name):
    frames = [Image.fromarray(random_image(8, 8, 3, seed=i)) for i in range(3)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError, match=f"{name}.*3 frames or pages, expected one"):
        kzoo.datasets.from_directory(tmp_path)


def test_hidden_files_and_folders_are_passed_over(tmp_path):
    for name in ("cat/1.png", "cat/._1.png", ".ipynb_checkpoints/1.png", "cat/.thumbs/2.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        save(tmp_path / name, random_image(4, 4, 3))
    (tmp_path / "cat" / "._2.png").write_bytes(b"not an image")
    dataset = kzoo.datasets.from_directory(tmp_path, labels=True)
    assert (dataset.num_examples, dataset.class_names) == (1, ["cat"])


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path):
    save(tmp_path / "elsewhere" / "1.png", random_image(4, 4, 3))
    folder = tmp_path / "data"
    folder.mkdir()
    try:
        (folder / "cat").symlink_to(tmp_path / "elsewhere")
        (folder / "dog").symlink_to(tmp_path / "elsewhere")
        (tmp_path / "elsewhere" / "back").symlink_to(folder)
        (tmp_path / "elsewhere" / "self").symlink_to(tmp_path / "elsewhere")
    except OSError:
        pytest.skip("links need a permission here")
    dataset = kzoo.datasets.from_directory(folder, labels=True, shuffle=False)
    assert dataset.class_names == ["cat", "dog"]
    assert dataset.labels.tolist() == [0, 1]


def test_transparent_pixels_show_the_background(tmp_path):
    pixels = np.zeros((2, 2, 4), "uint8") + np.array([10, 20, 30, 0], "uint8")
    pixels[0, :, 3] = 255
    image = Image.fromarray(pixels)
    image.save(tmp_path / "a.png")
    image.quantize(2).save(tmp_path / "b.png")  # a palette with a transparent colour
    Image.fromarray(pixels[..., [0, 3]]).save(tmp_path / "c.png")  # grey with opacity

    def read(**options):
        dataset = kzoo.datasets.from_directory(tmp_path, shuffle=False, **options)
        return dataset.images.astype(int)

    for options, expected in (({}, [255] * 3), ({"background": (1, 2, 3)}, [1, 2, 3])):
        images = read(**options)
        np.testing.assert_array_equal(images[:, 1], np.broadcast_to(expected, (3, 2, 3)))
        assert np.abs(images[:2, 0] - [10, 20, 30]).max() <= 2
        np.testing.assert_array_equal(images[2, 0], 10)
    assert (read(channels=1, background="#808080")[:, 1] == 128).all()
    assert read(channels=4)[:, :, 0, 3].tolist() == [[255, 0]] * 3  # kept
    for wrong in ("no colour", (1, 2), (0, 0, 300), "#ffffff80", None):
        with pytest.raises(ValueError, match="background must be"):
            read(background=wrong)


def test_images_are_turned_upright(tmp_path):
    pixels = random_image(4, 6, 3)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    image = kzoo.datasets.from_directory(tmp_path)[0][0]
    np.testing.assert_array_equal(image, np.rot90(pixels, -1))


def test_unreadable_files_can_be_skipped(tmp_path):
    good = random_image(4, 4, 3)
    for name in ("a", "c"):
        save(tmp_path / name / "1.png", good)
        (tmp_path / name / "2.png").write_bytes(b"damaged")
    (tmp_path / "captions.csv").write_text(
        "file_name,caption\n" + "".join(f"{n}/{i}.png,{n}{i}\n" for n in "ca" for i in (1, 2))
    )
    options = {"labels": True, "captions": tmp_path / "captions.csv", "shuffle": False}
    with pytest.warns(UserWarning, match="2 of 4 images cannot be read .*a/2.png"):
        dataset = kzoo.datasets.from_directory(tmp_path, skip_errors=True, **options)
    assert dataset.skipped_files == [str(tmp_path / n / "2.png") for n in "ac"]
    batch = dataset[0]
    assert (batch["label"].tolist(), batch["caption"].tolist()) == ([1, 0], ["c1", "a1"])
    assert dataset.file_paths == [str(tmp_path / n / "1.png") for n in "ca"]
    with pytest.raises(ValueError, match="2 of 4 images cannot be read: .*a/2.png.*; .*c/2.png"):
        kzoo.datasets.from_directory(tmp_path, **options)
    for name in ("a", "c"):
        (tmp_path / name / "1.png").write_bytes(b"damaged too")
    with pytest.raises(ValueError, match=r"4 of 4 images cannot be read: .*; \.\.\.$"):
        kzoo.datasets.from_directory(tmp_path, skip_errors=True, **options)


def test_file_paths_follow_the_images(tmp_path):
    for i in range(6):
        save(tmp_path / f"{i}.png", np.full((4, 4), i, "uint8"))
    dataset = kzoo.datasets.from_directory(tmp_path, channels=1, shuffle=True)
    for part in (dataset, *dataset.split(0.5, seed=3)):
        shown = part.images[:, 0, 0, 0].tolist()
        assert part.file_paths == [str(tmp_path / f"{i}.png") for i in shown]
    assert repr(dataset) == "<ArrayDataset of 1 batches of 64: image uint8 (6, 4, 4, 1)>"
    assert kzoo.datasets.from_arrays(dataset.images).file_paths is None


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
    (tmp_path / "bird").mkdir()
    with pytest.warns(UserWarning, match="class folders without images: bird"):
        dataset = kzoo.datasets.from_directory(tmp_path, **options)
    assert dataset.class_names == ["bird", "cat", "dog"]
    assert sorted(dataset.labels) == [1, 1, 2]
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


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_become_eight_and_more_are_refused(tmp_path, suffix):
    levels = np.array([[0, 128, 129], [1000, 257 * 200, 65535]], "uint16")
    save(tmp_path / f"deep{suffix}", levels)
    image = kzoo.datasets.from_directory(tmp_path, channels=1)[0]
    assert image.ravel().tolist() == [0, 0, 1, 4, 200, 255]
    save(tmp_path / "float.tif", levels.astype("float32"))
    with pytest.raises(ValueError, match="float.tif.*32 bits"):
        kzoo.datasets.from_directory(tmp_path)


@pytest.fixture
def pairs(tmp_path):
    """Folders of three images and of their sources, with the number of each as grey value."""
    for i, name in enumerate(["deep/x.png", "y.png", "z.v2.png"]):
        for folder, value in (("images", i), ("sources", i + 100)):
            path = (tmp_path / folder / name).with_suffix(".bmp" if folder == "sources" else ".png")
            path.parent.mkdir(parents=True, exist_ok=True)
            save(path, np.full((4, 6), value, "uint8"))
    return tmp_path / "images", tmp_path / "sources"


def test_sources_are_paired_by_file_name(pairs):
    dataset = kzoo.datasets.from_directory(
        pairs[0], 2, sources=pairs[1], channels=1, image_size=2, pad_to=4, seed=0
    )
    assert dataset.image_shapes == {"image": (4, 4, 1), "source": (4, 4, 1)}
    for batch in dataset:
        np.testing.assert_array_equal(
            batch["source"][:, 1:3, 1:3], batch["image"][:, 1:3, 1:3] + 100
        )


def test_wrong_sources(pairs):
    images, sources = pairs
    (sources / "y.bmp").rename(sources / "w.bmp")
    with pytest.raises(ValueError, match="there are 1 images without sources: y"):
        kzoo.datasets.from_directory(images, sources=sources)
    (images / "y.png").rename(images / "w.png")
    save(sources / "y.png", np.zeros((4, 6), "uint8"))
    with pytest.raises(ValueError, match="there are 1 sources without image: y"):
        kzoo.datasets.from_directory(images, sources=sources)
    (sources / "y.png").rename(sources / "w.png")
    with pytest.raises(ValueError, match="expected one file per name, got .*w.bmp and .*w.png"):
        kzoo.datasets.from_directory(images, sources=sources)
    (sources / "w.png").unlink()
    save(sources / "w.bmp", np.zeros((5, 6), "uint8"))
    with pytest.raises(ValueError, match=r"\(4, 6\) in .*w.png and \(5, 6\) in .*w.bmp"):
        kzoo.datasets.from_directory(images, sources=sources, image_size=4)
    with pytest.raises(NotADirectoryError, match="none"):
        kzoo.datasets.from_directory(images, sources=images / "none")


CSV = """caption,file_name
"a thing, deep",deep/x.png
second,y.png
another second,y.png
\N{SNOWMAN},z.v2.png
"""


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_captions(pairs, suffix):
    folder = pairs[0]
    texts = ["a thing, deep", "second", "another second", "\N{SNOWMAN}"]
    names = ["deep/x.png", "y.png", "y.png", "z.v2.png"]
    content = CSV
    if suffix == ".jsonl":
        entries = [{"file_name": n, "caption": t, "more": 1} for n, t in zip(names, texts)]
        content = "\n".join(json.dumps(entry) for entry in entries)
    file = folder / f"captions{suffix}"
    file.write_text(content, encoding="utf-8")
    dataset = kzoo.datasets.from_directory(folder, captions=file, channels=1, shuffle=False)
    batch = dataset[0]
    assert list(batch) == ["image", "caption"]
    assert batch["image"][:, 0, 0, 0].tolist() == [0, 1, 1, 2]
    assert batch["caption"].tolist() == texts
    assert dataset.file_paths == [str(folder / name) for name in names]
    every = kzoo.datasets.from_directory(folder, captions=file, sources=pairs[1])[0]
    assert list(every) == ["image", "source", "caption"]
    np.testing.assert_array_equal(every["source"], every["image"] + 100)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "", "must be a .csv or .jsonl file, got .*a.txt"),
        ("a.csv", "file,caption\ny.png,b\n", "entry 1 .*a.csv.* 'file_name' and 'caption', got"),
        ("a.csv", "file_name,caption\ny.png\n", "entry 1 .*a.csv.*'caption': None"),
        ("a.csv", CSV.replace("y.png", "w.png"), "1 images without captions: y.png"),
        ("a.csv", CSV + "none,none.png\n", "1 captions without image: none.png"),
        ("a.jsonl", '{"file_name": "y.png"}', "entry 1 .*a.jsonl"),
        ("a.jsonl", "[1]", "entry 1 .*a.jsonl"),
        ("a.jsonl", "no JSON", "a.jsonl.*Expecting value"),
    ],
)
def test_wrong_captions(pairs, name, content, message):
    (pairs[0] / name).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        kzoo.datasets.from_directory(pairs[0], captions=pairs[0] / name)


def test_wrong_folder_and_options(tmp_path):
    with pytest.raises(NotADirectoryError, match="none"):
        kzoo.datasets.from_directory(tmp_path / "none")
    with pytest.raises(ValueError, match="no image files"):
        kzoo.datasets.from_directory(tmp_path)
    with pytest.raises(ValueError, match="channels .*got 2"):
        kzoo.datasets.from_directory(tmp_path, channels=2)
