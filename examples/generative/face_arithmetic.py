"""
Title: Arithmetic on faces: smile, glasses, and the latents of a GAN
Author: kzoo authors
Date created: 2026/11/29
Last modified: 2026/11/29
Description: Sums of generated faces, and directions of a smile and of glasses.
Accelerator: GPU
"""

"""
## Introduction

A generative adversarial network (GAN) turns a vector of noise, the latent, into
an image. Nobody tells it what the numbers of the latent should mean. Radford et
al. (2016) found that they can be computed with all the same: the latents of
smiling women, less those of women who do not smile, plus those of men who do not
smile, give smiling men.

Two things make this work:

- Latents that are near each other give similar images. So the average of some
  latents gives an image that has what their images have in common.
- What an attribute adds to an image is about the same vector everywhere. We can
  find it in one group of faces, and use it on another.

To find groups, somebody has to look at the faces. The paper's authors did this
by eye. Here a classifier does it, which was trained on photographs with 40
attributes, such as "Smiling" and "Eyeglasses". Nothing is trained in this
example: the GAN and the classifier come with kzoo. All pictures show faces that
were generated.

References:

- Radford et al., 2016: [Unsupervised Representation Learning with DCGANs](https://arxiv.org/abs/1511.06434)
- White, 2016: [Sampling Generative Networks](https://arxiv.org/abs/1609.04468)
- Liu et al., 2015: [Deep Learning Face Attributes in the Wild](https://arxiv.org/abs/1411.7766)
"""

"""
## Setup

You can install kzoo via the following command, in a checkout of it:
`pip install -e ".[tensorflow]"`. The models run on TensorFlow, JAX and PyTorch; set
the environment variable `KERAS_BACKEND` to choose one.

A full run takes about half a minute on one core of a CPU, with TensorFlow.
"""

import os

import kzoo
import matplotlib.pyplot as plt
import numpy as np

GAN = "celeba"  # Presets, or folders of your own.
CLASSIFIER = "celeba"
FACES = 4000  # That are generated and looked at by the classifier.
EXEMPLARS = 3  # Faces that are averaged, as in the paper.
STRENGTH = 2.0  # How far to go along a direction.
SHOWN = 8  # Faces in a picture.
WALK_STEPS = 32
FOLDER = "face_arithmetic"  # Where the pictures go.

os.makedirs(FOLDER, exist_ok=True)


def show(images, columns, name, title):
    picture = kzoo.visualization.image_grid(
        images, columns=columns, scale=2, path=f"{FOLDER}/{name}.png"
    )
    plt.figure(figsize=(8, 6))
    plt.imshow(picture)
    plt.title(title)
    plt.axis("off")
    plt.show()


"""
## Faces, and what a classifier sees in them

`kzoo.latents.labelled()` draws latents, turns them into images, and asks the
classifier about each. It returns the latents and the probability of every
attribute.
"""

gan = kzoo.GAN.from_preset(GAN)
classifier = kzoo.Classifier.from_preset(CLASSIFIER)
latents, probabilities = kzoo.latents.labelled(gan, classifier, FACES, seed=0)

names = ("Smiling", "Eyeglasses", "Male")
seen = {name: probabilities[:, classifier.class_names.index(name)] for name in names}
for name in names:
    print(f"{name}: {np.mean(seen[name] > 0.5):.1%} of the generated faces")

show(
    kzoo.latents.decoded(gan, latents[: 2 * SHOWN]),
    SHOWN,
    "faces",
    "Generated faces",
)

"""
## Smiling woman - woman + man

For each term of the sum we take the faces of which the classifier is surest, and
average the latents of three of them. The first three columns show these
averages. The last column shows the sum.

In high dimensions nearly all latents of a normal distribution have about the same
length, the square root of their dimension. The generator has seen no others. An
average of three is shorter, and its face is pale. So we bring all latents to the
usual length.
"""


def usual_length(z):
    return z * np.sqrt(z.shape[-1]) / np.linalg.norm(z, axis=-1, keepdims=True)


