import json
import os
import threading
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from kzoo.presets import PresetMixin, read_metadata, storage, weights_file
from kzoo.presets.sources import sha256_of
from tests.presets.tiny import Other, Tiny, functional_network

FILES = ["config.json", "metadata.json", "model.weights.h5"]
INPUTS = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")


@pytest.fixture
def folder(tmp_path):
    Tiny().save_to_preset(tmp_path / "tiny")
    return tmp_path / "tiny"


def outputs(model):
    return keras.ops.convert_to_numpy(model(INPUTS))


def edit(path, **entries):
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


def rewrite_weights(folder, change):
    """Changes the weights and their hash, so that only the content is wrong."""
    with h5py.File(folder / "model.weights.h5", "r+") as file:
        change(file)
    edit(folder / "metadata.json", sha256=sha256_of(folder / "model.weights.h5"))


def test_round_trip_gives_equal_outputs(tmp_path):
    model = Tiny(units=4, network=functional_network(), name="original")
    model.norm.moving_mean.assign([1.0, 2.0, 3.0])
    model.save_to_preset(tmp_path / "deep" / "down", description="a test")
    loaded = Tiny.from_preset(tmp_path / "deep" / "down")
    assert type(loaded) is Tiny
    assert loaded.name == "original"
    assert not loaded.compiled
    np.testing.assert_array_equal(outputs(model), outputs(loaded))
    assert sorted(os.listdir(tmp_path / "deep" / "down")) == FILES
    assert os.listdir(tmp_path / "deep") == ["down"]  # the temporary folder is gone


def test_half_precision(tmp_path):
    model = Tiny(units=64, network=functional_network())
    model.save_to_preset(tmp_path / "full")
    model.save_to_preset(tmp_path / "half", half_precision=True)
    full, half = (tmp_path / name / "model.weights.h5" for name in ("full", "half"))
    assert half.stat().st_size < full.stat().st_size
    assert read_metadata(tmp_path / "half")["stored_as"] == "float16"
    loaded = Tiny.from_preset(tmp_path / "half")
    for weight, original in zip(loaded.weights, model.get_weights(), strict=True):
        assert keras.backend.standardize_dtype(weight.dtype) == original.dtype.name
        value = keras.ops.convert_to_numpy(weight)
        np.testing.assert_allclose(value, original, rtol=2**-11, atol=3e-8)
        if original.dtype == np.float32:
            np.testing.assert_array_equal(value, original.astype("float16"))
    model.weights[0].assign(keras.ops.full(model.weights[0].shape, 1e5))
    with pytest.raises(ValueError, match="holds 100000, beyond the range of float16"):
        model.save_to_preset(tmp_path / "overflow", half_precision=True)
    assert not (tmp_path / "overflow").exists()


def test_nearly_equal_rows_take_the_space_of_one(tmp_path):
    """As the discriminators of a CFGGAN whose learning rates have fallen to 0."""
    row = np.random.default_rng(0).normal(size=(1, 300, 2, 150)).astype("float32")
    rows = np.repeat(row, 15, axis=0)
    rows[3, 5, 1, :9] *= 1 + 2**-9
    path = tmp_path / "model.weights.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("vars/0", data=rows)
        file.create_dataset("vars/1", data=np.float32(7))
    weights_file.pack(path)
    assert path.stat().st_size < 1.5 * row.size * 2
    weights_file.check_arrays(path, 0, rows.size)
    with h5py.File(path) as file:
        assert file["vars/0"].compression == "gzip" and file["vars/1"][()] == 7
        np.testing.assert_array_equal(file["vars/0"][()], rows.astype("float16"))


@pytest.mark.parametrize(
    "shape", [(70_000,), (3, 3, 64, 256), (2, 2**21), (2**16, 2), (1, 1, 2**16)]
)
def test_arrays_of_any_shape_are_packed(shape, tmp_path):
    values = np.random.default_rng(0).normal(size=shape).astype("float32")
    path = tmp_path / "model.weights.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("vars/0", data=values)
    weights_file.pack(path)
    weights_file.check_arrays(path, 0, values.size)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["vars/0"][()], values.astype("float16"))
        assert np.prod(file["vars/0"].chunks[1:]) * 2 <= 2**14


