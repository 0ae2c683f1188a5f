"""Writes the page: exported presets, a list of them, and the files of `page/`."""

import json
import pathlib
import shutil

import numpy as np

import kzoo
from kzoo.models.exporting import check_format
from kzoo.models.text_to_image.vocabulary import FIRST, UNKNOWN

#: Where the page finds ONNX Runtime Web unless it has a copy: the files of npm's onnxruntime-web.
RUNTIME = "https://cdn.jsdelivr.net/npm/onnxruntime-web@1.30.0/dist/"
#: The files of it that the page loads.
RUNTIME_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
ATTRIBUTES = {"Smiling": "Smile", "Eyeglasses": "Glasses", "Male": "Male"}
IMAGES_OF_CAPTION = 9
PAGE = pathlib.Path(__file__).parent / "page"


def write_page(folder, runtime=None, presets=None, faces=4000, say=print):
    """Writes the demo into a folder.

    Args:
        folder: where to; it is made.
        runtime: a folder with the files of npm's onnxruntime-web (`dist`), which are copied; `None`
            has the browser fetch them from a public address, `RUNTIME`.
        presets: names or folders in place of those in `shipped_names()`; `None` in place of one
            leaves its part out.
        faces: how many faces to draw for the directions of attributes.
        say: is told what was written, a line at a time.

    Raises:
        FileNotFoundError: if files of the runtime are missing.
        ImportError: if the package that writes ONNX files is missing.
    """
    names = shipped_names() | (presets or {})
    files = runtime_files(runtime)
    check_format("onnx")
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    page = {"version": kzoo.__version__, "runtime": copied_runtime(files, folder)}
    if names["growth"]:
        page["growth"] = growth(kzoo.CFGGAN.from_preset(names["growth"]), folder, say)
    if names["manifold"]:
        page["manifold"] = manifold(kzoo.VAE.from_preset(names["manifold"]), folder, say)
    if names["completion"]:
        model = kzoo.GatedPixelCNN.from_preset(names["completion"])
        page["completion"] = completion(model, folder, say)
    if names["faces"]:
        model = kzoo.GAN.from_preset(names["faces"])
        classifier = kzoo.Classifier.from_preset(names["classifier"])
        page["faces"] = attributes(model, classifier, faces, folder, say)
    if names["captions"]:
        model = kzoo.TextToImageGAN.from_preset(names["captions"])
        page["captions"] = captions(model, folder, say)
    for path in PAGE.iterdir():
        shutil.copy(path, folder / path.name)
    # The last: a page is whole once it is there.
    (folder / "demo.json").write_text(json.dumps(page), encoding="utf-8")


def shipped_names():
    """The preset of each part of the page; `None` for captions where no such preset is there."""
    handles = [preset["preset"] for preset in kzoo.list_presets()]
    return {
        "growth": "mnist",
        "manifold": "mnist_2d",
        "completion": "mnist",
        "faces": "celeba",
        "classifier": "celeba",
        "captions": "emoji" if "texttoimagegan/emoji" in handles else None,
    }


def runtime_files(runtime):
    """The files of a folder with the runtime that the page loads; none of `None`.

    Raises:
        FileNotFoundError: if some are missing.
    """
    if runtime is None:
        return []
    files = [pathlib.Path(runtime).expanduser() / name for name in RUNTIME_FILES]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise FileNotFoundError(
            f"The runtime lacks {', '.join(missing)}: expected the folder `dist` of npm's "
            "onnxruntime-web."
        )
    return files


def copied_runtime(files, folder):
    """The address of the runtime's files, once they are there."""
    if not files:
        return RUNTIME
    (folder / "runtime").mkdir(exist_ok=True)
    for file in files:
        shutil.copy(file, folder / "runtime" / file.name)
    return "runtime/"


def growth(model, folder, say):
    """Exports G_0 and the steps from G_t to G_{t+1}: what the page knows of a CFGGAN."""
    files = {"start": write(model, folder, "growth-start", "start", say)}
    try:
        files["step"] = write(model, folder, "growth-step", "step", say)
    except RuntimeError as error:  # the backend exports no gradients
        say(f"The steps are left out: {error}")
    steps = model.num_steps if "step" in files else 0
    return {**shapes(model), **files, "batch": model.batch_size, "steps": steps}


def manifold(model, folder, say):
    """Exports the decoder: what the page knows of a VAE with two latents."""
    if model.latent_dim != 2:
        raise ValueError(f"The manifold needs a VAE with latent_dim=2, got {model.latent_dim}.")
    return {**shapes(model), "decode": write(model, folder, "manifold", "decode", say, 1)}


def completion(model, folder, say):
    """Exports the network, images to logits: what the page knows of a pixel model."""
    if model.levels != 2 or model.image_shape[-1] != 1 or model.conditioned_on:
        raise ValueError(
            "Completing needs a pixel model of black and white images without a condition, got "
            f"levels={model.levels}, image_shape={model.image_shape}."
        )
    network = write(model, folder, "completion", "call", say, 1)
    return {"image_shape": list(model.image_shape), "network": network}


def attributes(model, classifier, count, folder, say):
    """Exports a GAN of faces, and finds the directions of attributes among its latents."""
    files = {"draw": write(model, folder, "faces", "call", say, 1)}
    say(f"Drawing {count} faces, to find the directions of {', '.join(ATTRIBUTES.values())}.")
    latents, values = kzoo.latents.labelled(model, classifier, count, seed=0)
    index = classifier.class_names.index
    seen = {name: values[:, index(name)] for name in ATTRIBUTES}
    found = kzoo.latents.balanced_directions(model, latents, seen)
    directions = {ATTRIBUTES[name]: np.round(way, 4).tolist() for name, way in found.items()}
    return {**shapes(model), **files, "directions": directions}


def captions(model, folder, say):
    """Exports a generator and the words it knows: what the page knows of a model of captions."""
    return {
        **shapes(model),
        "draw": write(model, folder, "captions", "call", say, IMAGES_OF_CAPTION),
        "batch": IMAGES_OF_CAPTION,
        "vocabulary": list(model.vocabulary),
        "max_words": model.max_words,
        "first": FIRST,
        "unknown": UNKNOWN,
    }


def shapes(model):
    return {"image_shape": list(model.image_shape), "latent_dim": model.latent_dim}


def write(model, folder, name, function, say, batch_size=None):
    """Exports a function of a model with weights in half precision; the file's name."""
    path = folder / f"{name}.onnx"
    model.export(
        str(path),
        "onnx",
        verbose=False,
        function=function,
        batch_size=batch_size,
        half_precision=True,
    )
    say(
        f"Wrote {path}: {function} of {type(model).__name__}, {path.stat().st_size / 2**20:.1f} MiB"
    )
    return path.name
