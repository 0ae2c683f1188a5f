"""The paths of `kzoo.backend.fast` against the plain code, and by many threads."""

import os
import pathlib
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo import backend
from kzoo.backend import fast

BACKEND = keras.backend.backend()


def pixelcnn():
    keras.utils.set_random_seed(0)
    model = kzoo.PixelCNN(image_shape=(6, 6, 1), levels=4, filters=4, num_blocks=2, head_filters=4)
    for variable in model.trainable_variables:
        variable.assign(keras.random.normal(variable.shape, seed=1))
    return model


def small_gan():
    keras.utils.set_random_seed(0)
    model = kzoo.GAN(image_shape=(16, 16, 1), latent_dim=4, width=4, pointwise=True)
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 1), dtype=np.uint8)
    model.fit(images, batch_size=8, epochs=2, verbose=0)
    return [ops.convert_to_numpy(v.value) for v in model.trainable_variables]


@pytest.mark.parametrize("path", [p for p, (name, _) in fast.PATHS.items() if name == BACKEND])
def test_a_path_gives_what_the_plain_code_gives(path):
    assert fast.uses(path) == fast.ON
    images, weights = pixelcnn().generate(3, seed=0), small_gan()
    with fast.without(path):
        assert not fast.uses(path)
        np.testing.assert_array_equal(pixelcnn().generate(3, seed=0), images)
        for a, b in zip(small_gan(), weights, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)


def test_unknown_paths_are_refused():
    with pytest.raises(ValueError, match="got \\['other'\\]"), fast.without("other"):
        pass


@pytest.mark.once
@pytest.mark.parametrize("value, on", [("0", False), ("1", True)])
def test_one_variable_switches_them_all(value, on):
    code = "from kzoo.backend import fast; print([fast.uses(path) for path in fast.PATHS])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KZOO_FAST": value},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str([on] * len(fast.PATHS))


def test_many_threads_draw_from_one_model():
    alone, model = pixelcnn(), pixelcnn()  # nothing is compiled yet of the one that threads use
    expected = [alone.generate(2, seed=seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        draws = [pool.submit(model.generate, 2, seed=seed) for seed in (*range(8), *range(8))]
        for image, draw in zip((*expected, *expected), draws, strict=True):
            np.testing.assert_array_equal(draw.result(), image)


def test_many_threads_compile_one_program():
    class Model(keras.Model):
        @backend.compiled
        def double(self, x):
            return 2.0 * x

    model = Model()
    with ThreadPoolExecutor(8) as pool:
        results = pool.map(model.double, [np.full(n, n, "float32") for n in (1, 2) * 8])
        for n, result in zip((1, 2) * 8, results, strict=True):
            np.testing.assert_array_equal(ops.convert_to_numpy(result), np.full(n, 2.0 * n))


PRIVATE = re.compile(r"keras\.src|torch\.utils\._|(?<!self)(?<!kzoo)\._[a-z]\w*")


def test_private_names_are_where_they_are_listed():
    """What `kzoo.backend` uses of a library's private names, by file."""
    folder = pathlib.Path(backend.__file__).parent
    found = {}
    for path in folder.rglob("*.py"):
        code = re.sub(r'""".*?"""', "", path.read_text(), flags=re.S)
        names = set(PRIVATE.findall(code))
        if names:
            found[path.relative_to(folder).as_posix()] = names
    assert found == {
        "jax.py": {"keras.src"},
        "fast/recorded.py": {"torch.utils._", "._schema"},
    }


@pytest.mark.skipif(BACKEND != "jax", reason="is about JAX")
def test_keras_still_tells_the_scope_around():
    from kzoo.backend.jax import get_stateless_scope

    assert get_stateless_scope() is None
    with keras.StatelessScope() as scope:
        assert get_stateless_scope() is scope


@pytest.mark.skipif(BACKEND != "torch", reason="is about PyTorch")
def test_torch_still_has_what_recorded_loops_need():
    import torch
    from torch.utils import _pytree
    from torch.utils._python_dispatch import TorchDispatchMode

    assert hasattr(TorchDispatchMode, "__torch_dispatch__")
    assert _pytree.tree_leaves([1, (2,)]) == [1, 2]
    schema = torch.ops.aten.add.Tensor._schema
    assert schema.name == "aten::add" and not schema.is_mutable


class Counted(keras.utils.PyDataset):
    """Two batches of images, the second one smaller; notes what it is asked for."""

    def __init__(self):
        super().__init__()
        self.asked = []
        self.images = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 1), dtype=np.uint8)

    def __len__(self):
        return 2

    def __getitem__(self, index):
        self.asked.append(index)
        return (self.images[4 * index : 4 * (index + 1)],)

    def on_epoch_begin(self):
        self.asked.append("begin")

    def on_epoch_end(self):
        self.asked.append("end")


@pytest.mark.skipif(BACKEND != "tensorflow", reason="a pipeline of TensorFlow")
def test_a_pipeline_gives_the_batches_of_a_data_set_and_is_not_tuned():
    data = Counted()
    pipeline, shuffle = backend.pipeline(data)
    assert shuffle is False and not pipeline.options().autotune.enabled and len(pipeline) == 2
    for _ in range(2):
        data.asked.clear()
        batches = [batch[0].numpy() for batch in pipeline]
        assert data.asked == ["begin", 0, 1, "end"]
        np.testing.assert_array_equal(np.concatenate(batches), data.images)
    random.seed(0)
    orders = {tuple(len(b[0]) for b in backend.pipeline(data, True)[0]) for _ in range(20)}
    assert orders == {(4, 2), (2, 4)}


@pytest.mark.skipif(BACKEND != "tensorflow", reason="a pipeline of TensorFlow")
def test_data_that_keras_has_to_read_stay_as_they_are():
    endless, threads = Counted(), Counted()
    endless.__class__ = type("Endless", (Counted,), {"num_batches": None})
    threads.workers = 2
    for data in (endless, threads, np.zeros((2, 4, 4, 1))):
        assert backend.pipeline(data, True) == (data, True)
    with fast.without("untuned_pipelines"):
        data = Counted()
        assert backend.pipeline(data, True) == (data, True)


def test_a_fit_passes_over_all_of_a_data_set_in_every_epoch():
    data = Counted()
    model = kzoo.Autoencoder(image_shape=(16, 16, 1), latent_dim=2, widths=(2, 2), dense_width=4)
    model.compile()
    data.asked.clear()
    model.fit(data, epochs=2, validation_data=Counted(), shuffle=False, verbose=0)
    told = [a for a in data.asked if a in ("begin", "end")]
    assert told[-4:] == ["begin", "end"] * 2, told
    last = len(data.asked) - 1 - data.asked[::-1].index("begin")
    assert data.asked[last:] == ["begin", 0, 1, "end"]
