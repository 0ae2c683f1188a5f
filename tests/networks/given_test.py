"""A model takes the image shape of the networks that a user gives to it."""

import keras
import numpy as np
import pytest

import kzoo

SHAPE = (16, 16, 3)


def network(*layers, inputs=(SHAPE,)):
    tensors = [keras.Input(shape) for shape in inputs]
    x = tensors[0] if len(tensors) == 1 else keras.layers.Concatenate()(tensors)
    for layer in layers:
        x = layer(x)
    return keras.Model(tensors if len(tensors) > 1 else tensors[0], x)


def dense(*outputs):
    size = int(np.prod(outputs))
    return keras.layers.Flatten(), keras.layers.Dense(size), keras.layers.Reshape(outputs)


def images(*shapes, channels=3):
    return network(keras.layers.Conv2D(channels, 1), inputs=shapes)


def patches(*shapes):
    return network(keras.layers.Conv2D(1, 4, strides=4), inputs=shapes)


GIVEN = {
    "GAN": lambda: {"discriminator": network(*dense(1)), "latent_dim": 4},
    "GAN's generator": lambda: {
        "generator": network(*dense(*SHAPE), inputs=[(4,)]),
        "discriminator": "dcgan",
        "latent_dim": 4,
        "width": 4,
    },
    "CFGGAN": lambda: {"discriminator": network(*dense(1)), "num_steps": 2, "width": 4},
    "VAE": lambda: {"encoder": network(*dense(8)), "latent_dim": 4},
    "VAE of classes": lambda: {
        "encoder": network(*dense(8), inputs=[(16, 16, 5)]),
        "latent_dim": 4,
        "num_classes": 2,
    },
    "Autoencoder": lambda: {"encoder": network(*dense(4)), "latent_dim": 4},
    "Autoencoder's decoder": lambda: {
        "decoder": network(*dense(*SHAPE), inputs=[(4,)]),
        "latent_dim": 4,
    },
    "Pix2Pix": lambda: {
        "generator": images((16, 16, 1)),
        "discriminator": patches(SHAPE, (16, 16, 1)),
    },
    "Pix2Pix's discriminator": lambda: {
        "discriminator": patches(SHAPE, SHAPE),
        "generator": "resnet_translator",
        "width": 4,
    },
    "CycleGAN": lambda: {"generator_ba": images(SHAPE), "width": 4, "receptive_field": 16},
    "CycleGAN's discriminator": lambda: {
        "discriminator_b": patches(SHAPE),
        "width": 4,
        "receptive_field": 16,
    },
}


@pytest.mark.parametrize("case", GIVEN)
def test_the_image_shape_is_that_of_the_given_networks(case):
    name = case.split("'")[0].split()[0]
    model = getattr(kzoo, name)(**GIVEN[case]())
    assert model.image_shape == SHAPE
    if case == "Pix2Pix":
        assert model.source_shape == (16, 16, 1)
    config = model.get_config()
    assert tuple(config["image_shape"]) == SHAPE


def test_the_encoder_of_a_text_to_image_gan_says_the_shape():
    encoder = kzoo.TextImageEncoder(SHAPE, vocabulary=["a", "cat"], max_words=4)
    assert kzoo.TextToImageGAN(encoder=encoder, width=4).image_shape == SHAPE


@pytest.mark.parametrize(
    "name, shape",
    [
        ("GAN", (32, 32, 1)),
        ("VAE", (28, 28, 1)),
        ("Autoencoder", (28, 28, 1)),
        ("Pix2Pix", (64, 64, 3)),
        ("CycleGAN", (64, 64, 3)),
    ],
)
def test_without_networks_of_the_users_own(name, shape):
    assert getattr(kzoo, name)().image_shape == shape


@pytest.mark.parametrize("name", ["VAE", "Autoencoder"])
def test_a_network_of_another_shape_is_named_on_one_line(name):
    with pytest.raises(ValueError, match="The encoder does not take inputs of shape") as error:
        getattr(kzoo, name)((8, 8, 3), encoder=network(*dense(8)), latent_dim=4)
    assert "\n" not in str(error.value)
