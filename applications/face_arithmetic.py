"""Sheets of a face model's latent space: a sum of average faces, a smile, traversals.

    python applications/face_arithmetic.py weights/vae/celeba

Writes into the preset's folder, from the training images of `celeb_a_small`:

* `arithmetic.png`: smiling woman, neutral woman, neutral man, and the first minus the second plus
  the third; every face is the image of an average code of about 200 people or more.
* `smile.png`: faces that the model generates, in the middle, and less and more smiling ones. Their
  latents have a standard deviation of .7 instead of the prior's 1, which gives more usual faces.
* `traversals.png`: the dimensions with the largest KL, changed one at a time from the average.

No sheet shows a photograph of a person, or the reconstruction of one.
"""

import argparse
import pathlib

import keras
import numpy as np

import kzoo

SPREAD = 0.7  # standard deviation of the generated faces' latents


def load(image_shape, data, split):
    """Images, and who smiles and is a man: uint8 (n, h, w, c), bool (n,) each."""
    dataset = kzoo.datasets.load(
        data,
        split,
        features=("image", "attributes"),
        image_size=image_shape[:2],
        shuffle=False,
        batch_size=500,
    )
    arrays = kzoo.datasets.to_arrays(dataset)
    return arrays["image"], arrays["attributes"]["Smiling"], arrays["attributes"]["Male"]


def smile_sheet(model, direction, path, rows=6, steps=7, extent=1.5, seed=0):
    """Generated faces, each with -extent to extent times the direction of a smile added."""
    start = keras.random.normal((rows, 1, model.latent_dim), stddev=SPREAD, seed=seed)
    start = keras.ops.convert_to_numpy(start)
    multiples = np.linspace(-extent, extent, steps)[:, None]
    faces = kzoo.latents.decoded(model, start + multiples * direction)
    kzoo.visualization.image_grid(faces, columns=steps, path=path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset", type=pathlib.Path, help="folder of a preset of a face model")
    parser.add_argument("--data", default="celeb_a_small", help="TFDS name (%(default)s)")
    parser.add_argument("--split", default="train", help="of the data (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of shares and faces (%(default)s)")
    args = parser.parse_args()
    model = kzoo.GenerativeModel.from_preset(args.preset)
    images, smiling, male = load(model.image_shape, args.data, args.split)
    smiling_women, neutral_women = images[smiling & ~male], images[~smiling & ~male]
    neutral_men = images[~smiling & male]
    kzoo.visualization.arithmetic_sheet(
        model,
        smiling_women,
        neutral_women,
        neutral_men,
        seed=args.seed,
        path=args.preset / "arithmetic.png",
    )
    smile = kzoo.latents.attribute_direction(model, smiling_women, neutral_women)
    if hasattr(model, "generate"):
        smile_sheet(model, smile, args.preset / "smile.png", seed=args.seed)
    kzoo.visualization.latent_traversals(model, images, path=args.preset / "traversals.png")


if __name__ == "__main__":
    main()
