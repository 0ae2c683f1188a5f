"""The site hosts the page of `kzoo demo` if that was written."""

import keras
import pytest

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="pages are checked once; they run no model"
)


def test_the_demo_is_a_part_of_the_site(hooks, tmp_path, monkeypatch):
    folder = tmp_path / "kzoo-demo"
    monkeypatch.setattr(hooks, "DEMO", folder)
    assert hooks.demo_files() == {} and "without the demo" in hooks.demo_link("guide/demo.md")
    (folder / "runtime").mkdir(parents=True)
    for name in ("index.html", "runtime/ort.mjs"):
        (folder / name).write_text(name)
    assert hooks.demo_files() == {}  # not whole yet
    (folder / "demo.json").write_text("{}")
    names = ("demo.json", "index.html", "runtime/ort.mjs")
    assert hooks.demo_files() == {f"try/{name}": folder / name for name in names}
    assert "](../try/index.html)" in hooks.demo_link("guide/demo.md")
    assert "](try/index.html)" in hooks.demo_link("index.md")
