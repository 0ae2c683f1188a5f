"""The page of `kzoo demo`, with presets that take no time, also in a browser."""

import importlib.util
import json
import os
import pathlib
import shutil
import sys
import threading
import urllib.request

import keras
import numpy as np
import pytest

import kzoo
from kzoo import backend, demo
from kzoo.cli import main
from kzoo.cli.demo import server
from tests.conftest import REPOSITORY

sys.path.append(str(REPOSITORY / "benchmarks"))

import export_agreement  # noqa: E402

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
FILES = {
    "growth": "start",
    "manifold": "decode",
    "completion": "network",
    "faces": "draw",
    "captions": "draw",
}
AMBER = (255, 179, 0)  # the colour of what a person drew
WORDS = ["smiling", "face", "with", "the", "bird's"]
# The folder dist of npm's onnxruntime-web.
RUNTIME = os.environ.get("KZOO_ONNXRUNTIME_WEB", "node_modules/onnxruntime-web/dist")


@pytest.fixture
def presets(tmp_path, monkeypatch):
    """Folders of small models, and latents of faces with random attributes."""
    keras.utils.set_random_seed(0)
    small = {"latent_dim": 4, "width": 4}
    models = {
        "growth": kzoo.CFGGAN((8, 8, 1), num_steps=2, pool_size=4, batch_size=4, **small),
        "manifold": kzoo.VAE((8, 8, 1), latent_dim=2, widths=(4,), dense_width=4),
        "completion": kzoo.GatedPixelCNN((8, 8, 1), filters=4, num_layers=1, head_filters=4),
        "faces": kzoo.GAN((8, 8, 3), **small),
        "classifier": kzoo.Classifier((8, 8, 3), 3, class_names=list(demo.writing.ATTRIBUTES)),
        "captions": kzoo.TextToImageGAN(
            (8, 8, 3), WORDS, max_words=4, text_dim=4, compressed_dim=4, **small
        ),
    }
    for name, model in models.items():
        # Untrained, some draw grey images, know nothing of a pixel or make no steps.
        export_agreement.shaken(model).save_to_preset(tmp_path / name)

    def labelled(model, classifier, count, seed):
        rng = np.random.default_rng(seed)
        return rng.normal(size=(count, 4)), rng.uniform(size=(count, 3))

    monkeypatch.setattr(kzoo.latents, "labelled", labelled)
    return {name: str(tmp_path / name) for name in models}


def needs_exporter():
    package = backend.EXPORTS["onnx"]
    if importlib.util.find_spec(package) is None or importlib.util.find_spec("onnx") is None:
        pytest.skip(f"needs {package} and onnx, which write ONNX files")


def test_missing_runtime_is_found_first(tmp_path):
    with pytest.raises(FileNotFoundError, match="onnxruntime-web"):
        demo.write_page(tmp_path / "page", runtime=tmp_path)
    assert not (tmp_path / "page" / "demo.json").exists()


