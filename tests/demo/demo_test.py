"""The page of `kzoo demo`, with presets that take no time, also in a browser."""

import importlib.util
import json
import os
import pathlib
import shutil
import threading
import urllib.request

import keras
import numpy as np
import pytest

import kzoo
from kzoo import backend, demo
from kzoo.cli import main
from kzoo.cli.demo import server

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
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
        "faces": kzoo.GAN((8, 8, 3), **small),
        "classifier": kzoo.Classifier((8, 8, 3), 3, class_names=list(demo.writing.ATTRIBUTES)),
    }
    for name, model in models.items():
        model.save_to_preset(tmp_path / name)

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


def test_page_and_browser(tmp_path, presets):
    """The page loads without an error, a click and a slider change the pictures, on a phone too."""
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
    for part, file in (("growth", "start"), ("manifold", "decode"), ("faces", "draw")):
        assert (folder / page[part][file]).is_file()
    if not here:
        pytest.skip(
            "the browser needs chromium, the Python package playwright, and KZOO_ONNXRUNTIME_WEB, "
            "the folder dist of npm's onnxruntime-web"
        )
    look(folder, steps)


def look(folder, steps):
    from playwright.sync_api import sync_playwright

    with server(folder) as serving, sync_playwright() as playwright:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 360, "height": 740})
        errors = []
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"http://127.0.0.1:{serving.server_port}/")

        def picture(name):
            return page.evaluate(f"document.getElementById('{name}').toDataURL()")

        def changes(name, act):
            before = picture(name)
            act()
            different = f"document.getElementById('{name}').toDataURL() !== before"
            page.wait_for_function(f"(before) => {different}", arg=before)

        for part in ("growth", "manifold", "faces"):
            page.locator(f"#{part}").scroll_into_view_if_needed()
            page.wait_for_selector(f"#{part}[data-state=ready]")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        changes("growth-picture", lambda: page.click("#growth-new"))
        changes("faces-picture", lambda: page.click("#faces-new"))
        changes("faces-picture", lambda: page.locator("#faces-smile").fill("2"))
        changes("manifold-digit", lambda: page.locator("#manifold-map").press("ArrowLeft"))
        if steps:
            page.wait_for_selector("#growth-new:not([disabled])")
            assert page.input_value("#growth-step") == str(steps)
            changes("growth-picture", lambda: page.locator("#growth-step").fill("0"))
        assert errors == []
        browser.close()
        serving.shutdown()
