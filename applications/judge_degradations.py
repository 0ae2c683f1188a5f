"""What the classifier images64 notices: known degradations of photographs, scored like samples.

    python applications/judge_degradations.py

Photographs that were held out are degraded in known ways, a little to much: blurred, made noisy,
compressed, lowered in resolution, reduced to few distinct ones, mixed with photographs of another
kind. Each set is scored as a model's samples would be, on the features of the classifier images64,
and on those of an older classifier of similar images. `JUDGE.md` says where the scores order the
sets of one degradation by its strength, as a person would. It holds numbers only: no photographs.
"""

import argparse
import io
import pathlib
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

import kzoo
from kzoo.evaluation.judge import Judge

COMMAND = "python applications/judge_degradations.py"
COUNT = 300  # photographs of a set
JUDGES = ("images64", "before")
SCORES = ("frechet_distance", "kernel_distance", "precision", "recall")
DIRECTION = {"frechet_distance": 1, "kernel_distance": 1, "precision": -1, "recall": -1}


class Kind(NamedTuple):
    """Photographs of one kind: their data, the split held out, what is mixed in, pixels a side."""

    data: str
    split: str
    another: str | None = None
    side: int = 64
    before: str = "rooms"  # the classifier that scored them before


KINDS = {
    "bedrooms": Kind("lsun/bedroom", "validation", "living rooms"),
    "faces": Kind("celeb_a_small", "test", "flowers"),
    "flowers": Kind("oxford_flowers102_captions", "test", "faces"),
    "digits": Kind("svhn_cropped", "test", "faces", side=32, before="svhn"),
    "living rooms": Kind("places_living_room", "validation"),
}


def each(change):
    """A degradation of every image by itself, from a function of a Pillow image and a strength."""

    def degrade(images, strength, other, rng):
        changed = [change(Image.fromarray(image), strength) for image in images]
        return np.stack([np.asarray(image) for image in changed])

    return degrade


def compress(image, quality):
    """What JPEG leaves of an image."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def lower(image, percent):
    """The image shrunk to so many percent of each side, and enlarged again."""
    side = image.width * percent // 100
    small = image.resize((side, side), Image.Resampling.BILINEAR)
    return small.resize(image.size, Image.Resampling.BILINEAR)


def add_noise(images, deviation, other, rng):
    noisy = images + rng.normal(scale=deviation, size=images.shape)
    return np.clip(np.round(noisy), 0, 255).astype("uint8")


def repeat(images, distinct, other, rng):
    """As many images, but only so many different ones."""
    return np.resize(images[:distinct], images.shape)


def mix(images, percent, other, rng):
    """As many images, so many percent of which are of another kind."""
    count = len(images) * percent // 100
    return np.concatenate([other[:count], images[count:]])


# Function of (images, strength, images of another kind, generator), strengths, what these are.
DEGRADATIONS = {
    "blur": (
        each(lambda image, sigma: image.filter(ImageFilter.GaussianBlur(sigma))),
        (0.5, 1, 2, 4),
        "standard deviation of the Gaussian in pixels",
    ),
    "noise": (add_noise, (5, 10, 20, 40), "standard deviation in grey values, of 255"),
    "JPEG": (each(compress), (60, 30, 15, 5), "quality"),
    "resolution": (each(lower), (75, 50, 38, 25), "percent of each side that are left"),
    "fewer modes": (repeat, (150, 75, 30, 10), f"distinct photographs, of {COUNT}"),
    "another kind": (mix, (5, 10, 20, 30), "percent of the photographs"),
}


def load(kind, split, side):
    """The images of a split, uint8 (n, side, side, 3), without the data set's other features."""
    data = kzoo.datasets.load(KINDS[kind].data, split, 500, image_size=side, shuffle=False)
    return kzoo.datasets.to_arrays(data)[0]


def measure(name, track=lambda text: None):
    """Scores of one kind of photographs: `{(degradation, strength): {judge: {score: value}}}`.

    `("none", 0)` are the photographs as they are.
    """
    kind = KINDS[name]
    real, held_out, other = (
        load(which, split, kind.side)
        for which, split in [
            (name, "train"),
            (name, kind.split),
            (kind.another, KINDS[kind.another].split),
        ]
    )
    held_out = held_out[:COUNT]
    sets = {("none", 0): held_out}
    for degradation, (degrade, strengths, _) in DEGRADATIONS.items():
        for strength in strengths:
            rng = np.random.default_rng(0)
            sets[degradation, strength] = degrade(held_out, strength, other, rng)
    found = {key: {} for key in sets}
    for judge_name, preset in zip(JUDGES, ("images64", kind.before)):
        classifier = kzoo.Classifier.from_preset(preset)
        judge = Judge(classifier, judge_name, (real, ""), (held_out, ""))
        for key, images in sets.items():
            track(f"{name}, {preset}: {key[0]} {key[1]}")
            scores = judge.scores([images], "")
            found[key][judge_name] = {
                score.name.removeprefix(f"{judge_name}_"): score.value for score in scores
            }
    return found


def breaks(found, name, judge, score):
    """Where a score does not go the way of the degradation: `[(strength, next strength)]`."""
    steps = [("none", 0), *((name, strength) for strength in DEGRADATIONS[name][1])]
    values = [DIRECTION[score] * found[step][judge][score] for step in steps]
    pairs = zip(steps, steps[1:], values, values[1:])
    return [(before[1], after[1]) for before, after, a, b in pairs if not b > a]


