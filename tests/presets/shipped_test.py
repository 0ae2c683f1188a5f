import json

import keras
import numpy as np
import pytest

from kzoo.presets import PresetMixin, list_presets, shipped
from tests.presets.tiny import Other, Tiny

KERNELS = {"tiny/mnist": 1.0, "other/mnist": 2.0, "other/faces": 3.0, "tiny/plain": 4.0}


@pytest.fixture(autouse=True)
def weights(tmp_path, monkeypatch):
    """Two families of shipped presets, told apart by their kernels."""
    for handle, value in KERNELS.items():
        model = (Tiny if handle.startswith("tiny") else Other)()
        model.dense.kernel.assign(np.full((3, 2), value))
        score = {"name": "s", "value": value, "unit": "", "protocol": "p", "command": "c"}
        model.save_to_preset(tmp_path / "weights" / handle, description=handle, scores=[score])
    (tmp_path / "weights" / "tiny" / "unfinished").mkdir()
    monkeypatch.setattr(shipped, "folders", lambda: [tmp_path / "weights"])
    monkeypatch.chdir(tmp_path)
    return tmp_path / "weights"


def kernel(model):
    return float(keras.ops.convert_to_numpy(model.dense.kernel)[0, 0])


@pytest.mark.parametrize(
    "model_class, name, handle",
    [
        (Tiny, "tiny/mnist", "tiny/mnist"),
        (Other, "mnist", "other/mnist"),
        (Other, "faces", "other/faces"),
        (Other, "other/faces", "other/faces"),
        (PresetMixin, "tiny/mnist", "tiny/mnist"),
        (PresetMixin, "faces", "other/faces"),
    ],
)
def test_by_name(model_class, name, handle):
    assert kernel(model_class.from_preset(name)) == KERNELS[handle]


def test_a_folder_of_the_same_name_needs_a_dot(weights, tmp_path):
    model = Other()
    model.dense.kernel.assign(np.full((3, 2), 9.0))
    model.save_to_preset(tmp_path / "mnist")
    assert kernel(Other.from_preset("mnist")) == KERNELS["other/mnist"]
    assert kernel(Other.from_preset("./mnist")) == 9.0


def test_ambiguous_name_lists_the_choices():
    with pytest.raises(ValueError, match="'mnist': use one of 'other/mnist', 'tiny/mnist'"):
        PresetMixin.from_preset("mnist")


def test_preset_of_another_class():
    with pytest.raises(ValueError, match="is a Tiny, not a Other"):
        Other.from_preset("tiny/mnist")


def test_name_of_another_class():
    with pytest.raises(ValueError, match="Other has no preset 'plain'.*classes: 'tiny/plain'"):
        Other.from_preset("plain")


@pytest.mark.parametrize("name", ["mnits", "other/mnits"])
def test_unknown_name_gives_a_hint(name):
    with pytest.raises(ValueError) as error:
        Other.from_preset(name)
    assert f"{name!r} is neither a folder nor a preset" in str(error.value)
    assert "Did you mean" in str(error.value)
    assert "'other/faces', 'other/mnist'" in str(error.value)


@pytest.mark.parametrize("name", ["../weights/tiny", "", ".", "tiny/../tiny/mnist/x", "~nobody/x"])
def test_names_do_not_leave_the_folder(name):
    with pytest.raises((ValueError, FileNotFoundError)):
        Tiny.from_preset(name)


def test_list_presets():
    records = list_presets()
    assert [record["preset"] for record in records] == sorted(KERNELS)
    assert records[2] == {
        "preset": "tiny/mnist",
        "class": "Tiny",
        "name": "mnist",
        "parameters": 20,
        "image_shape": None,
        "description": "tiny/mnist",
        "data": "",
        "scores": [{"name": "s", "value": 1.0, "unit": "", "protocol": "p", "command": "c"}],
    }


def test_presets_of_a_class():
    assert list(Other.presets) == ["faces", "mnist"]
    assert list(Tiny.presets) == ["other/faces", "other/mnist", "mnist", "plain"]  # Other is a Tiny
    assert Other.presets["faces"]["description"] == "other/faces"


def test_first_root_wins(weights, tmp_path, monkeypatch):
    model = Other()
    model.dense.kernel.assign(np.full((3, 2), 9.0))
    model.save_to_preset(tmp_path / "installed" / "other" / "mnist")
    monkeypatch.setattr(shipped, "folders", lambda: [tmp_path / "installed", weights])
    assert kernel(Other.from_preset("mnist")) == 9.0
    assert kernel(Other.from_preset("faces")) == KERNELS["other/faces"]


def test_a_preset_is_found_by_its_former_name(monkeypatch):
    monkeypatch.setattr(shipped, "_RENAMED", {"other/digits": "other/mnist"})
    for name in ("digits", "other/digits"):
        assert kernel(Other.from_preset(name)) == KERNELS["other/mnist"]


def test_repository_presets_are_complete(monkeypatch):
    monkeypatch.undo()  # the real folders
    for record in list_presets():
        preset = shipped.find_shipped(record["preset"], object)
        assert record["class"].lower() == record["preset"].split("/")[0]
        metadata = json.loads((preset / "metadata.json").read_text())
        assert metadata["description"] and metadata["scores"] and metadata["sha256"]
        assert (preset / "README.md").is_file()