def surest(**wanted):
    """The latents of faces that most surely have, or lack, some attributes."""
    wanted = {"Eyeglasses": False, **wanted}
    parts = [seen[name] if there else 1 - seen[name] for name, there in wanted.items()]
    return latents[np.argsort(-np.prod(parts, axis=0))[: 3 * EXEMPLARS]]


def sums(first, minus, plus):
    """Three rows of three faces and their sum: latents (3, 4, d)."""
    rows = []
    for i in range(3):
        a, b, c = (
            kzoo.latents.average_latents(gan, group[i::3])
            for group in (first, minus, plus)
        )
        rows.append([a, b, c, a - b + c])
    return usual_length(np.array(rows))


smiling_men = sums(
    surest(Smiling=True, Male=False),
    surest(Smiling=False, Male=False),
    surest(Smiling=False, Male=True),
)
show(
    kzoo.latents.decoded(gan, smiling_men),
    4,
    "smile",
    "smiling woman - neutral woman + neutral man",
)

women_with_glasses = sums(
    surest(Eyeglasses=True, Male=True),
    surest(Male=True),
    surest(Male=False),
)
show(
    kzoo.latents.decoded(gan, women_with_glasses),
    4,
    "glasses",
    "man with glasses - man + woman",
)

"""
The sum is taken of numbers of the latent. The same sum of pixels would be a
double exposure.

## Directions

The difference of the two groups is a direction: latents without glasses to
latents with them. More faces give a better direction. But we have to be careful
about what else differs between the groups. In the photographs more men than women
wear glasses. A direction from all faces without glasses to all faces with them
would make faces more male as well. So `balanced_directions()` computes the direction in
each of the four groups that the two other attributes make, and takes the average.

After the step we bring the latents back to the usual length.
"""

directions = kzoo.latents.balanced_directions(gan, latents, seen, fewest=5)
start = latents[:SHOWN]
rows = [start, *(usual_length(start + STRENGTH * way) for way in directions.values())]
show(
    kzoo.latents.decoded(gan, np.concatenate(rows)),
    SHOWN,
    "directions",
    "Faces, then with a smile, with glasses, and as men",
)

"""
Does it work on most faces, or did we show the best? We move all faces that lack
an attribute, and ask the classifier again. Read the numbers with care: the same
classifier found the direction.
"""

for name in names:
    without = latents[seen[name] < 0.5][:500]
    ends = usual_length(without + STRENGTH * directions[name])
    images = kzoo.latents.decoded(gan, ends)
    _, after = classifier.activations(images)
    share = np.mean(after[:, classifier.class_names.index(name)] > 0.5)
    print(f"{name}: {share:.1%} of {len(without)} faces have it after the step")

"""
## A walk from face to face

If a GAN had learned single photographs by heart, a walk between two latents would
jump from one to the next. `interpolation_strip()` walks along an arc, on which
latents keep their length.
"""

strip = kzoo.visualization.interpolation_strip(
    gan, steps=SHOWN, rows=4, seed=0, path=f"{FOLDER}/walk.png"
)
plt.figure(figsize=(8, 4))
plt.imshow(strip)
plt.axis("off")
plt.show()

"""
We can measure jumps too. The features of the classifier's last hidden layer
describe a face. If each of 31 steps were equally long, a step would be a
thirty-first of the way.
"""

slerp = kzoo.visualization.latents.slerp
path = [slerp(latents[0], latents[1], t) for t in np.linspace(0, 1, WALK_STEPS)]
features, _ = classifier.activations(kzoo.latents.decoded(gan, np.array(path)))
lengths = np.linalg.norm(np.diff(features, axis=0), axis=-1)
print(f"the longest step is {lengths.max() / lengths.sum():.1%} of the way")
print(f"an average step is {1 / (WALK_STEPS - 1):.1%} of the way")

"""
## Conclusion

A generator's latents can be added and subtracted, because it learned to give
similar images to similar latents. To find out what a direction means, one needs
labels for generated images, and a classifier can give them. `kzoo.latents` works
on groups of latents for GANs, and on groups of images for models that encode
images, such as `kzoo.VAE`.

What the classifier does not know cannot be found in this way, and what the
photographs mix, such as glasses and sex, has to be taken apart by hand.
"""
