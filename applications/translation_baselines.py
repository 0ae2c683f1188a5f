"""Super-resolution and colorization: Pix2Pix against L1 alone, and against no network at all.

    KERAS_BACKEND=torch python applications/translation_baselines.py super_resolution
    KERAS_BACKEND=torch python applications/translation_baselines.py colorization

Super-resolution: from faces of 16x16, enlarged to 64x64 by bicubic interpolation, to the original
faces of 64x64. Colorization: from grey flowers to the original ones in colour. Both models of it
learn colours as YCbCr, and a translation takes its brightness, Y, from the grey image (the paper
does so in Lab). For each task two models are trained, with `gan_weight` 0 and 1.

`TRANSLATION.md` compares their translations of test images, and the sources as they are, with the
real images: mean absolute error, PSNR, SSIM, and the Frechet distance on a classifier's features.
For flowers also the share whose species the classifier recognizes: colours should raise it.
L1, PSNR and SSIM favour the loss L1; the other two measures do not.

Isola et al. 2017 (arXiv:1611.07004), section 4.2, for colorization. Training is counted in images
and goes on where it stopped.
"""

import json
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import recipe
from growing_recipe import train
from PIL import Image

import kzoo
from kzoo.evaluation.translation_scores import feature_score, pair_scores

FOLDER = pathlib.Path(__file__).parent / "translation"
PAGE = FOLDER.parent / "TRANSLATION.md"
SIDE, SMALL = 64, 16  # pixels
MODELS = {"L1 alone": 0.0, "Pix2Pix": 1.0}  # names and weights of the adversarial loss
CLASSIFIER = "images64"
REAL = "the real images"


