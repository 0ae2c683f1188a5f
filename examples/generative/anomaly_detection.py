"""
Title: Anomaly detection by likelihood: a trap, and likelihood ratios
Author: kzoo authors
Date created: 2026/11/29
Last modified: 2026/11/29
Description: A model of clothes finds digits likelier than clothes; ratios help.
Accelerator: GPU
"""

"""
## Introduction

A generative model with a likelihood knows how probable an image is. So it looks
easy to find anomalies: train the model on normal images, and call an image
anomalous if its likelihood is low. No examples of anomalies are needed.

Nalisnick et al. (2019) tried it, and found the opposite: models of clothes give
handwritten digits a **higher** likelihood than the clothes they were trained on. The
same happens with photographs of objects and house numbers.

There is no error in the models. The likelihood of an image is a sum over all its
pixels, and most pixels tell nothing about what the image shows. A digit is a few
strokes on a large black background. Black pixels next to black pixels are easy to
predict, whatever the model was trained on. A shirt has many grey values, which are
hard to predict, even for a model of shirts. So the likelihood mainly says how simple
an image is.

What matters is how much *more* probable an image is under the model of clothes
than under a model that knows nothing about clothes:

```
score(x) = log p(x) - log p0(x)
```

We try two choices of `p0`:

- A background model (Ren et al., 2019): the same network, trained on images in
  which some pixels were replaced at random. It learns how pixels depend on their
  neighbors, and not what clothes look like.
- A file format (Serra et al., 2020): a program that compresses any image without
  loss defines a probability too. An image of `n` bits has `p0 = 2 ** -n`. We take
  PNG.

We measure everything by the area under the ROC curve (AUROC): the probability that
a normal image has a higher score than an anomalous one. 0.5 is guessing, 1 is
perfect, and below 0.5 the score is worse than guessing.

References:

- Nalisnick et al., 2019: [Do Deep Generative Models Know What They Don't Know?](https://arxiv.org/abs/1810.09136)
- Ren et al., 2019: [Likelihood Ratios for Out-of-Distribution Detection](https://arxiv.org/abs/1906.02845)
- Serra et al., 2020: [Input Complexity and Out-of-Distribution Detection](https://arxiv.org/abs/1909.11480)
"""

"""
## Setup

This example needs kzoo, and TensorFlow Datasets for the images. You can install
both via the following command, in a checkout of kzoo:
`pip install -e ".[tensorflow]"`. The model itself runs on TensorFlow, JAX and PyTorch;
set the environment variable `KERAS_BACKEND` to choose one.

A full run takes about 5 minutes on one core of a CPU, with TensorFlow.
"""

import io
import os

import keras
import kzoo
import matplotlib.pyplot as plt
import numpy as np
import PIL.Image

keras.utils.set_random_seed(0)

TRAIN_SPLIT = "train[:8000]"  # Of Fashion-MNIST.
NORMAL_SPLIT = "test[:1000]"  # Of Fashion-MNIST.
ANOMALOUS_SPLIT = "test[:1000]"  # Of MNIST.
LEVELS = 8  # Grey values of the model.
FILTERS = 16
NUM_BLOCKS = 4
BATCH_SIZE = 32
EPOCHS = 4
REPLACED = 0.2  # Share of pixels that are random in the images of the background model.
FOLDER = "anomaly_detection"  # Where the pictures go.

os.makedirs(FOLDER, exist_ok=True)

"""
## Clothes and digits

Normal images are clothes of Fashion-MNIST. Anomalies are digits of MNIST. Both are
grey images of 28 x 28 pixels.
"""


def load(name, split):
    data = kzoo.datasets.load(name, split, batch_size=100, shuffle=False)
    return kzoo.datasets.to_arrays(data)[0]


train = load("fashion_mnist", TRAIN_SPLIT)
normal = load("fashion_mnist", NORMAL_SPLIT)
anomalous = load("mnist", ANOMALOUS_SPLIT)

