import numpy as np
import pytest
from PIL import Image

import kzoo
from kzoo.evaluation import protocols
from kzoo.visualization import image_grid


def load(path):
    image = np.asarray(Image.open(path))
    return image[..., None] if image.ndim == 2 else image


@pytest.mark.parametrize("family", ["vae", "gan", "pixelcnn", "gatedpixelcnn", "cfggan"])
def test_sheet_shows_what_the_model_generates(kzoo_main, saved, tmp_path, family):
    arguments = ["-n", 6, "--seed", 3, "--columns", 4, "-o", tmp_path / "new" / "sheet.png"]
    code, out, err = kzoo_main("generate", saved / family, *arguments)
    assert (code, err) == (0, "")
    assert f"{tmp_path}/new/sheet.png: 6 images 8x8x1" in out and "took" in out
    images = kzoo.GenerativeModel.from_preset(saved / family).generate(6, seed=3)
    sheet = image_grid(images, columns=4, scale=2)
    np.testing.assert_array_equal(load(tmp_path / "new" / "sheet.png"), sheet)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["sheet.png"]


def test_defaults(kzoo_main, saved, tmp_path):
    assert kzoo_main("generate", "--model", "gan", saved / "gan")[0] == 0
    assert load(tmp_path / "samples.png").shape == (8 * 18 + 2, 8 * 18 + 2, 1)


def test_other_formats(kzoo_main, saved, tmp_path):
    images = kzoo.GAN.from_preset(saved / "gan").generate(11, seed=0)
    code, out, _ = kzoo_main("generate", saved / "gan", "-n", 11, "--npz", "a/b.npz")
    assert code == 0 and "a/b.npz" in out
    np.testing.assert_array_equal(np.load("a/b.npz")["images"], images)
    code, _, _ = kzoo_main("generate", saved / "gan", "-n", 11, "--separate", "a/c")
    names = sorted(path.name for path in (tmp_path / "a" / "c").iterdir())
    assert names == [f"{i:02}.png" for i in range(11)]
    np.testing.assert_array_equal(load("a/c/10.png"), images[10])
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["b.npz", "c"]
    assert kzoo_main("generate", saved / "gan", "-n", 11, "--npy", "a/d.npy")[0] == 0
    np.testing.assert_array_equal(np.load("a/d.npy"), images)
    assert not (tmp_path / "samples.png").exists()
    # A folder may have any name.
    assert kzoo_main("generate", saved / "gan", "-n", 2, "--separate", "a/e.npy")[0] == 0
    assert sorted(path.name for path in (tmp_path / "a" / "e.npy").iterdir()) == ["0.png", "1.png"]


def test_a_folder_never_mixes_images_of_two_commands(kzoo_main, saved, tmp_path):
    command = ("generate", saved / "gan", "--separate", "drawn", "-n")
    for _ in range(2):
        assert kzoo_main(*command, 11)[0] == 0
    code, _, err = kzoo_main(*command, 3)
    assert code == 1
    assert "'drawn' has 11, such as '00.png': name another folder, or empty this one" in err
    assert len([*(tmp_path / "drawn").iterdir()]) == 11
    (tmp_path / "empty").mkdir()
    assert kzoo_main("generate", saved / "gan", "--separate", "empty", "-n", 3)[0] == 0


def test_functional_gradient_steps(kzoo_main, saved):
    model = kzoo.CFGGAN.from_preset(saved / "cfggan")
    drawn = []
    for steps in (0, 2):
        code, _, _ = kzoo_main(
            "generate", saved / "cfggan", "-n", 4, "--steps", steps, "--npz", "x.npz"
        )
        assert code == 0
        drawn.append(np.load("x.npz")["images"])
        np.testing.assert_array_equal(drawn[-1], model.generate(4, seed=0, steps=steps))
    assert (drawn[0] != drawn[1]).any()


