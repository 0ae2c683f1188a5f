import json
import os
import subprocess
import sys

import keras
import pytest

import kzoo
from kzoo import _environment as environment
from tests.conftest import REPOSITORY
from tests.once import once


@pytest.fixture
def before_keras(monkeypatch, tmp_path):
    """The state of a process that has not imported Keras, with nothing configured."""
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setenv("KERAS_BACKEND", "")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def set_up(installed, configured=None):
        monkeypatch.setattr(environment, "installed_backends", lambda: list(installed))
        if configured is not None:
            (tmp_path / "keras.json").write_text(json.dumps({"backend": configured}))

    return set_up


@pytest.mark.parametrize(
    "installed, configured, chosen",
    [
        (["tensorflow", "jax"], None, ""),  # Keras's default works
        (["jax"], None, "jax"),
        (["torch"], "tensorflow", "torch"),  # Keras writes this by itself
        (["torch"], "jax", ""),  # a choice, if one that does not work
        (["torch"], "torch", ""),
        ([], None, ""),
    ],
)
def test_choice_without_tensorflow(before_keras, installed, configured, chosen):
    before_keras(installed, configured)
    environment.choose_backend()
    assert os.environ["KERAS_BACKEND"] == chosen


@pytest.mark.parametrize(
    "installed, configured, messages",
    [
        (["jax", "torch"], None, 1),
        (["torch"], None, 0),  # there is nothing else to choose
        (["jax", "torch"], "torch", 0),  # the user has chosen
        (["tensorflow", "torch"], None, 0),
    ],
)
def test_a_choice_is_reported_once(before_keras, caplog, installed, configured, messages):
    before_keras(installed, configured)
    environment.choose_backend()
    assert not caplog.records  # not yet: `kzoo --help` needs no backend
    environment.report_choice()
    environment.report_choice()
    assert len(caplog.records) == messages


def test_choice_of_the_user_stays(before_keras, monkeypatch):
    before_keras(["torch"])
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    environment.choose_backend()
    assert os.environ["KERAS_BACKEND"] == "jax"


@pytest.mark.parametrize(
    "installed, configured, message",
    [
        (["torch"], "jax", r"'jax' is not installed. .*pip install jax.*installed here: torch"),
        ([], None, r"'tensorflow' is not installed. .*pip install tensorflow.*here: none"),
        (["jax"], "numpy", "does not run on the Keras backend 'numpy'"),
    ],
)
def test_unusable_backend(before_keras, installed, configured, message):
    before_keras(installed, configured)
    with pytest.raises(ImportError, match=message):
        environment.require_backend()


@pytest.mark.parametrize("content", ["", "[]", "{}"])
def test_unreadable_configuration_means_the_default(before_keras, tmp_path, content):
    before_keras(["tensorflow"])
    (tmp_path / "keras.json").write_text(content)
    assert environment.configured_backend() == "tensorflow"


def test_public_names():
    assert set(kzoo.__all__) <= set(dir(kzoo))
    for name in kzoo.__all__:
        assert getattr(kzoo, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'vae'"):
        kzoo.vae  # noqa: B018


def test_only_the_chosen_backend_is_imported():
    # In a process of its own; the other backends cannot even be found there.
    others = {"tensorflow", "jax", "torch"} - {keras.config.backend()}
    code = (
        f"import sys; sys.modules.update({{name: None for name in {sorted(others)} + ["
        "'tensorflow_datasets']})\n"
        "import kzoo\n"
        "for name in kzoo.__all__: getattr(kzoo, name)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("order", [once("keras, kzoo"), "kzoo, keras"])
def test_a_fresh_process_that_only_imported_kzoo_loads_a_model(order, tmp_path):
    kzoo.GAN(image_shape=(8, 8, 1), width=4).save(tmp_path / "gan.keras")
    code = f"import {order}; print(type(keras.models.load_model('gan.keras')).__name__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert done.stdout == "GAN\n"


@pytest.mark.parametrize(
    "given, loaded, fast, used",
    [
        (None, False, "1", "1"),
        ("0", False, "1", "0"),
        (None, True, "1", None),
        (None, False, "0", None),
    ],
)
def test_onednn_is_on_unless_the_user_chose_or_tensorflow_is_loaded(
    monkeypatch, given, loaded, fast, used
):
    monkeypatch.setenv("KZOO_FAST", fast)
    if given is None:
        monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    else:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", given)
    if loaded:
        monkeypatch.setitem(sys.modules, "tensorflow", object())
    else:
        monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    environment.use_onednn()
    assert os.environ.get("TF_ENABLE_ONEDNN_OPTS") == used
