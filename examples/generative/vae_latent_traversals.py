"""
Title: The latent space of a VAE: manifold and traversals
Author: kzoo authors
Date created: 2026/11/23
Last modified: 2026/11/23
Description: A map of two latent variables, and what each of ten says about a digit.
Accelerator: GPU
"""

"""
## Introduction

A variational autoencoder (VAE) describes an image by a short vector of latent
variables. Nobody tells it what the variables should mean; they are whatever
makes the images cheap to describe. How can we see what it chose?

- With two latent variables we can draw all of them. The prior is a standard
  normal distribution, so the inverse of its distribution function turns evenly
  spaced numbers between 0 and 1 into latents that are equally probable. A grid
  of such latents, decoded, is a map of everything the model can draw.
- With more variables we look along one of them at a time: we encode an image,
  change a single number of its code, and decode. This is a latent traversal.

Which variables are worth looking at? The KL term of the VAE's objective is a sum
over them. For a normal posterior with mean `m` and variance `v`,

```
KL = 0.5 * (v + m * m - 1 - log(v))
```

per variable, in nats. A variable with KL 0 has a posterior equal to the prior:
it says nothing about the image, and the decoder has learned to ignore it. We order
the variables by their average KL, the highest first.

In this example we train two small VAEs on handwritten digits, one with two
latent variables and one with ten, whose KL term has twice its usual weight
(a beta-VAE). The higher weight leaves fewer variables in use.

References:

- Kingma and Welling, 2014: [Auto-Encoding Variational Bayes](https://arxiv.org/abs/1312.6114)
- Higgins et al., 2017: [beta-VAE](https://openreview.net/forum?id=Sy2fzU9gl)
- White, 2016: [Sampling Generative Networks](https://arxiv.org/abs/1609.04468)
"""

"""
## Setup

This example needs kzoo, and TensorFlow Datasets for the images. You can install
both via the following command, in a checkout of kzoo:
`pip install -e ".[tensorflow]"`. The models themselves run on TensorFlow, JAX and
PyTorch; set the environment variable `KERAS_BACKEND` to choose one.

A full run takes about 12 minutes on one core of a CPU, with TensorFlow.
"""

import os

import keras
import kzoo
import matplotlib.pyplot as plt
import numpy as np

keras.utils.set_random_seed(0)

TRAIN_SPLIT = "train"
TEST_SPLIT = "test"
BATCH_SIZE = 100
EPOCHS = 10
LEARNING_RATE = 1e-3
LATENT_DIM = 10  # Of the second model.
KL_WEIGHT = 2.0
WIDTHS = (32, 64, 128)  # Channels of the encoder's convolutions.
MANIFOLD_SIZE = 20  # Digits along each side of the map.
STEPS = 9  # Images along a traversal.
FOLDER = "vae_latent_traversals"  # Where the pictures go.

os.makedirs(FOLDER, exist_ok=True)


def show(picture, title):
    plt.figure(figsize=(7, 7))
    plt.imshow(picture, cmap="gray", vmin=0, vmax=255)
    plt.title(title)
    plt.axis("off")
    plt.show()


"""
## Binarized MNIST

Every pixel is white with a probability equal to its gray value, drawn anew in
every pass over the training images. Batches are `uint8` arrays of shape
`(batch, 28, 28, 1)`.
"""

train = kzoo.datasets.load(
    "mnist", TRAIN_SPLIT, batch_size=BATCH_SIZE, binarize="dynamic", seed=0
)
test = kzoo.datasets.load(
    "mnist", TEST_SPLIT, batch_size=BATCH_SIZE, binarize="static", labels=True, seed=0
)
test_images, test_labels = kzoo.datasets.to_arrays(test)


def train_vae(latent_dim, kl_weight):
    vae = kzoo.VAE(
        image_shape=(28, 28, 1),
        latent_dim=latent_dim,
        likelihood="bernoulli",
        kl_weight=kl_weight,
        widths=WIDTHS,
        seed=0,
    )
    vae.compile(keras.optimizers.Adam(LEARNING_RATE))
    vae.fit(train, epochs=EPOCHS, validation_data=test)
    return vae