def test_a_page_that_is_there_is_kept(tmp_path):
    (tmp_path / "demo.json").write_text("{}")
    assert main(["demo", "--output", str(tmp_path), "--write-only"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["demo.json"]


def test_server(tmp_path):
    (tmp_path / "code.mjs").write_text("1")
    with server(tmp_path) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        with urllib.request.urlopen(f"http://127.0.0.1:{serving.server_port}/code.mjs") as answer:
            assert answer.headers["Content-Type"] == "text/javascript" and answer.read() == b"1"
        serving.shutdown()


def test_parts_without_a_preset_are_left_out(tmp_path):
    needs_exporter()
    demo.write_page(
        tmp_path / "page", presets=dict.fromkeys([*FILES, "classifier"]), say=lambda line: None
    )
    page = json.loads((tmp_path / "page" / "demo.json").read_text())
    assert set(page) == {"version", "runtime"}


def test_captions_need_a_shipped_preset(monkeypatch):
    for handle, name in (("gan/emoji", None), ("texttoimagegan/emoji", "emoji")):
        monkeypatch.setattr(kzoo, "list_presets", lambda handle=handle: [{"preset": handle}])
        assert demo.writing.shipped_names()["captions"] == name


def test_completion_needs_black_and_white(tmp_path):
    model = kzoo.GatedPixelCNN((8, 8, 1), levels=4, filters=4, num_layers=1, head_filters=4)
    with pytest.raises(ValueError, match="black and white.*got levels=4"):
        demo.writing.completion(model, tmp_path, print)


def test_page_and_browser(tmp_path, presets):
    """Loads without an error; clicks, sliders and words change the pictures, on a phone too."""
    needs_exporter()
    here = BROWSER and importlib.util.find_spec("playwright") and pathlib.Path(RUNTIME).is_dir()
    lines = []
    folder = tmp_path / "page"
    demo.write_page(folder, RUNTIME if here else None, presets, faces=400, say=lines.append)
    page = json.loads((folder / "demo.json").read_text())
    steps = 0 if keras.backend.backend() == "torch" else 2  # PyTorch exports no gradients
    assert page["growth"]["steps"] == steps
    assert any("steps are left out" in line for line in lines) == (steps == 0)
    assert np.shape(list(page["faces"]["directions"].values())) == (3, 4)
    assert page["captions"]["vocabulary"] == WORDS
    for part, file in FILES.items():
        assert (folder / page[part][file]).is_file()
    if not here:
        pytest.skip(
            "the browser needs chromium, the Python package playwright, and KZOO_ONNXRUNTIME_WEB, "
            "the folder dist of npm's onnxruntime-web"
        )
    from playwright.sync_api import sync_playwright

    with server(folder) as serving, sync_playwright() as playwright:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        for width in (360, 1280):
            viewport = {"width": width, "height": 740}
            tab = browser.new_page(viewport=viewport, has_touch=width == 360)
            look(tab, f"http://127.0.0.1:{serving.server_port}/", width, steps, presets)
            tab.close()
        browser.close()
        serving.shutdown()


def look(page, address, width, steps, presets):
    """Tries every part of the page in a tab of the browser."""
    errors = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)

    def changes(name, act):
        before = page.evaluate(f"document.getElementById('{name}').toDataURL()")
        act()
        different = f"document.getElementById('{name}').toDataURL() !== before"
        page.wait_for_function(f"(before) => {different}", arg=before)

    for part in FILES:
        page.locator(f"#{part}").scroll_into_view_if_needed()
        page.wait_for_selector(f"#{part}[data-state=ready]")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    changes("growth-picture", lambda: page.click("#growth-new"))
    changes("faces-picture", lambda: page.click("#faces-new"))
    changes("faces-picture", lambda: page.locator("#faces-smile").fill("2"))
    changes("manifold-digit", lambda: page.locator("#manifold-map").press("ArrowLeft"))
    if steps:
        page.wait_for_selector("#growth-new:not([disabled])")
        assert page.input_value("#growth-step") == str(steps)
        changes("growth-picture", lambda: page.locator("#growth-step").fill("0"))
    complete(page, width, changes, kzoo.GatedPixelCNN.from_preset(presets["completion"]))
    caption(page, changes, kzoo.TextToImageGAN.from_preset(presets["captions"]))
    assert errors == []


def draw_from(page, values):
    """Has the page take these numbers in place of random ones."""
    page.evaluate("(values) => { Math.random = () => values.shift(); }", np.ravel(values).tolist())


def picture(page, name):
    """What a canvas shows: uint8 (height, width, 3)."""
    height, width, *values = page.evaluate(
        f"""() => {{
          const canvas = document.getElementById('{name}');
          const {{ width, height }} = canvas;
          const image = canvas.getContext('2d').getImageData(0, 0, width, height);
          return [height, width, ...image.data];
        }}"""
    )
    return np.array(values, "uint8").reshape(height, width, 4)[..., :3]


def complete(page, width, changes, model):
    """The page keeps what was drawn, and draws the pixels that the model draws in Python."""
    paper = page.locator("#completion-picture")

    def place(column, row):  # of 8 by 8 pixels
        paper.scroll_into_view_if_needed()
        box = paper.bounding_box()
        return box["x"] + column * box["width"] / 8, box["y"] + row * box["height"] / 8

    if width == 360:
        changes("completion-picture", lambda: page.touchscreen.tap(*place(4, 2)))
        changes("completion-picture", lambda: page.click("#completion-clear"))
    page.mouse.move(*place(2, 1))
    page.mouse.down()
    changes("completion-picture", lambda: page.mouse.move(*place(6, 3)))
    page.mouse.up()
    drawn = (picture(page, "completion-picture") == AMBER).all(axis=-1)
    first = np.flatnonzero(drawn.any(axis=1))[-1] + 1
    assert drawn.any(axis=0).sum() > 4 and first < 6
    noise = np.random.default_rng(1).uniform(size=(1, 8, 8, 1))
    draw_from(page, noise)
    changes("completion-picture", lambda: page.click("#completion-draw"))
    page.get_by_text("runs of the network").wait_for()
    shown = picture(page, "completion-picture")
    missing = np.zeros((1, 8, 8), bool)
    missing[:, first:] = True
    given = drawn[None, ..., None].astype("float32")
    one = np.ones((), "float32")  # the temperature
    levels = model.draw_images(noise.astype("float32"), given, missing, {}, one)[0, ..., 0]
    assert 0 < levels[first:].mean() < 1
    np.testing.assert_array_equal((shown == AMBER).all(axis=-1), drawn)
    np.testing.assert_array_equal(shown.max(axis=-1) > 0, levels > 0)


def caption(page, changes, model):
    """The page draws what Python draws for the caption, and names the words that it names."""
    text = "A smiling bird's face, the FACE"
    page.fill("#captions-text", text)
    changes("captions-picture", lambda: page.press("#captions-text", "Enter"))
    note = page.locator("#captions-note")
    unknown = ", ".join(model.unknown_words(text))
    assert note.text_content() == f"Unknown words: {unknown}. Only the first 4 words count."
    uniforms = np.random.default_rng(2).uniform(size=(9 * 4, 2))
    draw_from(page, uniforms)
    changes("captions-picture", lambda: page.click("#captions-new"))
    radius = np.sqrt(-2 * np.log(1 - uniforms[:, 0]))  # as in `normal` of demo.js
    latents = (radius * np.cos(2 * np.pi * uniforms[:, 1])).reshape(9, 4).astype("float32")
    images = model.transform_noise(latents, model.conditioned_on[0].check(text, 9))
    images = keras.ops.convert_to_numpy(kzoo.images.to_uint8(images)).astype(int)
    sheet = images.reshape(3, 3, 8, 8, 3).swapaxes(1, 2).reshape(24, 24, 3)
    assert np.ptp(sheet) > 100
    np.testing.assert_allclose(picture(page, "captions-picture"), sheet, atol=2)
    page.fill("#captions-text", "unheard of")
    page.press("#captions-text", "Enter")
    page.get_by_text("Unknown words: of, unheard. Type a caption").wait_for()
