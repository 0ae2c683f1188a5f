import os
import shutil

import keras
import numpy as np
import pytest

import kzoo
from kzoo.callbacks import Checkpoint
from kzoo.datasets import endless, from_arrays
from tests import kill
from tests.once import once_but
from tests.small_models import PUBLIC, beside, small

IMAGES = np.random.default_rng(0).integers(0, 256, (44, 8, 8, 1), dtype="uint8")
FLOATS = IMAGES.astype("float32") / 127.5 - 1
# Every model with another kind of data.
DATA = {
    "VAE": lambda: from_arrays(IMAGES, None, 8, binarize="dynamic", seed=3),
    "GAN": lambda: from_arrays(IMAGES, None, 8),
    "CFGGAN": lambda: IMAGES,
    "WGANGP": lambda: kzoo.datasets.zip_domains(*[from_arrays(IMAGES, None, 8, seed=3)] * 2),
    "PixelCNN": lambda: FLOATS,
    "BEGAN": lambda: endless(from_arrays(IMAGES, None, 8, seed=3)),
    "PixelCNNPlusPlus": lambda: endless(from_arrays(IMAGES, None, 8, seed=3)),
}
OPTIONS = {
    "GAN": {"augment": "translation", "average_decay": 0.9},
    "PixelCNNPlusPlus": {"dropout": 0.5},
}


def numpy(variable):
    return keras.ops.convert_to_numpy(variable.value)


def states(model):
    return [numpy(variable) for variable in (*model.variables, *model.optimizer.variables)]


def tiny(name):
    keras.utils.set_random_seed(1)
    model = small(name, **OPTIONS.get(name, {}))
    model.image_keys = (*model.image_keys, "a")  # of zip_domains
    averaged = keras.optimizers.Adam(1e-3, use_ema=True)
    if name == "VAE":
        model.compile(averaged)
    elif name == "GAN":
        model.compile(*(keras.optimizers.SGD(1e-3, momentum=0.9) for _ in range(2)))
    elif name == "BEGAN":
        model.compile(keras.optimizers.SGD(1e-3, momentum=0.9), averaged)
    else:
        model.compile()
    return model


class CopyAtHalf(keras.callbacks.Callback):
    """What a training that is killed in its third epoch leaves behind."""

    def __init__(self, folder, copy):
        super().__init__()
        self.folders = folder, copy

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2 and not self.folders[1].exists():
            shutil.copytree(*self.folders)


@pytest.mark.parametrize("name", once_but(["VAE", "GAN", "CFGGAN"], DATA))
def test_a_training_goes_on_as_if_nothing_had_happened(name, tmp_path):
    folders = tmp_path / "whole", tmp_path / "killed"
    ended = []
    for folder in folders:
        model = tiny(name)
        callbacks = [Checkpoint(folder), CopyAtHalf(*folders)]
        if name == "BEGAN":  # waits for two epochs, before and after the interruption
            stalled = {"mode": "min", "min_delta": 100, "patience": 2, "factor": 0.5}
            callbacks.append(keras.callbacks.ReduceLROnPlateau("convergence", **stalled))
        steps = 3 if name in ("BEGAN", "PixelCNNPlusPlus") else None
        options = {"batch_size": 8, "steps_per_epoch": steps, "verbose": 0}
        history = model.fit(DATA[name](), epochs=4, callbacks=callbacks, **options)
        assert history.epoch == ([0, 1, 2, 3] if folder == folders[0] else [2, 3])
        assert sorted(os.listdir(folder)) == ["epoch_00000003.npz", "epoch_00000004.npz"]
        ended.append(states(model))
        np.random.rand(5)  # an interruption may have any length
    for a, b in zip(*ended, strict=True):
        np.testing.assert_array_equal(a, b)
    if name == "BEGAN":
        assert float(numpy(model.d_optimizer.learning_rate)) == pytest.approx(5e-4)


def ends(build, data, folder, **options):
    """The states after two epochs, with and without an end between them."""
    found = []
    for parts in ([2], [1, 2]):
        for epochs in parts:
            keras.utils.set_random_seed(1)
            model = build()
            checkpoint = Checkpoint(folder / str(len(parts)))
            model.fit(**data(model), epochs=epochs, verbose=0, callbacks=[checkpoint], **options)
            np.random.rand(5)
        found.append(states(model))
    return zip(*found, strict=True)


@pytest.mark.once
@pytest.mark.parametrize("name", [name for name in PUBLIC if name not in DATA])
def test_every_other_model(name, tmp_path):
    def build():
        model = small(name, **{"kl_warmup": 9 if name == "LadderVAE" else None})
        model.compile()
        return model

    def data(model):
        images = (IMAGES[:16] > 127) * np.uint8(255)
        if name == "CycleGAN":
            return {"x": images, "y": images[::-1]}
        key, values = beside(model, len(images))
        return {"x": {"image": images, key: values}}

    for a, b in ends(build, data, tmp_path, batch_size=4):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("steps", once_but([None], [4, None]))
