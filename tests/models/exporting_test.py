"""`export` on a model that was never called, and what the file then computes."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo

MODELS = {
    "gan": lambda: kzoo.GAN((8, 8, 1), latent_dim=4, width=4),
    "conditional gan": lambda: kzoo.GAN((8, 8, 1), latent_dim=4, width=4, num_classes=3),
    "vae": lambda: kzoo.VAE((8, 8, 1), latent_dim=3, widths=(4,), dense_width=8),
    "cfggan": lambda: kzoo.CFGGAN(
        (8, 8, 1), latent_dim=4, width=4, num_steps=2, pool_size=4, batch_size=4
    ),
    "pixelcnn": lambda: kzoo.PixelCNN((8, 8, 1), filters=4, num_blocks=1, head_filters=4),
}


def inputs_of(model, count=4):
    rng = np.random.RandomState(0)
    return [
        (np.arange(count) % 3).astype("int32")
        if spec.dtype == "int32"
        else rng.uniform(-1, 1, (count, *spec.shape[1:])).astype("float32")
        for spec in model.input_specs()
    ]


def saved_model(path, given):
    import tensorflow as tf

    loaded = tf.saved_model.load(path)  # kept, for its variables go with it
    return np.asarray(loaded.serve(given if len(given) > 1 else given[0]))


def torch_program(path, given):
    import torch

    tensors = [torch.from_numpy(a) for a in given]
    program = torch.export.load(path).module()
    return program(tensors if len(tensors) > 1 else tensors[0]).detach()


@pytest.mark.parametrize("name", MODELS)
def test_the_file_computes_what_the_model_does(name, tmp_path):
    model = MODELS[name]()
    torch = keras.backend.backend() == "torch"
    given = inputs_of(model, 1 if torch else 4)  # Keras exports a PyTorch program for one example
    if torch and name == "cfggan":
        pytest.skip("PyTorch does not export a gradient")
    if not torch:
        pytest.importorskip("tensorflow")
    path = str(tmp_path / ("model.pt2" if torch else "model"))
    model.export(path, format="torch" if torch else "tf_saved_model", verbose=False)
    got = np.asarray((torch_program if torch else saved_model)(path, given))
    expected = ops.convert_to_numpy(model.exported_call(*map(ops.convert_to_tensor, given)))
    np.testing.assert_allclose(got, expected, atol=1e-5)