def test_training_state_is_not_saved(tmp_path):
    model = Tiny()
    model.compile("adam", "mse")
    model.fit(INPUTS, np.zeros((5, 2)), epochs=1, verbose=0)
    model.save_to_preset(tmp_path / "trained")
    paths = []
    with h5py.File(tmp_path / "trained" / "model.weights.h5") as file:
        file.visit(paths.append)
    assert not [path for path in paths if "optimizer" in path or "metric" in path]
    np.testing.assert_allclose(outputs(model), outputs(Tiny.from_preset(tmp_path / "trained")))


def test_networks_that_were_compiled_are_not_compiled_by_a_preset(folder, tmp_path):
    network = functional_network()
    network.compile("adam", "mse")
    network.fit(INPUTS, keras.ops.convert_to_numpy(network(INPUTS)), verbose=0)
    Tiny(network=network).save_to_preset(tmp_path / "nested")
    assert "compile_config" not in (tmp_path / "nested" / "config.json").read_text()
    assert not Tiny.from_preset(tmp_path / "nested").network.compiled
    config = json.loads((folder / "config.json").read_text())
    config["compile_config"] = {"optimizer": "adam", "loss": "mse"}
    (folder / "config.json").write_text(json.dumps(config))
    assert not Tiny.from_preset(folder).compiled


def test_metadata(tmp_path):
    Tiny().save_to_preset(tmp_path / "tiny", description="d", data="e")
    metadata = json.loads((tmp_path / "tiny" / "metadata.json").read_text())
    assert metadata["keras_version"] == keras.__version__
    assert metadata["parameter_count"] == 4 * 3 + 3 * 2 + 2
    assert metadata["sha256"] == sha256_of(tmp_path / "tiny" / "model.weights.h5")
    assert (metadata["description"], metadata["data"]) == ("d", "e")
    assert read_metadata(tmp_path / "tiny") == metadata


def test_saving_again_replaces_the_preset_and_keeps_other_files(folder):
    (folder / "README.md").write_text("card")
    model = Tiny(units=7)
    model.save_to_preset(folder)
    np.testing.assert_array_equal(outputs(model), outputs(Tiny.from_preset(folder)))
    assert sorted(os.listdir(folder)) == sorted([*FILES, "README.md"])


def test_base_class_returns_the_subclass(folder):
    assert type(PresetMixin.from_preset(folder)) is Tiny


def test_arguments_override_the_config(folder):
    model = Tiny.from_preset(folder, load_weights=False, units=6, name="wider")
    assert outputs(model).shape == (5, 6)
    assert model.name == "wider"


def test_without_weights_starts_afresh(folder):
    loaded, fresh = Tiny.from_preset(folder), Tiny.from_preset(folder, load_weights=False)
    assert not np.allclose(outputs(loaded), outputs(fresh))


def test_unknown_argument(folder):
    with pytest.raises(ValueError, match="Tiny has no argument 'width'; it has .*units"):
        Tiny.from_preset(folder, width=3)


def test_overridden_architecture_does_not_take_the_weights(folder):
    with pytest.raises(ValueError, match="20 parameters, and the model has 24.*load_weights=False"):
        Tiny.from_preset(folder, units=3)


def test_wrong_class(folder):
    with pytest.raises(ValueError, match="is a Tiny, not a Other"):
        Other.from_preset(folder)


@pytest.mark.parametrize("name", FILES)
def test_missing_file(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"not a complete preset: {name} is missing"):
        Tiny.from_preset(folder)


@pytest.mark.parametrize("content", ["{", "[]", "", "[" * 100_000])
def test_broken_config(folder, content):
    (folder / "config.json").write_text(content)
    with pytest.raises(ValueError, match="config.json (is not valid JSON|holds a list)"):
        Tiny.from_preset(folder)