def enlarged(images):
    """uint8 images (n, h, w, 3), each made small and bicubically as large as before."""
    height, width = images.shape[1:3]
    small = (SMALL * width // height, SMALL)
    resized = [
        Image.fromarray(image)
        .resize(small, Image.Resampling.BOX)
        .resize((width, height), Image.Resampling.BICUBIC)
        for image in images
    ]
    return np.stack([np.asarray(image) for image in resized])


def grey(images):
    """uint8 images (n, h, w, 3) as grey ones of three equal channels."""
    return np.stack([np.asarray(Image.fromarray(x).convert("L").convert("RGB")) for x in images])


def in_colours(images, old, new):
    """uint8 images (n, h, w, 3) from one of Pillow's modes of colour to another."""
    return np.stack([np.asarray(Image.fromarray(x, old).convert(new)) for x in images])


def coloured(translated, sources):
    """Grey images with the colours of their translations in YCbCr, uint8 (n, h, w, 3)."""
    parts = [sources[..., :1], translated[..., 1:]]
    return in_colours(np.concatenate(parts, axis=-1), "YCbCr", "RGB")


class Task(NamedTuple):
    source: Callable  # images to what is translated
    title: str  # of the sources
    data: str
    labelled: bool  # whether the classifier knows the labels
    target: Callable  # images to what a model learns to draw
    finish: Callable  # translations and their sources to images


TASKS = {
    "super_resolution": Task(
        enlarged, "bicubic", "celeb_a_small", False, lambda images: images, lambda drawn, _: drawn
    ),
    "colorization": Task(
        grey,
        "grey",
        "oxford_flowers102_captions",
        True,
        lambda images: in_colours(images, "RGB", "YCbCr"),
        coloured,
    ),
}


def load(args, split, labels):
    """`(images, labels)` of a split: uint8 (n, 64, 64, 3), and ints (n,) or None."""
    names = ("image", "label") if labels else ("image",)
    data = recipe.load(args, split, shuffle=False, image_size=SIDE, features=names)
    arrays = kzoo.datasets.to_arrays(data)
    return arrays["image"], arrays.get("label")


def scored(images, real, labels, classifier):
    """What a row of the table holds: `{name: number}`."""
    values = {score.name: score.value for score in pair_scores(images, real, "")}
    distance = feature_score(images, real, classifier, CLASSIFIER, "")
    values["frechet_distance"] = distance.value
    if labels is not None:
        values["accuracy"] = accuracy(images, labels, classifier)
    return values


def accuracy(images, labels, classifier):
    """The fraction of images whose label the classifier names."""
    metric = kzoo.metrics.ConditionalAccuracy(classifier)
    metric.update_state(images, labels)
    return metric.result()


def run(args):
    """Trains the two models of a task; returns what the page shows of it."""
    task = TASKS[args.task]
    real, _ = load(args, "train", task.labelled)
    held_out, labels = load(args, "test", task.labelled)
    sources, shown = task.source(real), task.source(held_out)
    targets = task.target(real)
    classifier = kzoo.Classifier.from_preset(CLASSIFIER)
    rows = {task.title: scored(shown, held_out, labels, classifier)}
    for model_name, weight in MODELS.items():
        keras.utils.set_random_seed(args.seed)
        model = kzoo.Pix2Pix(
            (SIDE, SIDE, 3), width=args.width, gan_weight=weight, average_decay=0.999
        )
        model.compile()
        folder = args.work / args.task / model_name.replace(" ", "_")
        options = {
            "mirror": True,
            "sources": sources,
            "shown": (task.target(held_out[:32]), shown[:32]),
        }
        train(args, model, targets, args.images, folder, **options)
        translated = task.finish(model.generate(sources=shown, seed=0), shown)
        rows[model_name] = scored(translated, held_out, labels, classifier)
    if task.labelled:
        rows[REAL] = {"accuracy": accuracy(held_out, labels, classifier)}
    return {"data": args.data, "test": len(held_out), "images": args.images, "rows": rows}


COLUMNS = {
    "l1": ("L1", "{:.4f}"),
    "psnr": ("PSNR, dB", "{:.2f}"),
    "ssim": ("SSIM", "{:.3f}"),
    "frechet_distance": ("Frechet distance", "{:.3f}"),
    "accuracy": ("species named", "{:.1%}"),
}


def table(rows):
    """Lines of a Markdown table of `{row: {column: number}}`."""
    names = [name for name in COLUMNS if any(name in row for row in rows.values())]
    lines = ["| images | " + " | ".join(COLUMNS[name][0] for name in names) + " |"]
    lines.append("| --- |" + " ---: |" * len(names))
    for title, row in rows.items():
        cells = [COLUMNS[name][1].format(row[name]) if name in row else "" for name in names]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return lines


def page():
    """`TRANSLATION.md`, from the results in `applications/translation/`."""
    lines = [
        "# Super-resolution and colorization",
        "",
        "`python applications/translation_baselines.py TASK` writes this page. It trains",
        "`kzoo.Pix2Pix` with and without its adversarial loss for equally many images. It compares",
        "translations of test images with the real images. The loss L1 favours L1, PSNR and SSIM.",
        f"The Frechet distance is measured on features of the classifier {CLASSIFIER}. It falls",
        "with the number of images: compare rows of one table only.",
        "In colorization the brightness of a translation is that of the grey image.",
    ]
    for task in TASKS:
        path = FOLDER / f"{task}.json"
        if path.exists():
            result = json.loads(path.read_text())
            lines += ["", f"## {task.replace('_', '-').capitalize()}", ""]
            lines += [
                f"{result['test']:,} test images of {result['data']}; each model saw "
                f"{result['images']:,} images.",
                "",
            ]
            lines += table(result["rows"])
    return "\n".join(lines) + "\n"


def main():
    parser = recipe.parser(__doc__.splitlines()[0], None, "weights/pix2pix/baselines", 8, data=None)
    parser.add_argument("task", choices=TASKS, help="what is trained")
    parser.add_argument("--images", type=int, default=64_000, help="seen by each model")
    parser.add_argument("--width", type=int, default=24, help="of all networks")
    args = parser.parse_args()
    args.data = args.data or TASKS[args.task].data
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{args.task}.json").write_text(json.dumps(run(args), indent=1) + "\n")
    PAGE.write_text(page())
    print(page())


if __name__ == "__main__":
    main()
