"""Trained generators, refined by functional gradient steps: what `kzoo.CFGGAN.refine` does to them.

    python applications/refine.py                     # all of them, and REFINE.md
    python applications/refine.py --only gan/svhn     # one; the others' results stay

Every preset is the start G_0 of ICFG (Johnson, Zhang 2018, arXiv:1801.06309, Algorithm 2) with a
discriminator of its own. Images of the same latents are drawn from G_t for t = 0, T/3, 2T/3 and T
and scored on the features of two classifiers. Results are kept in `applications/refine/`, one JSON
file and one sheet of samples per preset; `REFINE.md` is written from them.
"""

import argparse
import json
import os
import pathlib
import time

import keras
import numpy as np

import kzoo
from kzoo.evaluation.judge import Judge

FOLDER = pathlib.Path(__file__).parent / "refine"
PAGE = FOLDER.parent / "REFINE.md"
SAMPLES = 2_000
REFERENCE = 10_000  # training images that samples are compared with, at most
SEEDS = 3  # of samples
COLUMNS = 12  # latents in a sheet

#: The discriminator of a generator that has none of its own.
NEW = {
    "steps": 3,
    "discriminator_steps": 8,
    "learning_rate": 5e-4,
    "discriminator": "dcgan",
    "spectral_normalization": False,
    "width": 32,
}
#: The discriminator of a GAN that was trained with the hinge loss and translated images.
HINGE = {
    "own_discriminator": True,
    "discriminator_loss": "hinge",
    "augment": "translation",
    "augmented_steps": False,
    "steps": 3,
    "step_size": 0.8,
    "discriminator_steps": 2,
    "stages": 40,
}
#: Preset: its data, the classifier of that data, and the arguments of `refine`.
RUNS = {
    "vae/mnist": ("mnist", "mnist", {**NEW, "stages": 120}),
    "vae/svhn": ("svhn_cropped", "svhn", {**NEW, "stages": 120}),
    "vae/celeba": ("celeb_a_small", "celeba", {**NEW, "stages": 120}),
    "gan/svhn": (
        "svhn_cropped",
        "svhn",
        {"own_discriminator": True, "stages": 60, "step_size": 0.05},
    ),
    # The shipped CFGGAN, which `applications/cfggan_lsun_bedroom.py` made with these arguments.
    "gan/lsun_bedroom": (
        "lsun/bedroom",
        "rooms",
        {"shipped": "lsun_bedroom", **HINGE},
    ),
    "gan/celeba": (
        "celeb_a_small",
        "celeba",
        HINGE,
    ),
}
#: A generator's own discriminator goes on from where it was, slowly.
COMMON = {"steps": 10, "step_size": 0.5, "pool_size": 64, "learning_rate": 5e-5}


def load(data, split, side):
    """Real images, uint8 (n, side, side, c)."""
    options = {"image_size": side} if side == 64 else {}
    dataset = kzoo.datasets.load(data, split=split, batch_size=256, shuffle=False, **options)
    return kzoo.datasets.to_arrays(dataset)[0]


def padded(images):
    """28x28 images with zeros around, as the classifier of MNIST sees them; others as they are."""
    margin = (2, 2) if images.shape[1] == 28 else (0, 0)
    return np.pad(images, ((0, 0), margin, margin, (0, 0)))


def judges_of(preset_classifier, data, side):
    """The classifiers by which images are scored: that of the data, and images64 for colour."""
    held_out = "validation" if data == "lsun/bedroom" else "test"
    real, rest = load(data, "train", side), load(data, held_out, side)
    names = [preset_classifier] + (["images64"] if real.shape[-1] == 3 else [])
    return real, [
        Judge(
            kzoo.Classifier.from_preset(name),
            name,
            (padded(real[:REFERENCE]), f"{data} train"),
            (padded(rest), held_out),
        )
        for name in names
    ]


