import importlib.resources
import re
import sys
import threading
import urllib.error
import urllib.request

import pytest

import kzoo.datasets
from kzoo.datasets import catalog

tfds = pytest.importorskip("tensorflow_datasets")


@pytest.fixture(autouse=True)
def no_network(monkeypatch, tmp_path):
    """An empty data folder and a network that is off; a download would fail the test."""

    def urlopen(request, timeout):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    # TFDS 4.9.10 looks up its URLs with this backport, which its metadata do not ask for.
    monkeypatch.setitem(sys.modules, "importlib_resources", importlib.resources)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))


def fail_download(monkeypatch, error):
    def download_and_prepare(self, **options):
        raise error

    builder = tfds.builder_cls("mnist")
    monkeypatch.setattr(builder, "download_and_prepare", download_and_prepare)


def test_unknown_name_gets_close_matches(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="data set 'mnits', and no .*; did you mean .*mnist"):
        kzoo.datasets.load("mnits")
    with pytest.raises(ValueError, match="unknown data set 'lsun/bedrom'.*lsun/bedroom"):
        kzoo.datasets.load("lsun/bedrom")
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="'photos'; kzoo.datasets.from_directory reads a folder"):
        kzoo.datasets.load("photos")


@pytest.mark.parametrize("name", ["", "../mnist", "mnist:99.0.0", 3])
def test_other_wrong_names(name):
    with pytest.raises(ValueError, match=re.escape(repr(name))):
        kzoo.datasets.load(name)


def test_data_set_without_images_is_refused_before_a_download():
    with pytest.raises(ValueError, match="one image feature, got 'imdb_reviews'"):
        kzoo.datasets.load("imdb_reviews")


def test_unreachable_host(monkeypatch, tmp_path):
    fail_download(monkeypatch, AssertionError("TFDS was asked to download"))
    with pytest.raises(FileNotFoundError) as caught:
        kzoo.datasets.load("mnist")
    message = str(caught.value)
    assert "'mnist' is not prepared in" in message and str(tmp_path) in message
    assert "Name or service not known" in message
    for advice in ("TFDS_DATA_DIR", "tfds build mnist", "from_directory", "from_arrays"):
        assert advice in message
    assert not list(tmp_path.iterdir())


def test_silent_host(monkeypatch):
    answer = threading.Event()

    def urlopen(request, timeout):
        answer.wait()
        raise urllib.error.URLError("too late")

    fail_download(monkeypatch, AssertionError("TFDS was asked to download"))
    monkeypatch.setattr(catalog, "PROBE_SECONDS", 0.1)
    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    with pytest.raises(FileNotFoundError, match="no answer from .* within 0.1 s"):
        kzoo.datasets.load("mnist")
    answer.set()


def test_failed_download(monkeypatch):
    def refuses_head(request, timeout):
        raise urllib.error.HTTPError(request.full_url, 405, "no HEAD", {}, None)

    monkeypatch.setattr(urllib.request, "urlopen", refuses_head)
    fail_download(monkeypatch, RuntimeError("wrong checksum"))
    with pytest.raises(FileNotFoundError, match="was not downloaded .wrong checksum"):
        kzoo.datasets.load("mnist")


def test_download_can_be_forbidden(monkeypatch):
    fail_download(monkeypatch, AssertionError("TFDS was asked to download"))
    with pytest.raises(FileNotFoundError, match="download=False"):
        kzoo.datasets.load("mnist", download=False)


def test_error_names_what_is_prepared(tfds_dir):
    with pytest.raises(FileNotFoundError, match="'lsun/tower'.*Prepared there: .*lsun/bedroom"):
        kzoo.datasets.load("lsun/tower", image_size=64, data_dir=tfds_dir)


def test_data_set_with_two_images_is_refused(tfds_dir):
    with pytest.raises(ValueError, match="got 'cmp_facades_pairs' with .'input_image', 'real_"):
        kzoo.datasets.load("cmp_facades_pairs", data_dir=tfds_dir)
