import importlib
import json
import pathlib
import sys

import numpy as np
import pytest
from PIL import Image

import kzoo

APPLICATIONS = pathlib.Path(__file__).resolve().parents[2] / "applications"


@pytest.fixture
def application(monkeypatch):
    """Imports a script of applications/ by its name."""
    monkeypatch.syspath_prepend(str(APPLICATIONS))
    yield importlib.import_module
    for name in [n for n, m in sys.modules.items() if str(APPLICATIONS) in str(m)]:
        del sys.modules[name]


def build(dtype):
    return kzoo.VAE((8, 8, 1), latent_dim=2, widths=(3,), dense_width=4, seed=0, dtype=dtype)


def test_recipe_trains_goes_on_and_saves_in_float32(application, tmp_path):
    vae_recipe = application("vae_recipe")
    data = tmp_path / "digits.npz"
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    np.savez(data, x_train=images, x_test=images[:20])
    folder = tmp_path / "preset"

    def train(epochs, **options):
        parser = vae_recipe.parser("A test.", epochs, "weights/vae/test", 10, str(data))
        args = parser.parse_args(
            ["--output", str(folder), "--work", str(tmp_path / "run"), "--dtype", "mixed_bfloat16"]
        )
        metadata = {"title": "A test", "description": "Tiny.", "data": "Noise.", "notes": "None."}
        vae_recipe.train(args, build, metadata, rate=1e-3, **options)
        return kzoo.VAE.from_preset(folder)

    model = train(1, start=build("float32"))
    assert {v.dtype for v in model.weights} - {"uint32"} == {"float32"}
    assert model.compute_dtype == "float32"
    longer = train(2)  # the second epoch of the same run
    assert any((a != b).any() for a, b in zip(model.get_weights(), longer.get_weights()))
    notes = json.loads((folder / "metadata.json").read_text())["notes"]
    assert notes.startswith("None. Loss of the test images") and "(1), " in notes
    assert notes.endswith("(2).")


def test_start_gives_its_weights(application, tmp_path):
    vae_recipe = application("vae_recipe")
    data = tmp_path / "digits.npz"
    np.savez(data, x_train=np.zeros((20, 8, 8), "uint8"), x_test=np.zeros((20, 8, 8), "uint8"))
    start = build("float32")
    start.set_weights([w + 1 if w.dtype == "float32" else w for w in start.get_weights()])
    args = vae_recipe.parser("A test.", 1, "weights/vae/test", 10, str(data)).parse_args(
        ["--output", str(tmp_path / "preset"), "--work", str(tmp_path / "run")]
    )
    metadata = {"title": "A test", "description": "Tiny.", "data": "Black.", "notes": "None."}
    with pytest.warns(UserWarning, match="all pixels"):
        vae_recipe.train(args, build, metadata, rate=0.0, binarize=False, start=start)
    loaded = kzoo.VAE.from_preset(tmp_path / "preset")
    for a, b in zip(loaded.decoder.get_weights(), start.decoder.get_weights()):
        np.testing.assert_allclose(a, b, rtol=2**-11)  # stored in half precision


def test_faces_of_a_smile_and_of_a_sum(application, tmp_path, monkeypatch):
    script = application("face_arithmetic")
    model = kzoo.VAE((16, 16, 1), 4, likelihood="discretized_logistic", widths=(3, 3), seed=0)
    model.save_to_preset(tmp_path / "faces", title="A test", description="Tiny.")
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 1), dtype=np.uint8)
    who = np.arange(40)
    attributes = {"Smiling": who % 2 == 1, "Male": who % 4 >= 2}

    def load(name, split, features, **_):
        assert (name, split) == ("celeb_a_small", "train")
        assert features == ("image", "attributes")
        return {"image": images, "attributes": attributes}

    monkeypatch.setattr(kzoo.datasets, "load", load)
    monkeypatch.setattr(kzoo.datasets, "to_arrays", lambda data: data)
    monkeypatch.setattr(sys, "argv", ["face_arithmetic.py", str(tmp_path / "faces")])
    script.main()
    sizes = {
        name: Image.open(tmp_path / "faces" / f"{name}.png").size
        for name in ("arithmetic", "smile", "traversals")
    }
    assert sizes["smile"] == (7 * 18 + 2, 6 * 18 + 2)
    assert all(width > 32 for width, _ in sizes.values())