def test_labels_and_temperature(kzoo_main, saved):
    options = ["-n", 4, "--labels", "3,1", "--temperature", "0.5", "--npz", "x.npz"]
    assert kzoo_main("generate", saved / "gatedpixelcnn", *options)[0] == 0
    model = kzoo.GatedPixelCNN.from_preset(saved / "gatedpixelcnn")
    images = model.generate(4, seed=0, labels=[3, 1, 3, 1], temperature=0.5)
    np.testing.assert_array_equal(np.load("x.npz")["images"], images)


def test_labels_of_any_conditional_model(kzoo_main, tmp_path):
    size = {"latent_dim": 2, "num_classes": 4}
    models = {
        "vae": kzoo.VAE((8, 8, 1), widths=(3,), dense_width=4, **size),
        "gan": kzoo.GAN((8, 8, 1), width=2, **size),
    }
    for name, model in models.items():
        model.save_to_preset(name)
        assert kzoo_main("generate", name, "-n", 3, "--labels", 3, "--npz", "x.npz")[0] == 0
        images = model.generate(3, seed=0, labels=3)
        np.testing.assert_allclose(np.load("x.npz")["images"], images, atol=1)
        code, _, err = kzoo_main("generate", name, "-n", 3, "--labels", 4)
        assert code == 1 and "labels must be in 0..3, got values from 4 to 4" in err


def test_labels_go_on_over_the_groups(monkeypatch):
    """Three classes in turn, in groups of four images: each image has the class of its number."""
    drawn = []
    model = kzoo.VAE((8, 8, 1), latent_dim=2, widths=(3,), dense_width=4, num_classes=3)
    monkeypatch.setattr(protocols, "SAMPLE_GROUP", 4)
    monkeypatch.setattr(
        model, "generate", lambda n, seed=None, labels=None: drawn.extend(labels) or np.zeros(n)
    )
    list(protocols.sample(model, 10))
    assert drawn == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    drawn.clear()
    list(protocols.sample(model, 10, labels=2))
    assert drawn == [2] * 10


@pytest.mark.parametrize(
    ("family", "options", "message"),
    [
        ("gan", ["--labels", "1"], "--labels: a GAN takes none"),
        ("gan", ["--temperature", "2"], "--temperature: a GAN takes none"),
        ("pixelcnn", ["--labels", "1"], "--labels: a PixelCNN takes none"),
        ("gatedpixelcnn", ["--labels", "1,4"], "labels must be in 0..3, got values from 1 to 4"),
        ("gatedpixelcnn", ["--labels", "a"], "expected class numbers such as 3 or 3,5, got 'a'"),
        ("pixelcnn", ["--temperature", "0"], "--temperature: expected a positive number, got '0'"),
    ],
)
def test_options_that_do_not_fit(kzoo_main, saved, family, options, message):
    code, _, err = kzoo_main("generate", saved / family, *options)
    assert code and message in err


def test_an_autoencoder_draws_nothing(kzoo_main, saved):
    code, _, err = kzoo_main("generate", saved / "autoencoder")
    assert code != 0 and "Autoencoder reconstructs images and draws none" in err


def test_many_images_come_in_groups(saved, monkeypatch):
    model = kzoo.GAN.from_preset(saved / "gan")
    monkeypatch.setattr(protocols, "SAMPLE_GROUP", 4)
    tracked = []

    def track(steps, description):
        tracked.append((len(steps), description))
        return steps

    groups = list(protocols.sample(model, 10, seed=1, track=track))
    assert [len(group) for group in groups] == [4, 4, 2]
    assert tracked == [(3, "Drawing images")]
    images = np.concatenate(groups)
    assert len(np.unique(images, axis=0)) == 10  # every group has latents of its own
    np.testing.assert_array_equal(images, np.concatenate(list(protocols.sample(model, 10, seed=1))))


def test_nothing_is_left_of_a_file_that_cannot_be_written(kzoo_main, saved, tmp_path):
    (tmp_path / "file").write_text("")
    for option, name in (("-o", "file/sheet.png"), ("--npz", "file/x.npz"), ("--separate", "file")):
        code, _, err = kzoo_main("generate", saved / "gan", "-n", 2, option, name)
        assert code == 2 and "'file' is a file, expected a folder" in err and err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