@pytest.mark.parametrize("config", [{}, {"class_name": "Tiny"}, {"config": {}}])
def test_config_of_no_model(folder, config):
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="config.json"):
        Tiny.from_preset(folder)


def test_config_that_does_not_fit_the_class(folder):
    config = json.loads((folder / "config.json").read_text())
    del config["config"]["network"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="config.json. does not fit Tiny: KeyError: 'network'"):
        Tiny.from_preset(folder)


def test_truncated_weights(folder):
    path = folder / "model.weights.h5"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="model.weights.h5 is damaged.*SHA-256"):
        Tiny.from_preset(folder)


def test_truncated_weights_without_a_hash(folder):
    path = folder / "model.weights.h5"
    path.write_bytes(path.read_bytes()[:1000])
    edit(folder / "metadata.json", sha256=None)
    with pytest.raises(ValueError, match="model.weights.h5 does not fit the model"):
        Tiny.from_preset(folder)


def test_wrong_shape(folder):
    def transpose(file):
        kernel = file["dense/vars/0"][...]
        del file["dense/vars/0"]
        file["dense/vars/0"] = kernel.T

    rewrite_weights(folder, transpose)
    with pytest.raises(ValueError, match="model.weights.h5 does not fit the model"):
        Tiny.from_preset(folder)


def test_missing_layer(folder):
    def remove(file):
        del file["dense"]

    rewrite_weights(folder, remove)
    with pytest.raises(ValueError, match="model.weights.h5"):
        Tiny.from_preset(folder)


def test_nan_weights(folder):
    def spoil(file):
        file["dense/vars/1"][0] = np.nan

    rewrite_weights(folder, spoil)
    with pytest.raises(ValueError, match="lacks 1 weights of the model or holds NaN.*bias"):
        Tiny.from_preset(folder)


def test_infinite_weights(folder):
    def spoil(file):
        file["dense/vars/1"][0] = np.inf

    rewrite_weights(folder, spoil)
    with pytest.raises(ValueError, match="holds NaN or infinity.*bias"):
        Tiny.from_preset(folder)


@pytest.mark.parametrize("kind", ["int32", "bool", "complex64", "S3"])
def test_weights_of_a_wrong_type(folder, kind):
    def change(file):
        values = file["dense/vars/1"][...]
        del file["dense/vars/1"]
        file["dense/vars/1"] = np.ones(values.shape).astype(kind)

    rewrite_weights(folder, change)
    with pytest.raises(ValueError, match="'dense/vars/1' of type .*expected weights of type float"):
        Tiny.from_preset(folder)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_save_refuses_a_model_that_diverged(folder, value):
    before = {name: (folder / name).read_bytes() for name in FILES}
    model = Tiny()
    model.dense.bias.assign([0.0, value])
    with pytest.raises(ValueError, match="bias.*not finite numbers"):
        model.save_to_preset(folder)
    assert {name: (folder / name).read_bytes() for name in os.listdir(folder)} == before
    assert os.listdir(folder.parent) == [folder.name]


class Kill:
    """Lets a number of calls that change the disk through, and then none, as after a kill."""

    CALLS = [(Path, "mkdir"), (Path, "rename"), (Path, "replace"), (Path, "rmdir")]
    CALLS += [(storage, "flush")]

    def __init__(self, patch, allowed):
        self.allowed = allowed
        for owner, name in self.CALLS:
            patch.setattr(owner, name, self.counted(getattr(owner, name)))
        patch.setattr(storage.shutil, "rmtree", lambda *arguments, **options: None)

    def counted(self, original):
        def call(*arguments, **options):
            if not self.allowed:
                raise KeyboardInterrupt
            self.allowed -= 1
            return original(*arguments, **options)

        return call


