import pytest

import kzoo
from kzoo.cli import common


@pytest.mark.parametrize(
    "name, expected",
    [
        *[(name, f"a {name}") for name in ("CFGGAN", "GAN", "LadderVAE", "PixelCNN", "VAE", "vae")],
        *[(name, f"a {name}") for name in ("WGAN", "VQVAE", "MultiScalePixelRNN", "UNet")],
        *[(name, f"an {name}") for name in ("Autoencoder", "InfoGAN", "LSGAN", "autoencoder")],
    ],
)
def test_the_article_is_that_of_the_name_read_aloud(name, expected):
    assert common.with_article(name) == expected


def test_every_model_of_kzoo_is_known():
    """A model is what has weights to train: a public class below the base class, with defaults."""
    public = {name: getattr(kzoo, name) for name in kzoo._NAMES}
    models = {
        name
        for name, found in public.items()
        if isinstance(found, type) and issubclass(found, kzoo.GenerativeModel)
    }
    bases = {"GenerativeModel", "MultiScale", "PixelModel"}  # nothing to train without networks
    assert {*kzoo._MODELS, *kzoo._MODELS_OF_CAPTIONS} == models - bases
    assert {*kzoo._MODELS, "Classifier"} <= set(common.trained_models())
    rest = set(common.preset_models()) - set(common.trained_models())
    assert rest >= set(kzoo._MODELS_OF_CAPTIONS)  # and what other tests registered


@pytest.mark.parametrize("name", kzoo._MODELS)
@pytest.mark.parametrize("image_shape", [(28, 28, 1), (64, 64, 3)])
def test_a_model_says_what_suits_the_images(name, image_shape):
    model_class = common.model_class(name)
    arguments = model_class.arguments_for(image_shape, 4)
    model = model_class(**arguments)
    assert model.image_shape == arguments["image_shape"]
    assert all(own >= given for own, given in zip(model.image_shape, image_shape, strict=True))
    optimizers = model.default_optimizers()
    model.compile(**optimizers)
