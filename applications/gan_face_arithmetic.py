"""Arithmetic on the latents of a GAN of faces, as in DCGAN (arXiv:1511.06434, section 6.3.2).

    python applications/gan_face_arithmetic.py weights/gan/celeba

A GAN has no encoder. So faces are generated, and a classifier says who smiles, is a man, wears
glasses. Writes into the preset's folder:

* `arithmetic.png`: smiling woman - neutral woman + neutral man, and man with glasses - man + woman.
  As in the paper, every face is that of an average of three latents.
* `directions.png`: generated faces with a direction added: of a smile, of glasses, of a man.
* `walk.png`: from face to face along an arc.

It prints how often a direction gives an attribute, by the classifier, and the largest step of its
features along walks: a generator that had memorized single faces would jump from one to the next.
"""

import argparse
import pathlib

import numpy as np

import kzoo

ATTRIBUTES = ("Smiling", "Eyeglasses", "Male")
ROWS, EXEMPLARS = 3, 3
WALKS, STEPS = 64, 32  # that are measured


def probabilities_of(model, classifier, latents):
    """`(features, {attribute: probabilities (n,)})` of the images of latents (n, d)."""
    features, values = classifier.activations(kzoo.latents.decoded(model, latents))
    index = classifier.class_names.index
    return features, {name: values[:, index(name)] for name in ATTRIBUTES}


def surest(latents, seen, count, **wanted):
    """The latents of which the classifier is surest that attributes are there, or are not."""
    parts = [seen[name] if there else 1 - seen[name] for name, there in wanted.items()]
    return latents[np.argsort(-np.prod(parts, axis=0))[:count]]


def sums(model, latents, seen):
    """The two sums of faces: rows of three faces and the result, `(2 ROWS, 4, latent_dim)`."""
    count = ROWS * EXEMPLARS

    def group(**wanted):
        return surest(latents, seen, count, **{"Eyeglasses": False, **wanted})

    rows = []
    for first, minus, plus in (
        (
            group(Smiling=True, Male=False),
            group(Smiling=False, Male=False),
            group(Smiling=False, Male=True),
        ),
        (group(Eyeglasses=True, Male=True), group(Male=True), group(Male=False)),
    ):
        for i in range(ROWS):
            a, b, c = (
                kzoo.latents.average_latents(model, part[i::ROWS]) for part in (first, minus, plus)
            )
            rows.append([a, b, c, a - b + c])
    return np.array(rows)


def lengthened(latents, like):
    """Latents with the length of others: on longer ones the generator was not trained."""
    norms = np.linalg.norm(like, axis=-1, keepdims=True)
    return latents * norms / np.linalg.norm(latents, axis=-1, keepdims=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset", type=pathlib.Path, help="folder of a preset of a GAN of faces")
    parser.add_argument("--classifier", default="celeba", help="Classifier preset (%(default)s)")
    parser.add_argument("--faces", type=int, default=10_000, help="to generate (%(default)s)")
    parser.add_argument("--strength", type=float, default=2.0, help="of directions (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the faces (%(default)s)")
    args = parser.parse_args()
    model = kzoo.GenerativeModel.from_preset(args.preset)
    classifier = kzoo.Classifier.from_preset(args.classifier)
    latents, values = kzoo.latents.labelled(model, classifier, args.faces, args.seed)
    seen = {name: values[:, classifier.class_names.index(name)] for name in ATTRIBUTES}

    rows = sums(model, latents, seen)
    faces = kzoo.latents.decoded(model, rows)
    kzoo.visualization.image_grid(faces, columns=4, path=args.preset / "arithmetic.png")
    results = rows[:, 3]
    _, found = probabilities_of(model, classifier, results)
    for name, i in (("Smiling", 0), ("Eyeglasses", ROWS)):
        shown = ", ".join(f"{p:.2f}" for p in found[name][i : i + ROWS])
        print(f"probability of {name} in the results of the sum: {shown}")

    ways = kzoo.latents.balanced_directions(model, latents, seen)
    shown = latents[:6]
    columns = [shown]
    for name in ATTRIBUTES:
        way = args.strength * ways[name]
        columns.append(lengthened(shown + way, shown))
        start = latents[seen[name] < 0.5][:1000]
        _, after = probabilities_of(model, classifier, lengthened(start + way, start))
        share = np.mean(after[name] > 0.5)
        print(f"{name}: {share:.1%} of {len(start):,} generated faces without it have it after")
    sheet = kzoo.latents.decoded(model, np.stack(columns, axis=1))
    kzoo.visualization.image_grid(sheet, columns=4, path=args.preset / "directions.png")

    kzoo.visualization.interpolation_strip(
        model, steps=8, rows=6, seed=args.seed, path=args.preset / "walk.png"
    )
    start, end = latents[:WALKS], latents[WALKS : 2 * WALKS]
    slerp = kzoo.visualization.latents.slerp
    path = np.stack([slerp(start, end, t) for t in np.linspace(0, 1, STEPS)], axis=1)
    features, _ = probabilities_of(model, classifier, path.reshape(-1, path.shape[-1]))
    features = features.reshape(WALKS, STEPS, -1)
    lengths = np.linalg.norm(np.diff(features, axis=1), axis=-1)
    ends = np.linalg.norm(features[:, -1] - features[:, 0], axis=-1)
    print(
        f"walks of {STEPS} images: the largest step of the features is "
        f"{np.mean(lengths.max(axis=1) / ends):.3f} of the distance of the ends, on average; the "
        f"mean step {np.mean(lengths.mean(axis=1) / ends):.3f}"
    )


if __name__ == "__main__":
    main()