sheet = kzoo.visualization.image_grid(
    np.concatenate([normal[:16], anomalous[:16]]),
    columns=16,
    scale=2,
    path=f"{FOLDER}/images.png",
)
plt.figure(figsize=(9, 2))
plt.imshow(sheet, cmap="gray")
plt.axis("off")
plt.show()

"""
## Two models

Both are small PixelCNNs of `LEVELS` grey values. The model itself sees clothes. The
background model sees clothes of which every fifth pixel was replaced by a random
grey value.
"""


def trained_on(images):
    model = kzoo.PixelCNN(
        image_shape=(28, 28, 1),
        levels=LEVELS,
        filters=FILTERS,
        num_blocks=NUM_BLOCKS,
    )
    model.compile(keras.optimizers.Adam(2e-3))
    model.fit(images, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
    return model


rng = np.random.default_rng(0)
noise = rng.integers(0, 256, train.shape).astype("uint8")
replaced = rng.random(train.shape) < REPLACED

model = trained_on(train)
background = trained_on(np.where(replaced, noise, train))

"""
## The likelihood alone

`log_likelihood()` is exact, in nats per image.
"""


def png_nats(images):
    """What PNG takes for an image of `LEVELS` grey values, in nats."""
    nats = []
    for image in images // (256 // LEVELS):
        file = io.BytesIO()
        PIL.Image.fromarray(image[:, :, 0]).save(file, "PNG", optimize=True)
        nats.append(8 * len(file.getvalue()) * np.log(2))
    return np.array(nats)


def auroc(high, low):
    """The probability that one of `high` is above one of `low`; ties count half."""
    ranks = np.searchsorted(np.sort(low), [high, high], side="left")
    ranks[1] = np.searchsorted(np.sort(low), high, side="right")
    return ranks.mean() / len(low)


groups = {"clothes": normal, "digits": anomalous}
likelihoods = {name: model.log_likelihood(x) for name, x in groups.items()}
for name, values in likelihoods.items():
    print(f"{name}: log p(x) = {values.mean():.0f} nats per image")

"""
Digits are more likely than clothes, by a wide margin. To call unlikely images
anomalies would be worse than guessing.

## Ratios

Now we subtract what the background model and what PNG make of the same images.
"""

scores = {"log p(x)": likelihoods}
scores["against the background model"] = {
    name: likelihoods[name] - background.log_likelihood(x) for name, x in groups.items()
}
scores["against PNG"] = {
    name: likelihoods[name] + png_nats(x) for name, x in groups.items()
}

areas = {}
figure, axes = plt.subplots(1, len(scores), figsize=(12, 3.5))
for axis, (title, values) in zip(axes, scores.items()):
    areas[title] = auroc(values["clothes"], values["digits"])
    print(f"{title}: AUROC {areas[title]:.3f}")
    for name, part in values.items():
        axis.hist(part, bins=40, alpha=0.6, label=name)
    axis.set_title(f"{title}, AUROC {areas[title]:.2f}")
    axis.set_xlabel("nats")
    axis.legend()
figure.tight_layout()
figure.savefig(f"{FOLDER}/scores.png")
plt.show()

"""
## Conclusion

In our run the likelihood alone had an AUROC of 0.16. The background model brought it to
0.61, and PNG to 0.66. So the ratios turn the order around, but four epochs of a small
network do not make a detector that one could use. Ren et al. report 0.99 on these data,
with a larger PixelCNN++, long training, and a background model that was chosen with the
help of other anomalies.

A likelihood answers the question "how well can this image be predicted?". For
anomalies we want to ask "how much better does this model predict it than one that
knows nothing of the kind?". A ratio asks this.

The ratio has its own assumption: the background model has to share the weakness of
the model. How many pixels to replace is a choice, and one needs some anomalies to
make it well. The comparison with PNG has nothing to choose.

To see more of the effect, raise `EPOCHS`, `FILTERS` and `NUM_BLOCKS`.
"""