def table(found, before):
    """A Markdown table of one kind's scores; `before` is the classifier of the last columns."""
    judges = ("images64", before)
    heads = [f"{score.replace('_', ' ')}, {judge}" for judge in judges for score in SCORES]
    lines = [f"| Degradation | Strength | {' | '.join(heads)} |"]
    lines.append("| --- " * (2 + len(heads)) + "|")
    for (name, strength), scores in found.items():
        cells = [f"{scores[judge][score]:.3g}" for judge in JUDGES for score in SCORES]
        lines.append(f"| {name} | {strength if name != 'none' else ''} | {' | '.join(cells)} |")
    return "\n".join(lines)


def summary(found):
    """A table: at how many of a degradation's four steps each score moves as it should."""
    heads = [f"{score.replace('_', ' ')}, {judge}" for judge in JUDGES for score in SCORES]
    lines = [f"| Photographs | Degradation | {' | '.join(heads)} |"]
    lines.append("| --- " * (2 + len(heads)) + "|")
    for kind, scores in found.items():
        for name, (_, strengths, _) in DEGRADATIONS.items():
            right = [
                len(strengths) - len(breaks(scores, name, judge, score))
                for judge in JUDGES
                for score in SCORES
            ]
            cells = [f"{n} of {len(strengths)}" for n in right]
            lines.append(f"| {kind} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def exceptions(found, judge):
    """A line for every place where a distance does not rise with the strength."""
    lines = []
    for score in ("frechet_distance", "kernel_distance"):
        for kind, scores in found.items():
            for name in DEGRADATIONS:
                for before, after in breaks(scores, name, judge, score):
                    start = ("none", 0) if before == 0 else (name, before)
                    a, b = (scores[key][judge][score] for key in (start, (name, after)))
                    where = f"from {before} to {after}" if before else f"from none to {after}"
                    lines.append(
                        f"- {score.replace('_', ' ')}, {kind}, {name} {where}: {a:.3g} to {b:.3g}."
                    )
    return "\n".join(lines) or "- Nowhere."


def totals(found, judge):
    """A sentence: in how many of the degradations each score keeps the whole order."""
    cases = [(scores, name) for scores in found.values() for name in DEGRADATIONS]
    kept = {
        score: sum(not breaks(scores, name, judge, score) for scores, name in cases)
        for score in SCORES
    }
    return ", ".join(f"{s.replace('_', ' ')} in {n} of {len(cases)}" for s, n in kept.items())


def page(found):
    """The text of JUDGE.md."""
    strengths = "\n".join(f"- {name}: {what}." for name, (_, _, what) in DEGRADATIONS.items())
    mixed = ", ".join(f"{KINDS[name].another} among {name}" for name in found)
    sections = [
        "# What the judge sees",
        f"Written by `{COMMAND}`, which prints every number here.",
        f"`kzoo evaluate` scores colour samples on the features of the classifier images64. Here "
        f"{COUNT} photographs that were held out take the place of the samples. They are degraded "
        "in known ways and compared with the training photographs of the same kind, as samples "
        "are. Digits are degraded at 32x32 and then enlarged, as samples of this size are; the "
        'classifier has not learned them. In the columns "before" the features are those of the '
        "classifiers that were there before: svhn for digits, rooms for all others. The classifier "
        "rooms has seen no faces and no flowers.",
        "A person orders the sets of one degradation by its strength. (No person was asked: that "
        "more blur looks worse than less is taken for granted.) So the two distances should rise "
        "at each step, from the photographs as they are to the strongest degradation. Precision "
        "and recall should fall, if they change: precision speaks of how images look, recall of "
        "how many different ones there are.",
        f"The strengths are:\n\n{strengths}",
        f"Mixed in are {mixed}.",
        "## In short",
        f"A degradation of one kind of photographs is a case; there are {len(found)} times "
        f"{len(DEGRADATIONS)}. The whole order is kept in so many of them:",
        "\n".join(f"- {judge}: {totals(found, judge)}." for judge in JUDGES),
        "The number of steps, of four, at which a distance rises, and precision or recall falls:",
        summary(found),
        "## Where the distances on images64 do not rise",
        exceptions(found, "images64"),
        "## What the scores do not say",
        "- Recall is 0 as soon as each photograph is repeated more than three times. It does not "
        "tell few modes from very few.\n"
        "- Recall hardly changes when photographs of another kind are mixed in, and may rise. "
        "Precision falls, on images64.\n"
        "- Precision hardly moves where a degradation is weak.\n"
        "- Whether noise counts as much as the blur that annoys a person as much was not asked: "
        "only strengths of one degradation are compared.\n"
        "- The classifier was trained on the training photographs, except for digits. Photographs "
        "held out are therefore at some distance already, flowers most. A model that copies "
        "training photographs would be nearer than they are: `kzoo neighbors` looks for copies.",
        "## Scores",
        f"All of {COUNT} images. The Frechet distance of so few images is far above that of many, "
        "even where nothing is degraded. The kernel distance is not.",
    ]
    for name, scores in found.items():
        kind = KINDS[name]
        sections += [
            f"### {name.capitalize()}, against the training split of {kind.data}",
            table(scores, kind.before),
        ]
    return "\n\n".join(sections) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        default=pathlib.Path(__file__).with_name("JUDGE.md"),
        help="the page to write",
    )
    args = parser.parse_args()
    names = [name for name, kind in KINDS.items() if kind.another]
    text = page({name: measure(name, track=print) for name in names})
    args.output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
