"""The site is built without a warning, and the Python blocks of README and of its pages run."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import kzoo
from tests.conftest import REPOSITORY
from tests.examples import gallery

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="pages are checked once; the code in them has tests"
)

PAGES = [
    REPOSITORY / "README.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
    *sorted((REPOSITORY / "docs").glob("lecture/*.md")),
    *sorted((REPOSITORY / "docs").glob("guide/*.md")),
]
PAGES = [page for page in PAGES if re.search(r"^```python$", page.read_text(), re.M)]


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)


def colour(count, size=32):
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype="uint8")


def load(name, split="train", labels=None, features=None, **options):
    """In place of `kzoo.datasets.load`: a few made-up images, as that gives them."""
    options.pop("crop_to_aspect_ratio", None)
    count, size = 16, options.pop("image_size", None)
    images = colour(count, size or 32)
    if name == "mnist":
        images = images[:, :28, :28, :1]
    label = np.arange(count) % 10
    if features:
        given = {n: label if n == "label" else images for n in features}
        return kzoo.datasets.ArrayDataset(given, **options)
    return kzoo.datasets.ArrayDataset(images, label if labels else None, **options)


def write_folder(folder, images):
    Path(folder).mkdir(parents=True)
    for i, image in enumerate(images):
        kzoo.visualization.image_grid(image[None], padding=0, path=Path(folder, f"{i}.png"))


@pytest.fixture
def user_files(tmp_path, monkeypatch):
    """The folders and files that the pages name."""
    monkeypatch.chdir(tmp_path)
    np.save("images.npy", colour(512, 28)[..., :1])
    digits = colour(16, 28)[..., 0]
    np.savez("mnist.npz", x_train=digits, y_train=np.arange(16) % 10)
    folders = ("cats_and_dogs/cats", "cats_and_dogs/dogs", "photos", "sketches", "birds")
    for folder in (*folders, "horses", "zebras"):
        write_folder(folder, colour(12, 64))
    lines = ["file_name,caption", *(f"{i}.png,a small bird" for i in range(12))]
    Path("birds.csv").write_text("\n".join(lines))


def clothes():
    """The folders of the page, and the preset that its command trains."""
    write_folder("clothes/boots", colour(400, 8))
    write_folder("odd", colour(12, 8))
    small = {"latent_dim": 2, "widths": (4,), "dense_width": 4}
    kzoo.VAE((32, 32, 1), **small).save_to_preset("vae-clothes")
    return {}


NAMES = {
    "ten_tasks": clothes,
    "conditions": lambda: {
        "captions": ["a red flower with thin petals", "a yellow flower"] * 8,
        "label_maps": colour(16, 64),
        "photographs": colour(16, 64),
        "images_a": colour(4),
    },
    "devices": lambda: {
        "model": kzoo.GAN((16, 16, 1), latent_dim=4, width=2),
        "rank": 0,
        "count": 2,
    },
    "likelihoods": lambda: {
        "images": (colour(16, 28)[..., :1] // 128) * 255,
        "train": load("mnist", binarize="dynamic"),
    },
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_runs(page, user_files, monkeypatch):
    fit, fit_encoder = keras.Model.fit, kzoo.TextToImageGAN.fit_encoder

    def once(self, *args, **kwargs):
        return fit(self, *args, **{**kwargs, "epochs": 1, "verbose": 0})

    def encoder_once(self, images, captions, **kwargs):
        return fit_encoder(self, images, captions, **{**kwargs, "epochs": 1, "verbose": 0})

    monkeypatch.setattr(keras.Model, "fit", once)
    monkeypatch.setattr(kzoo.TextToImageGAN, "fit_encoder", encoder_once)
    monkeypatch.setattr(kzoo.datasets, "load", load)
    names = {"images": colour(16), "labels": np.arange(16) % 10, "test_images": colour(16)}
    names |= NAMES.get(page.stem, dict)()
    for block in blocks(page):
        needed = {"keras_cv": "import keras_cv", "onnxscript": ".export("}
        needed["tensorflow"] = "import tensorflow"
        if any(part in block and not importlib.util.find_spec(n) for n, part in needed.items()):
            continue
        exec(compile(block, str(page), "exec"), names)


def test_blocks_of_code_are_closed():
    for page in [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")]:
        fences = re.findall(r"^ *```.*$", page.read_text(encoding="utf-8"), re.M)
        assert len(fences) % 2 == 0, page


def test_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs", reason='needs pip install ".[docs]"')
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", tmp_path / "site"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    board = (tmp_path / "site" / "leaderboard" / "index.html").read_text(encoding="utf-8")
    assert all(f"<code>{preset['preset']}</code>" in board for preset in kzoo.list_presets())
    for script in gallery.SCRIPTS:  # a notebook has the cells of its script
        path = tmp_path / "site" / "gallery" / f"{script.stem}.ipynb"
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        found = ["text" if c["cell_type"] == "markdown" else "code" for c in cells]
        wanted = gallery.cells(script.read_text(encoding="utf-8"))
        assert found == [kind for kind, _ in wanted]
        assert ["".join(c["source"]) for c in cells[1:]] == [content for _, content in wanted[1:]]
    for page in (tmp_path / "site").rglob("*.html"):
        for target in re.findall(r'<img[^>]* src="([^"]+)"', page.read_text(encoding="utf-8")):
            assert target.startswith("data:") or (page.parent / target).is_file(), (page, target)