def run(name, stages=None):
    """Refines one preset; returns what `REFINE.md` shows of it, and the refined model."""
    family, preset = name.split("/")
    data, classifier, arguments = RUNS[name]
    arguments = {**COMMON, **arguments}
    if stages is not None:
        arguments["stages"] = stages
    keras.utils.set_random_seed(0)
    shipped = arguments.pop("shipped", None)
    generator = getattr(kzoo, {"vae": "VAE", "gan": "GAN"}[family]).from_preset(preset)
    if arguments.pop("own_discriminator", False):
        arguments["discriminator"] = generator.discriminator
    real, judges = judges_of(classifier, data, generator.image_shape[0])
    start = time.process_time()
    if shipped is None:
        refined = kzoo.CFGGAN.refine(generator, real, verbose=0, **arguments)
    else:
        refined = kzoo.CFGGAN.from_preset(shipped)
    seconds = None if shipped else round(time.process_time() - start)
    steps = refined.num_steps
    times = sorted({0, steps // 3, 2 * steps // 3, steps})
    rows, references = {}, {}
    for t in times:
        drawn = [padded(refined.generate(SAMPLES, seed=seed, steps=t)) for seed in range(SEEDS)]
        for judge in judges:
            each = [judge.scores([images], "") for images in drawn]
            for scores in zip(*each, strict=True):
                values = [score.value for score in scores]
                references[scores[0].name] = scores[0].reference
                mean, std = float(np.mean(values)), float(np.std(values, ddof=1))
                row = {"t": t, "mean": mean, "std": std, "values": [float(v) for v in values]}
                rows.setdefault(scores[0].name, []).append(row)
    result = {
        "preset": name,
        "arguments": {
            key: value for key, value in arguments.items() if not isinstance(value, keras.Model)
        },
        "seconds": seconds,
        "shipped": shipped,
        "backend": keras.backend.backend(),
        "losses": refined.last_losses(),
        "scores": rows,
        "real": references,
    }
    images = np.concatenate([refined.generate(COLUMNS, seed=1, steps=t) for t in times])
    kzoo.visualization.image_grid(
        images, columns=COLUMNS, scale=2, path=FOLDER / f"{name.replace('/', '_')}.png"
    )
    return result, refined


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=sorted(RUNS), help="one preset")
    parser.add_argument("--stages", type=int, help="another number of stages, for a try")
    parser.add_argument("--save", help="a folder, which then holds the refined model as a preset")
    args = parser.parse_args()
    os.makedirs(FOLDER, exist_ok=True)
    for name in [args.only] if args.only else RUNS:
        result, refined = run(name, args.stages)
        path = FOLDER / f"{name.replace('/', '_')}.json"
        path.write_text(json.dumps(result, indent=1) + "\n")
        print(name, json.dumps(result["scores"]), flush=True)
        if args.save:
            refined.save_to_preset(args.save, half_precision=True)
    PAGE.write_text(page())


#: What a person saw in the pictures.
LOOKED_AT = {
    "vae/mnist": "Looked at: blurred strokes become crisp; wrong shapes stay wrong.",
    "gan/svhn": "Looked at: nothing changes but a little contrast.",
    "vae/svhn": "Looked at: the digits do not become sharper; a fine texture appears.",
    "vae/celeba": "Looked at: the faces gain contrast and stay blurred.",
    "gan/lsun_bedroom": "Looked at: rooms stay as they are; edges gain a little contrast.",
    "gan/celeba": "Looked at: the faces stay as they are.",
}
TITLES = {
    "frechet_distance": "Frechet distance",
    "kernel_distance": "kernel distance",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
}


def changes(result):
    """The change of every Frechet distance from t = 0 to T, in percent: a list of texts.

    A seed has the same latents at every t. So the deviation of the change is that of the
    differences, where the results have every seed's value.
    """
    texts = []
    for name, rows in result["scores"].items():
        classifier, score = name.split("_", 1)
        if score == "frechet_distance":
            first, last = rows[0], rows[-1]
            change = f"{100 * (last['mean'] / first['mean'] - 1):+.0f}"
            if "values" in first:
                differences = np.subtract(last["values"], first["values"])
                change += f" ± {100 * np.std(differences, ddof=1) / first['mean']:.0f}"
            texts.append(f"{change} % on {classifier}")
    return texts


def section(result):
    """The part of `REFINE.md` about one preset."""
    arguments = ", ".join(f"{key}={value!r}" for key, value in result["arguments"].items())
    own = "" if "discriminator" in result["arguments"] else ", the generator's own discriminator"
    if result.get("shipped"):
        cost = f"shipped as `cfggan/{result['shipped']}`"
    else:
        cost = f"{result['seconds']} s of processor time"
    lines = [
        f"## {result['preset']}",
        "",
        f"`{arguments}`{own}; {cost}; {result['backend']}.",
        "",
    ]
    times = [row["t"] for row in next(iter(result["scores"].values()))]
    lines += [
        "| Score | " + " | ".join(f"t = {t}" for t in times) + " | held-out images |",
        "| --- |" + " ---: |" * (len(times) + 1),
    ]
    for name, rows in result["scores"].items():
        classifier, score = name.split("_", 1)
        cells = [f"{row['mean']:.3g} ± {row['std']:.1g}" for row in rows]
        cells.append(f"{result['real'][name]:.3g}")
        lines.append(f"| {TITLES[score]}, {classifier} | " + " | ".join(cells) + " |")
    picture = f"refine/{result['preset'].replace('/', '_')}.png"
    looked = [LOOKED_AT[result["preset"]], ""] if result["preset"] in LOOKED_AT else []
    return [*lines, "", f"![{result['preset']}]({picture})", "", *looked]


def page():
    """`REFINE.md`, from the results in `applications/refine/`."""
    lines = [
        "# Refining trained generators by functional gradient steps",
        "",
        "`python applications/refine.py` writes this page. Each preset is G_0 of ICFG, Algorithm 2",
        "of arXiv:1801.06309. `kzoo.CFGGAN.refine` trains a discriminator against the growing",
        "images, and leaves the generator as it is. Every row of a picture shows images of the",
        "same latents, from t = 0 at the top to t = T at the bottom.",
        "",
        f"Scores are means over {SEEDS} seeds of {SAMPLES:,} samples each, with their standard",
        f"deviation over the seeds, against the training images ({REFERENCE:,} at most). A lower",
        "distance is better, and a higher precision and recall. Every line says on which",
        "classifier's features it was measured. A Frechet distance falls with the number of",
        "images, and coverage rises. Held out are 10,000 digits of MNIST, 1,000 of SVHN, 1,000",
        "faces or 300 bedrooms, so samples may do better than they.",
        "",
    ]
    paths = [FOLDER / f"{name.replace('/', '_')}.json" for name in RUNS]
    results = [json.loads(path.read_text()) for path in paths if path.exists()]
    lines += ["What T steps change the Frechet distance by:", ""]
    lines += [f"* {result['preset']}: {', '.join(changes(result))}" for result in results]
    lines += [
        "",
        "The steps do not help every generator. A change counts where it is larger than the",
        "deviation over the seeds and both classifiers agree on its sign. A seed has the same",
        "latents at every t, so a change varies less over the seeds than the scores do: where its",
        "own deviation was measured, it stands behind the ±.",
        "",
    ]
    for result in results:
        lines += section(result)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    main()
