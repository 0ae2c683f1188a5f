"""Recipes that train for a number of images, on a few of them and with tiny models."""

import csv
import functools
import importlib
import pathlib
import sys

import numpy as np
import pytest

import kzoo

APPLICATIONS = pathlib.Path(__file__).resolve().parents[2] / "applications"
CONDITIONAL = {"num_classes": 10, "average_decay": 0.9}
TINY = {
    "cyclegan_emoji": lambda width: kzoo.CycleGAN(
        (32, 32, 3), width=2, blocks=1, receptive_field=34, pool_size=3
    ),
    "began_celeba": lambda width: kzoo.BEGAN(
        (64, 64, 3), 4, width=width, repeats=1, average_decay=0.9, lambda_k=0.1
    ),
    "gan_mnist_conditional": lambda conditioning: kzoo.GAN(
        (32, 32, 1), 4, width=2, conditioning=conditioning, **CONDITIONAL
    ),
    "gan_cifar10_conditional": lambda conditioning, width: kzoo.GAN(
        (32, 32, 3), 4, width=2, conditioning=conditioning, **CONDITIONAL
    ),
}
SPLITS = ("train", "test")


def tiny_pix2pix(args, **options):
    return kzoo.Pix2Pix((16, 16, 3), width=2, receptive_field=16, **options)


SHAPES = {
    "began_celeba": (80, 70, 3),
    "gan_mnist_conditional": (28, 28, 1),
    "gan_cifar10_conditional": (32, 32, 3),
}


@pytest.fixture
def recipe_of(monkeypatch):
    """Function of a recipe's name: its module, which trains a tiny model, an epoch of 2 updates."""
    monkeypatch.setattr(sys, "path", [str(APPLICATIONS), *sys.path])

    def load(name):
        module = importlib.import_module(name)
        shared = getattr(module, "conditional_recipe", module)
        monkeypatch.setattr(shared, "build", TINY[name])
        growing = shared.growing_recipe
        monkeypatch.setattr(growing, "UPDATES", 2)
        settle = functools.partial(growing.settle, batches=3)  # growing_recipe_test tries it whole
        monkeypatch.setattr(growing, "settle", settle)
        return module

    return load