"""
## Two latent variables: the whole manifold

`latent_manifold()` decodes a square grid of latents, spaced by the inverse of
the normal distribution function. Each cell of the sheet has the same
probability under the prior: a digit that takes up a tenth of the sheet is drawn
a tenth of the time.
"""

flat = train_vae(latent_dim=2, kl_weight=1.0)
manifold = kzoo.visualization.latent_manifold(
    flat, n=MANIFOLD_SIZE, path=f"{FOLDER}/manifold.png"
)
show(manifold, "All digits that two latent variables can describe")

"""
The encoder looks at the same plane from the other side. We plot the mean of the
posterior of every test image. The classes lie in the regions where the sheet
above shows them, although no label was ever used.
"""

codes = kzoo.latents.encoded(flat, test_images)
plt.figure(figsize=(7, 6))
plt.scatter(
    codes[:, 0], codes[:, 1], c=test_labels, s=2, cmap="tab10", vmin=-0.5, vmax=9.5
)
plt.colorbar(label="digit", ticks=range(10))
plt.savefig(f"{FOLDER}/codes.png")
plt.show()

"""
## Ten latent variables: which of them say something?

`latent_scores()` gives the average KL of every latent variable on the test
images. Their sum is the `kl` that `evaluate()` reports. The distribution is
uneven: some variables carry several nats each, others next to nothing. With a
larger `KL_WEIGHT` the second kind grows.
"""

vae = train_vae(latent_dim=LATENT_DIM, kl_weight=KL_WEIGHT)
scores = kzoo.latents.latent_scores(vae, test_images)
for dimension in np.argsort(-scores):
    print(f"latent variable {dimension}: {scores[dimension]:.2f} nats")
print(f"all of them: {scores.sum():.2f} nats")

"""
## Traversals

`latent_traversals()` starts from the code of an image. Each row changes one
variable from -3 to 3, that is over the range of the prior, and holds the
others; the rows are in the order of their KL. The first rows change the digit's
shape: slant, width, thickness, the openness of a loop, and at their ends
another digit. The last rows do little or nothing, as their KL says.
"""

traversals = kzoo.visualization.latent_traversals(
    vae,
    test_images,
    image=test_images[0],
    num_dimensions=LATENT_DIM,
    steps=STEPS,
    path=f"{FOLDER}/traversals.png",
)
show(traversals, "One latent variable per row, the most telling one first")

"""
## Between two latents

With more than two dimensions nearly all of a normal distribution's draws lie
near a sphere, whose radius is the square root of the dimension. The straight
line between two of them runs inside it, where the decoder has hardly been
trained; the arc of a great circle stays on it. In ten dimensions the difference
is small, in hundreds it is not.
"""

for spherical in (False, True):
    kind = "spherical" if spherical else "linear"
    strip = kzoo.visualization.interpolation_strip(
        vae,
        steps=STEPS,
        rows=4,
        seed=0,
        spherical=spherical,
        path=f"{FOLDER}/interpolation_{kind}.png",
    )
    show(strip, f"Four {kind} interpolations")

"""
## Arithmetic

Directions in latent space can stand for attributes. The average code of some
images with an attribute, less the average code of images without it, is a
direction that we can add to any other code. Here the attribute is thickness: we
take the test images with the most and with the fewest white pixels, and add
multiples of the direction to the code of one digit.
"""

ink = test_images.mean(axis=(1, 2, 3))
order = np.argsort(ink)
group = max(1, len(order) // 5)
thickness = kzoo.latents.attribute_direction(
    vae, test_images[order[-group:]], test_images[order[:group]]
)
start = kzoo.latents.average_latents(vae, test_images[:1])
walk = np.stack([start + t * thickness for t in np.linspace(-1, 1, STEPS)])
thicker = kzoo.latents.decoded(vae, walk)
strip = kzoo.visualization.image_grid(
    thicker, columns=STEPS, path=f"{FOLDER}/thickness.png"
)
show(strip, "From thin to thick")

"""
## Conclusion

Two latent variables can be drawn as a map, more of them one at a time. The KL
term tells which ones are in use, so a traversal need not guess. The functions
work with every model that has `encode()` and `decode()`:
`kzoo.visualization.latent_traversals(autoencoder, images)` orders the numbers
of an autoencoder's code by their variance, and
`kzoo.visualization.arithmetic_sheet()` draws sums of average faces.
"""
