"""Uploading to the hub, with a stand-in for the client; its calls fit the real one's signatures."""

import inspect
import shutil
import sys
import types
from pathlib import Path

import pytest

from kzoo.presets import push_folder
from tests.presets.tiny import Tiny


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub in a folder: `hub.folder / "user" / "name"`."""
    try:
        from huggingface_hub import HfApi as Real
        from huggingface_hub import hf_hub_download as real_download
    except ImportError:
        Real = real_download = None

    def check(name, *arguments, **options):
        if Real is not None:
            inspect.signature(getattr(Real, name)).bind(None, *arguments, **options)

    class HfApi:
        def __init__(self, token=None):
            self.token = token

        def create_repo(self, repository, **options):
            check("create_repo", repository, **options)
            if self.token == "wrong":
                raise RuntimeError("401 Client Error\nUnauthorized")
            (module.folder / repository).mkdir(parents=True, exist_ok=options["exist_ok"])
            module.private = options["private"]

        def upload_folder(self, **options):
            check("upload_folder", **options)
            target = module.folder / options["repo_id"]
            shutil.copytree(options["folder_path"], target, dirs_exist_ok=True)

    def hf_hub_download(repository, filename):
        if real_download is not None:
            inspect.signature(real_download).bind(repository, filename)
        return str(module.folder / repository / filename)

    module = types.ModuleType("huggingface_hub")
    module.HfApi, module.hf_hub_download, module.folder = HfApi, hf_hub_download, tmp_path / "hub"
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)
    return module


def header_of(path):
    yaml = pytest.importorskip("yaml")
    _, header, text = Path(path).read_text().split("---\n", 2)
    return yaml.safe_load(header), text


def test_a_model_is_uploaded_and_loaded(hub):
    model = Tiny(units=4)
    address = model.push_to_hub("user/tiny", license="mit", description="Four numbers.")
    assert address == "hf://user/tiny" and hub.private is False
    assert Tiny.from_preset(address).units == 4
    header, text = header_of(hub.folder / "user" / "tiny" / "README.md")
    assert header == {
        "library_name": "keras",
        "license": "mit",
        "pipeline_tag": "unconditional-image-generation",
        "tags": ["kzoo", "keras", "tiny"],
    }
    assert text.startswith("\n# tiny\n") and "Four numbers." in text
    assert 'kzoo.Tiny.from_preset("hf://user/tiny")' in text


def test_a_folder_is_uploaded_with_its_card_and_pictures(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "preset"
    Tiny().save_to_preset(folder)
    (folder / "README.md").write_text("---\nold: header\n---\n# Mine\n\nText.\n")
    (folder / "samples.png").write_bytes(b"picture")
    (folder / ".hidden").write_text("not for others")
    before = (folder / "README.md").read_text()
    (folder / ".new").mkdir()
    (folder / "config.json").rename(folder / ".new" / "config.json")  # a writer was stopped
    for name in (folder, "~/preset"):  # again replaces it
        push_folder(name, "user/tiny", private=True)
    uploaded = hub.folder / "user" / "tiny"
    assert hub.private and (uploaded / "samples.png").read_bytes() == b"picture"
    assert (uploaded / "config.json").is_file()
    assert not (uploaded / ".hidden").exists() and (folder / "README.md").read_text() == before
    header, text = header_of(uploaded / "README.md")
    assert "license" not in header and text.startswith("\n# Mine\n") and "\nText.\n" in text
    assert "old: header" not in text


def test_what_cannot_be_uploaded(hub, tmp_path):
    with pytest.raises(ValueError, match="such as 'user/name', got 'name'"):
        Tiny().push_to_hub("name")
    with pytest.raises(FileNotFoundError, match="is not a complete preset"):
        push_folder(tmp_path, "user/name")
    with pytest.raises(ConnectionError, match="hf://user/name: 401 Client Error Unauthorized"):
        Tiny().push_to_hub("user/name", token="wrong")
    assert not hub.folder.exists()


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match="pip install huggingface_hub"):
        Tiny().push_to_hub("user/name")
