"""The paths of `kzoo.backend.fast` against the plain code, and by many threads."""

import os
import pathlib
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
