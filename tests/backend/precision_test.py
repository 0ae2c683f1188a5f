"""Training in lower precision: a step under loss scaling is the step of float32."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo import backend
from kzoo.layers import LatentCodes

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 1), dtype=np.uint8)


def gan(dtype):
    model = kzoo.GAN(image_shape=(8, 8, 1), latent_dim=4, width=4, dtype=dtype)
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    return model


def gan_with_codes(dtype):
    options = {"latent_dim": 4, "width": 4, "codes": 2, "information": 1.0}
    model = kzoo.GAN(image_shape=(8, 8, 1), dtype=dtype, **options)
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    return model


def cfggan(dtype):
    options = {"latent_dim": 4, "num_steps": 2, "pool_size": 8, "batch_size": 4, "width": 4}
    model = kzoo.CFGGAN(image_shape=(8, 8, 1), approximator_epochs=1, dtype=dtype, **options)
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(1e-3))
    return model


def vae(dtype):
    options = {"latent_dim": 2, "networks": "fully_connected", "widths": (8,)}
    model = kzoo.VAE(image_shape=(8, 8, 1), seed=0, dtype=dtype, **options)
    model.compile(keras.optimizers.SGD(1e-4))
    return model


def pixelcnn(dtype):
    options = {"levels": 4, "filters": 4, "num_blocks": 1, "head_filters": 4}
    model = kzoo.PixelCNN(image_shape=(8, 8, 1), dtype=dtype, **options)
    model.compile(keras.optimizers.SGD(1e-2))
    return model


def movement(build, dtype):
    """How far one `fit` of one update moves every trainable weight: a vector."""
    keras.utils.set_random_seed(0)
    model = build(dtype)
    if dtype == "mixed_float16":  # at its first scale, some gradients overflow
        model.optimizer.dynamic_scale.assign(64.0)
    before = [ops.convert_to_numpy(v.value).copy() for v in model.trainable_variables]
    model.fit(IMAGES, batch_size=8 if build is not cfggan else 4, epochs=1, verbose=0)
    after = [ops.convert_to_numpy(v.value) for v in model.trainable_variables]
    assert all(v.dtype == "float32" for v in model.trainable_variables)
    return np.concatenate([(b - a).ravel() for a, b in zip(before, after, strict=True)])


@pytest.mark.parametrize("build", [gan, gan_with_codes, cfggan, vae, pixelcnn])
def test_sgd_in_lower_precision_moves_the_weights_as_in_float32(build):
    expected = movement(build, "float32")
    assert np.linalg.norm(expected) > 0
    # A wrong scale is wrong by a factor: an error of .5 or more. Rounding differs between CPUs.
    for dtype, tolerance in (("mixed_float16", 0.1), ("mixed_bfloat16", 0.2)):
        error = np.linalg.norm(movement(build, dtype) - expected) / np.linalg.norm(expected)
        assert error < tolerance, dtype


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_networks_that_are_built_by_name_follow_the_model(dtype):
    model = gan_with_codes(dtype)
    networks = (model.discriminator, model.generator, model.code_head)
    for layer in (layer for network in networks for layer in network.layers):
        if not isinstance(layer, LatentCodes):  # which rounds nothing
            assert layer.compute_dtype == dtype[6:]
    assert keras.config.dtype_policy().name == "float32"
    scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (dtype == "mixed_float16")


OPTIMIZERS = {
    "sgd": {},
    "clipped": {"global_clipnorm": 1.0},
    "averaged": {"use_ema": True, "ema_momentum": 0.5},
    "decayed": {"weight_decay": 0.1},
    "accumulated": {"gradient_accumulation_steps": 2},
}


class Steps(keras.Model):
    """A weight and steps down given gradients of it, under loss scaling."""

    def __init__(self, optimizer, scaler):
        super().__init__()
        self.w = self.add_weight(shape=(3,), initializer="ones")
        self.scaler, self.inner = scaler, optimizer
        self.optimizer = scaler

    @backend.compiled
    def step(self, gradient):
        backend.apply_gradients(self.inner, [gradient], [self.w], self.scaler)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("around", ["the optimizer", "several"])
def test_scaled_gradients_make_the_steps_of_unscaled_ones(name, around):
    def adam():
        return keras.optimizers.Adam(0.1, **OPTIMIZERS[name])

    gradients = np.array([[1.0, -2.0, 3.0], [0.5, 0.5, -4.0], [1.0, 1.0, 1.0]], "float32")
    plain, expected = adam(), keras.Variable(np.ones(3, "float32"))
    inner = adam()
    scaler = keras.optimizers.LossScaleOptimizer(
        inner if around == "the optimizer" else keras.optimizers.MultiOptimizer(lambda v: inner),
        initial_scale=8.0,
        dynamic_growth_steps=2,
    )
    model = Steps(scaler if around == "the optimizer" else inner, scaler)
    scaler.build([model.w])
    scales = []
    for gradient in gradients:
        plain.apply([ops.convert_to_tensor(gradient)], [expected])
        scale = float(ops.convert_to_numpy(scaler.dynamic_scale))
        scales.append(scale)
        before = ops.convert_to_numpy(model.w)
        state = [ops.convert_to_numpy(v).copy() for v in inner.variables]
        if len(scales) == 3:  # an overflow in between: nothing moves, and the scale is halved
            model.step(np.array([1.0, np.inf, np.nan], "float32"))
            np.testing.assert_array_equal(ops.convert_to_numpy(model.w), before)
            for v, value in zip(inner.variables, state, strict=True):
                np.testing.assert_array_equal(ops.convert_to_numpy(v), value)
            scale = float(ops.convert_to_numpy(scaler.dynamic_scale))
            scales.append(scale)
        model.step(gradient * np.float32(scale))
        np.testing.assert_allclose(
            ops.convert_to_numpy(model.w), ops.convert_to_numpy(expected), rtol=1e-5
        )
    assert scales == [8.0, 8.0, 16.0, 8.0]


def test_averages_are_those_of_the_weights():
    w = keras.Variable(np.ones(3, "float32"), name="average")
    optimizer = keras.optimizers.RMSprop(0.1, centered=True, momentum=0.5, use_ema=True)
    optimizer.build([w])
    (average,) = backend.weight_averages(optimizer)
    for _ in range(2):
        optimizer.apply([ops.ones(3)], [w])
    optimizer.finalize_variable_values([w])
    np.testing.assert_array_equal(ops.convert_to_numpy(w), ops.convert_to_numpy(average))
    assert backend.weight_averages(keras.optimizers.Adam()) == []