def run(module, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", [str(argument) for argument in ("recipe", *arguments)])
    module.main()


@pytest.fixture
def data(tmp_path):
    def make(name):
        path = tmp_path / "data.npz"
        images = np.random.RandomState(0).randint(0, 256, (70, *SHAPES[name])).astype("uint8")
        np.savez(path, x_train=images, y_train=np.arange(70) % 10)
        return path

    return make


@pytest.mark.parametrize("name", SHAPES)
def test_an_interrupted_training_ends_as_another(recipe_of, data, monkeypatch, tmp_path, name):
    module = recipe_of(name)
    common = ("--data", data(name), "--batch-size", 4)
    monkeypatch.setattr(module, "PATIENCE", 1, raising=False)
    for folder, counts in (("whole", [24]), ("parts", [8, 24])):
        for count in counts:
            output = ("--work", tmp_path / folder / "run", "--output", tmp_path / folder / "preset")
            run(module, monkeypatch, *common, "--images", count, *output)
    models = [kzoo.BEGAN if "began" in name else kzoo.GAN] * 2
    models = [m.from_preset(tmp_path / f / "preset") for m, f in zip(models, ("whole", "parts"))]
    for a, b in zip(*(m.get_weights() for m in models), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
    assert models[0].generate(10, seed=0).shape[1:] == models[0].image_shape
    with open(tmp_path / "parts" / "run" / "log.csv", newline="") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0", "1", "2"]


def test_a_cyclegan_that_is_interrupted(recipe_of, monkeypatch, tmp_path):
    """Its rate falls with the images still to come, so the number of images stays what it is."""
    module = recipe_of("cyclegan_emoji")
    rng = np.random.default_rng(0)
    names = [f"{name}_{split}" for name in module.NAMES for split in ("train", "test")]
    images = rng.integers(0, 256, (len(names), 6, 36, 36, 3), dtype="uint8")
    np.savez(tmp_path / "data.npz", **dict(zip(names, images)))
    end = kzoo.callbacks.Checkpoint.on_epoch_end

    def stop(*arguments):
        end(*arguments)
        raise KeyboardInterrupt

    models = []
    for folder in ("whole", "parts"):
        output = ("--work", tmp_path / folder / "run", "--output", tmp_path / folder / "preset")
        arguments = ("--data", tmp_path / "data.npz", "--batch-size", 2, "--images", 12, *output)
        if folder == "parts":
            with monkeypatch.context() as patch:
                patch.setattr(kzoo.callbacks.Checkpoint, "on_epoch_end", stop)
                with pytest.raises(KeyboardInterrupt):
                    run(module, monkeypatch, *arguments)
        run(module, monkeypatch, *arguments)
        models.append(kzoo.CycleGAN.from_preset(tmp_path / folder / "preset"))
    for a, b in zip(*(m.get_weights() for m in models), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
    assert (tmp_path / "parts" / "preset" / "translations.png").is_file()


def test_pix2pix_keeps_the_average_of_its_generator(recipe_of, monkeypatch, tmp_path):
    monkeypatch.setitem(TINY, "pix2pix_recipe", tiny_pix2pix)
    recipe = recipe_of("pix2pix_recipe")
    monkeypatch.setattr(recipe, "SIDE", 16)
    monkeypatch.setattr(recipe, "ENLARGED", 18)
    module = importlib.import_module("pix2pix_emoji")
    rng = np.random.default_rng(0)
    names = [f"{name}_{split}" for name in ("target_image", "input_image") for split in SPLITS]
    images = rng.integers(0, 256, (len(names), 6, 18, 18, 3), dtype="uint8")
    np.savez(tmp_path / "data.npz", **dict(zip(names, images)))
    output = ("--work", tmp_path / "run", "--output", tmp_path / "preset")
    arguments = ("--data", tmp_path / "data.npz", "--batch-size", 2, "--images", 8, *output)
    built = []
    monkeypatch.setattr(
        recipe, "build", lambda args, **o: built.append(tiny_pix2pix(args, **o)) or built[-1]
    )
    run(module, monkeypatch, *arguments)
    model = kzoo.Pix2Pix.from_preset(tmp_path / "preset")
    average = built[0].averaged_generator.get_weights()
    assert not model.average_decay
    for a, b in zip(model.generator.get_weights(), average, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)  # stored in half precision
    assert (tmp_path / "preset" / "translations.png").is_file()


def test_the_rate_falls_in_the_second_half(recipe_of):
    rate = recipe_of("cyclegan_emoji").HalfConstant(0.2, 100)
    values = [float(rate(step)) for step in (0, 50, 75, 100, 120)]
    np.testing.assert_allclose(values, [0.2, 0.2, 0.1, 0, 0], atol=1e-7)


def grown(size, **options):
    """As the GANs of 64x64 images, but smaller."""
    networks = {"generator": "dcgan_4x4", "discriminator": "dcgan_4x4"}
    width = 64 * 32 // size  # the generator has at least 32 features at its end
    return kzoo.GAN((size, size, 3), 4, width=width, average_decay=0.9, **networks, **options)


def test_networks_grow_from_32_to_64(recipe_of, monkeypatch, tmp_path):
    monkeypatch.setitem(TINY, "grown_gan_recipe", grown)
    recipe_of("grown_gan_recipe")
    faces = np.random.RandomState(0).randint(0, 256, (20, 70, 66, 3)).astype("uint8")
    np.savez(tmp_path / "faces.npz", x_train=faces)
    module = importlib.import_module("gan_celeba")
    arguments = ("--data", tmp_path / "faces.npz", "--batch-size", 4, "--fade", 4)
    output = ("--work", tmp_path / "run", "--output", tmp_path / "preset")
    run(module, monkeypatch, *arguments, "--images-32", 8, "--images-64", 8, *output)
    model = kzoo.GAN.from_preset(tmp_path / "preset")
    assert model.generate(2, seed=0).shape == (2, 64, 64, 3)
    stages = {path.parent.name for path in (tmp_path / "run").glob("*/log.csv")}
    assert stages == {"32", "64"}


def test_faces_grow_from_a_vae(recipe_of, monkeypatch, tmp_path):
    """The approximator is the VAE's decoder, and is trained on."""

    def tiny(vae, batch_size):
        return kzoo.CFGGAN(
            (64, 64, 3),
            vae.latent_dim,
            num_steps=15,
            pool_size=batch_size,
            batch_size=batch_size,
            approximator_epochs=1,
            width=1,
            average_decay=0.5,
            warm_start=True,
            approximator=vae.decoder,
        )

    monkeypatch.setitem(TINY, "cfggan_celeba", tiny)
    module = recipe_of("cfggan_celeba")
    vae = kzoo.VAE((64, 64, 3), 2, widths=(2, 2), dense_width=4, likelihood="discretized_logistic")
    vae.save_to_preset(tmp_path / "vae")
    faces = np.random.RandomState(0).randint(0, 256, (20, 70, 66, 3)).astype("uint8")
    np.savez(tmp_path / "faces.npz", x_train=faces)
    arguments = ("--data", tmp_path / "faces.npz", "--batch-size", 4, "--vae", tmp_path / "vae")
    arguments += ("--epochs", 2, "--steps-per-epoch", 1)
    run(module, monkeypatch, *arguments, "--work", tmp_path / "run", "--output", tmp_path / "new")
    model = kzoo.CFGGAN.from_preset(tmp_path / "new")
    assert not model.average_decay and int(model.stage) == 2
    assert model.generate(2, seed=0).shape == (2, 64, 64, 3)
    before, after = vae.decoder.get_weights(), model.approximator.get_weights()
    assert all(a.shape == b.shape for a, b in zip(before, after, strict=True))
    assert any(b[a == 0].any() for a, b in zip(before, after))  # the biases
    assert (tmp_path / "new" / "from_vae.png").is_file()
