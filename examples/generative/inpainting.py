"""
Title: Filling holes in images with a pixel model
Author: kzoo authors
Date created: 2026/11/29
Last modified: 2026/11/29
Description: Draw the missing pixels of digits, from above and then from all sides.
Accelerator: GPU
"""

"""
## Introduction

An image has a hole. What could have been there? A model of the whole image knows
the answer: the pixels of the hole have a distribution given the others, and we
can draw from it as often as we like.

A PixelCNN draws an image pixel by pixel, row by row, each from its distribution
given all pixels before it. If the lower half of an image is missing, this is just
what we need: keep the upper half, and draw the rest. But if the hole is in the
middle, a pixel of the hole has to fit what lies below as well, and the PixelCNN
has not looked there yet. It draws strokes that end at the hole's lower edge.

There is an exact remedy, which needs no other network. Write `x` for the whole
image, and `x_i` for its pixels in raster order. Draw many completions. The
probability of drawing one of them is

```
q = product over missing pixels of p(x_i | all before)
```

The distribution that we want is proportional to the probability of the whole
image,

```
p(x) = product over all pixels of p(x_i | all before)
```

The quotient of the two is the weight of a completion:

```
w = p(x) / q = product over given pixels of p(x_i | all before)
```

So the weight of a completion is the probability that it gives to the given pixels.
Those before the hole have the same probability with all completions, so those after
it decide. If we draw one of `K` completions with probabilities proportional to their
weights, its distribution tends to the exact one as `K` grows. This is importance
resampling (Rubin, 1987).

Nothing is trained in this example. The model and a classifier come with kzoo.

References:

- van den Oord et al., 2016: [Pixel Recurrent Neural Networks](https://arxiv.org/abs/1601.06759)
- Rubin, 1987: [The Calculation of Posterior Distributions by Data Augmentation: Comment](https://doi.org/10.2307/2289460)
"""

"""
## Setup

This example needs kzoo, and TensorFlow Datasets for the images. You can install
both via the following command, in a checkout of kzoo:
`pip install -e ".[tensorflow]"`. The model itself runs on TensorFlow, JAX and PyTorch;
set the environment variable `KERAS_BACKEND` to choose one.

A full run takes about two minutes on one core of a CPU, with TensorFlow.
"""

import os

import keras
import kzoo
import matplotlib.pyplot as plt
import numpy as np

TEST_SPLIT = "test[:48]"
PRESET = "mnist"
CLASSIFIER = "mnist"
COMPLETIONS = 32  # K, of each image.
HOLE = (
    9,
    21,
)  # First row and column of the square that is missing, and the next after it.
SHOWN = 6
FOLDER = "inpainting"  # Where the pictures go.

os.makedirs(FOLDER, exist_ok=True)

"""
## Digits with a hole

The model knows black and white pixels only, so the digits are binarized. The mask
is true where a pixel is missing.
"""

test = kzoo.datasets.load(
    "mnist", TEST_SPLIT, batch_size=48, binarize="static", labels=True, seed=0
)
images, labels = kzoo.datasets.to_arrays(test)
model = kzoo.PixelCNN.from_preset(PRESET)
missing = np.zeros(model.image_shape[:2], bool)
missing[slice(*HOLE), slice(*HOLE)] = True

"""
`complete()` draws the missing pixels in raster order. We draw `K` completions of
every image.
"""

repeated = np.repeat(images, COMPLETIONS, axis=0)
completions = model.complete(repeated, missing, seed=0)

"""
## Weights

`pixel_log_prob()` gives the logarithm of every pixel's probability given those
before it. The logarithm of a weight is its sum over the given pixels. Only
differences between the completions of one image matter, so we subtract the largest
before we take the exponential.
"""

log_probs = np.concatenate(
    [
        keras.ops.convert_to_numpy(model.pixel_log_prob(part))
        for part in np.array_split(completions, len(images))
    ]
)
log_weights = log_probs[:, ~missing].sum(axis=1).reshape(len(images), COMPLETIONS)
weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
weights /= weights.sum(axis=1, keepdims=True)

"""
How many completions have a weight that counts? The effective sample size is 1 where
a single completion has all the weight, and `K` where all have the same. Where it is
small, more completions should be drawn.
"""

effective = 1 / (weights**2).sum(axis=1)
print(f"effective sample size: {effective.mean():.1f} of {COMPLETIONS} on average,")
print(f"below 2 for {np.mean(effective < 2):.0%} of the images")

rng = np.random.default_rng(0)
chosen = [rng.choice(COMPLETIONS, 4, p=w) for w in weights]

"""
## Before and after

Each row shows a digit, the digit with its hole in grey, four completions as they
were drawn, and four that were chosen by their weights. Look at the lower edge of the
hole. One of the completions may be chosen more than once.
"""

grouped = completions.reshape(len(images), COMPLETIONS, *model.image_shape)
with_hole = np.where(missing[..., None], 128, images)
rows = [
    [images[i], with_hole[i], *grouped[i, :4], *grouped[i][chosen[i]]]
    for i in range(min(SHOWN, len(images)))
]
sheet = kzoo.visualization.image_grid(
    np.concatenate(rows).astype("uint8"),
    columns=10,
    scale=2,
    path=f"{FOLDER}/completions.png",
)
plt.figure(figsize=(9, 6))
plt.imshow(sheet, cmap="gray", vmin=0, vmax=255)
plt.axis("off")
plt.show()

"""
## Does it help?

A good completion shows the same digit as the original. A classifier counts how
often it does. (The classifier expects images of 32 x 32 pixels.)
"""

classifier = kzoo.Classifier.from_preset(CLASSIFIER)


def same_class(candidates):
    """The share of images (n, k, h, w, 1) that have the class of their original."""
    flat = candidates.reshape(-1, *model.image_shape)
    padding = (classifier.image_shape[0] - model.image_shape[0]) // 2
    edge = (padding, padding)
    padded = np.pad(flat, ((0, 0), edge, edge, (0, 0)))
    _, probabilities = classifier.activations(padded)
    found = probabilities.argmax(axis=1).reshape(len(candidates), -1)
    return np.mean(found == labels[:, None])


resampled = np.stack([grouped[i][chosen[i]] for i in range(len(images))])
shares = {
    "original digits": same_class(images[:, None]),
    "drawn from above": same_class(grouped),
    "chosen by weight": same_class(resampled),
}
for name, share in shares.items():
    print(f"{name}: {share:.1%} have the class of the original")

"""
## Conclusion

A model with an exact likelihood can solve tasks that it was not trained for. It
draws completions in its own order, and its own probabilities correct the result. The
cost grows with the number of pixels after the hole: if the weights concentrate on a
single completion, one draws more of them, or resamples row by row (sequential Monte
Carlo).

In our run, 68 % of the completions drawn from above had the class of the original, and
85 % of those chosen by weight.

For other models, `complete()` works in the same way: `kzoo.GatedPixelCNN`,
`kzoo.PixelRNN` and, for grey values and colors, `kzoo.PixelCNNPlusPlus`.
"""