def test_killed_at_any_moment_a_preset_is_whole(folder, monkeypatch):
    """Every call that changes the disk fails in turn, and so do all after it, as after a kill."""
    old, new = Tiny(units=3), Tiny(units=7)
    values = [outputs(old), outputs(new)]
    seen = set()
    for moment in range(100):
        old.save_to_preset(folder)
        with monkeypatch.context() as patch:
            Kill(patch, moment)
            finished = True
            try:
                new.save_to_preset(folder)
            except KeyboardInterrupt:
                finished = False
        found = outputs(Tiny.from_preset(folder))
        (which,) = [k for k, v in enumerate(values) if v.shape == found.shape]
        np.testing.assert_array_equal(found, values[which])
        seen.add(which)
        with monkeypatch.context() as patch:  # the process that was killed is gone
            patch.setattr(storage, "is_running", lambda pid: False)
            old.save_to_preset(folder)
        np.testing.assert_array_equal(outputs(Tiny.from_preset(folder)), values[0])
        assert os.listdir(folder.parent) == [folder.name]
        assert sorted(os.listdir(folder)) == sorted(FILES)
        if finished:
            break
    assert finished and seen == {0, 1} and moment > 8


def test_two_writers_and_a_reader(folder):
    models = [Tiny(units=3), Tiny(units=3)]
    for model, value in zip(models, (1.0, 2.0)):
        model.set_weights([np.full(w.shape, value) for w in model.get_weights()])
    models[0].save_to_preset(folder)

    def write(model):
        for _ in range(5):
            model.save_to_preset(folder)

    writers = [threading.Thread(target=write, args=(model,)) for model in models]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        weights = Tiny.from_preset(folder).get_weights()
        values = {float(v) for w in weights for v in np.unique(w)}
        assert values in ({1.0}, {2.0})
    assert sorted(os.listdir(folder)) == sorted(FILES)


def test_failed_save_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="metadata.json cannot hold"):
        Tiny().save_to_preset(tmp_path / "tiny", description=object())
    assert not os.listdir(tmp_path)


def test_failed_save_keeps_the_old_preset(folder):
    before = {name: (folder / name).read_bytes() for name in FILES}
    with pytest.raises(ValueError, match="metadata.json cannot hold"):
        Tiny(units=5).save_to_preset(folder, description=float("nan"))
    assert {name: (folder / name).read_bytes() for name in os.listdir(folder)} == before


def test_save_refuses_what_could_not_be_loaded(tmp_path):
    network = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(keras.ops.tanh)])
    with pytest.raises(ValueError, match="Lambda"):
        Tiny(network=network).save_to_preset(tmp_path / "tiny")
    assert not os.listdir(tmp_path)


def test_save_refuses_its_own_metadata(tmp_path):
    with pytest.raises(ValueError, match="sha256='0', which save_to_preset"):
        Tiny().save_to_preset(tmp_path / "tiny", sha256="0")


def test_save_to_a_file(tmp_path):
    (tmp_path / "tiny").write_text("")
    with pytest.raises(ValueError, match="is a file, expected a folder"):
        Tiny().save_to_preset(tmp_path / "tiny")


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("config.json", '{"a": ' + "[" * 700 + "]" * 700 + "}", "nested more than 100 levels"),
        ("config.json", '{"a": "' + "x" * 2**22 + '"}', "bytes, expected at most 4,194,304"),
        ("metadata.json", '{"parameter_count": [1]}', r"parameter_count is \[1\], expected int"),
        ("metadata.json", '{"parameter_count": true}', "parameter_count is True, expected int"),
        ("metadata.json", '{"sha256": 7}', "sha256 is 7, expected str"),
    ],
)
def test_hostile_json(folder, name, content, message):
    (folder / name).write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        Tiny.from_preset(folder)
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize("name", ["x" * 5000, "a/" * 3000, "nul\0", "~nobody-has-this-name/x"])
def test_hostile_names(name):
    with pytest.raises(ValueError) as error:
        Tiny.from_preset(name)
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize("preset", [3, None, ["mnist"]])
def test_preset_of_a_wrong_type(preset):
    with pytest.raises(ValueError, match="expected a name, a folder or an address"):
        Tiny.from_preset(preset)


def test_a_file_is_no_preset(folder):
    with pytest.raises(ValueError, match="is a file"):
        Tiny.from_preset(folder / "config.json")