def test_a_classifier(steps, tmp_path):
    def build():
        model = kzoo.Classifier(IMAGES.shape[1:], 4, widths=(3, 4), dropout=0.5)
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model

    def data(model):
        given = from_arrays(IMAGES, np.arange(44) % 4, 8, seed=3)
        return {"x": endless(given) if steps else given}

    for a, b in ends(build, data, tmp_path, steps_per_epoch=steps):
        np.testing.assert_array_equal(a, b)


def test_an_orderly_end_is_no_other(tmp_path):
    """Keras writes averages into the weights when `fit` ends; a training goes on without them."""
    ended = []
    for parts in ([3], [1, 3]):
        model = tiny("VAE")
        for epochs in parts:
            checkpoint = Checkpoint(tmp_path / str(len(parts)), every=5)
            model.fit(DATA["VAE"](), epochs=epochs, verbose=0, callbacks=[checkpoint])
        ended.append(states(model))
    for a, b in zip(*ended, strict=True):
        np.testing.assert_array_equal(a, b)
    last = tiny("VAE")
    assert checkpoint.restore(last) == checkpoint.epochs_done() == 3
    before = states(last)
    assert last.fit(DATA["VAE"](), epochs=3, verbose=0, callbacks=[checkpoint]).epoch == []
    assert any(np.any(a != b) for a, b in zip(before, states(last)))  # the averages again


@pytest.fixture
def saved(tmp_path):
    """A model after "two epochs", and the callback that wrote it down after each."""
    model = tiny("GAN")
    checkpoint = Checkpoint(tmp_path)
    checkpoint.set_model(model)
    checkpoint.resume(model, None, [])
    for epochs in (1, 2):
        model.seed_generator.next()
        checkpoint.save(epochs)
    return model, checkpoint


@pytest.mark.parametrize("step", ["numpy.savez", "os.fsync", "os.replace", "pathlib.Path.unlink"])
def test_a_write_that_is_interrupted(saved, tmp_path, monkeypatch, step):
    model, checkpoint = saved
    random_state = numpy(model.seed_generator.state).copy()

    def killed(file, *_, **__):
        if step == "numpy.savez":
            file.write(b"half")
        raise KeyboardInterrupt

    model.seed_generator.next()
    with monkeypatch.context() as patch:
        patch.setattr(step, killed)
        with pytest.raises(KeyboardInterrupt):
            checkpoint.save(3)
    again = tiny("GAN")
    done = Checkpoint(tmp_path).restore(again)
    assert done == (3 if step == "pathlib.Path.unlink" else 2)
    if done == 2:
        np.testing.assert_array_equal(numpy(again.seed_generator.state), random_state)
    checkpoint.save(3)
    assert sorted(os.listdir(tmp_path)) == ["epoch_00000002.npz", "epoch_00000003.npz"]


def test_a_damaged_file(saved, tmp_path):
    model, checkpoint = saved
    newest = tmp_path / "epoch_00000002.npz"
    whole = newest.read_bytes()
    for content in (
        b"",
        whole[:-200],
        whole[:5000] + bytes(range(250)) * 4 + whole[6000:],
        b"PK\3\4",
    ):
        newest.write_bytes(content)
        with pytest.warns(UserWarning, match="epoch_00000002.npz is damaged"):
            assert checkpoint.restore(model) == 1
    (tmp_path / "epoch_00000001.npz").write_bytes(whole[:-200])
    with pytest.raises(ValueError, match="All checkpoints in .* are damaged"):
        with pytest.warns(UserWarning):
            checkpoint.restore(model)


def test_an_array_that_does_not_fit(saved, tmp_path):
    model, checkpoint = saved
    newest = tmp_path / "epoch_00000002.npz"
    with np.load(newest) as file:
        arrays = dict(file)
    name = next(name for name in arrays if "momentum" in name)
    for changed, message in (
        ({name: arrays[name][:1]}, "has the shape"),
        ({"another": arrays[name]}, "holds the unknown array 'another'"),
    ):
        np.savez(newest, **{**arrays, **changed})
        with pytest.raises(ValueError, match=message):
            checkpoint.restore(model)
    del arrays[name]
    np.savez(newest, **arrays)
    with pytest.raises(ValueError, match=f"lacks the array '{name}' for this GAN"):
        checkpoint.restore(model)


def test_a_keras_file_keeps_the_random_state(saved, tmp_path):
    model, _ = saved
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    for a, b in zip(states(model), states(loaded), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="slow: the others by tests.kill")
def test_killed_in_the_middle(tmp_path):
    counts = kill.run("VAE", 2, tmp_path, np.random.default_rng(0), "torch")
    assert counts["equal"] == counts["ends"] and counts["killed"] == 2
    assert not counts["lost"] and not counts["leftovers"]
