"""Every model trains on the real MNIST through TFDS: its loss falls."""

import keras
import numpy as np
import pytest

import kzoo

pytest.importorskip("tensorflow_datasets")

MODELS = {
    "VAE": (
        {"image_shape": (28, 28, 1), "latent_dim": 4, "widths": (8, 16), "dense_width": 32},
        {"binarize": "dynamic"},
        keras.optimizers.Adam,
        "loss",
    ),
    "PixelCNN": (
        {"image_shape": (28, 28, 1), "filters": 4, "num_blocks": 1},
        {"binarize": "dynamic"},
        keras.optimizers.Adam,
        "nll",
    ),
    # An adversarial loss need not fall; the discriminator's does while the generator is frozen.
    "GAN": ({"image_shape": (32, 32, 1), "width": 4}, {"pad_to": 32}, None, "d_loss"),
    # Of a CFGGAN it is the distance between the approximator and the grown generator.
    "CFGGAN": (
        {
            "image_shape": (32, 32, 1),
            "width": 4,
            "num_steps": 2,
            "batch_size": 16,
            "pool_size": 32,
            "approximator_epochs": 2,
        },
        {"pad_to": 32},
        None,
        "g_loss",
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_loss_falls_on_mnist(name, tfds_dir):
    arguments, options, optimizer, loss = MODELS[name]
    data = kzoo.datasets.load(
        "mnist", split="train[:640]", batch_size=32, data_dir=tfds_dir, seed=0, **options
    )
    model = getattr(kzoo, name)(**arguments)
    if optimizer:
        model.compile(optimizer(3e-3))
    elif name == "GAN":
        model.compile(keras.optimizers.Adam(1e-3), keras.optimizers.SGD(0.0))
    else:
        model.compile()
    history = model.fit(data, epochs=3, verbose=0).history[loss]
    assert np.isfinite(history).all()
    assert history[-1] < history[0]
    images = model.generate(2, seed=0)
    assert images.shape == (2, *model.image_shape) and images.dtype == np.uint8
