"""
Title: Density modeling with three generations of PixelCNN
Author: kzoo authors
Date created: 2026/11/23
Last modified: 2026/11/23
Description: Three PixelCNNs: exact likelihoods, completions and the blind spot.
Accelerator: GPU
"""

"""
## Introduction

Most generative models cannot say how likely an image is. Autoregressive models
can. They read the pixels one after the other, row by row from the top left, and
predict the distribution of each from those before it. The product of all these
predictions is the probability of the image, with no bound and no sampling:

```
p(x) = p(x1) * p(x2 | x1) * p(x3 | x1, x2) * ...
```

A convolutional network computes all factors at once while it trains, provided
that no output sees its own pixel or any later one. How to arrange this is what
three generations of networks improved:

- **PixelCNN** (2016) multiplies the kernels of its convolutions by masks. What
  lies below the center or to the right of it is zero; the first layer also
  hides the center (mask A), the others show it (mask B). Each pixel gets a
  softmax over its 256 values.
- **Gated PixelCNN** (2016) repairs a flaw of these masks, a blind spot that we
  will see below, with two stacks of features: one for the rows above, one for
  the pixels to the left. It replaces rectified linear units by gates,
  `tanh(a) * sigmoid(b)`.
- **PixelCNN++** (2017) knows that the gray values 127 and 128 are neighbors,
  which a softmax has to learn. It predicts a mixture of a few logistic
  distributions, rounded to the 256 values. Down-sampling and up-sampling give
  it a view of the whole image at little cost.

Here we train one of each on handwritten digits, compare their likelihoods, let
them complete half a digit, and look at what a single pixel sees.

References:

- van den Oord et al., 2016: [Pixel Recurrent Neural Networks](https://arxiv.org/abs/1601.06759)
- van den Oord et al., 2016: [Conditional Image Generation with PixelCNN Decoders](https://arxiv.org/abs/1606.05328)
- Salimans et al., 2017: [PixelCNN++](https://arxiv.org/abs/1701.05517)
"""

"""
## Setup

This example needs kzoo, and TensorFlow Datasets for the images. You can install
both via the following command, in a checkout of kzoo:
`pip install -e ".[tensorflow]"`. The models themselves run on TensorFlow, JAX and
PyTorch; set the environment variable `KERAS_BACKEND` to choose one.

A full run takes about 30 minutes on one core of a CPU, with TensorFlow.
"""

import os

import keras
import kzoo
import matplotlib.pyplot as plt
import numpy as np

keras.utils.set_random_seed(0)

TRAIN_SPLIT = "train[:10000]"
TEST_SPLIT = "test"
TEST_IMAGES = 1000  # Test images whose likelihood we measure.
BATCH_SIZE = 64
EPOCHS = 3
LEARNING_RATE = 1e-3
FILTERS = 32
LAYERS = 5
MIXTURES = 5
# Models to draw from. The first draw compiles; that of PixelCNN++ takes a minute.
DRAWN = ("PixelCNN", "Gated PixelCNN", "PixelCNN++")
FOLDER = "pixelcnn_generations"  # Where the pictures go.

os.makedirs(FOLDER, exist_ok=True)


def show(picture, title):
    plt.figure(figsize=(7, 7))
    plt.imshow(picture, cmap="gray", vmin=0, vmax=255)
    plt.title(title)
    plt.axis("off")
    plt.show()


"""
## Data

We keep the 256 gray values of MNIST. Likelihoods of images with other numbers
of values, such as binarized digits, are not comparable with these. Batches are
`uint8` arrays of shape `(batch, 28, 28, 1)`.
"""

train = kzoo.datasets.load("mnist", TRAIN_SPLIT, batch_size=BATCH_SIZE, seed=0)
test = kzoo.datasets.load("mnist", TEST_SPLIT, batch_size=BATCH_SIZE, seed=0)
test_images = kzoo.datasets.to_arrays(test)[0][:TEST_IMAGES]

"""
## Three models, one interface

All three are `kzoo.PixelModel`s. They differ in their network and, for
PixelCNN++, in the distribution that it parameterizes; `levels=256` asks for the
softmax over 256 values. The sizes are similar, and far below those of the
papers.
"""

models = {
    "PixelCNN": kzoo.PixelCNN(
        image_shape=(28, 28, 1),
        levels=256,
        filters=FILTERS,
        num_blocks=LAYERS,
        head_filters=2 * FILTERS,
    ),
    "Gated PixelCNN": kzoo.GatedPixelCNN(
        image_shape=(28, 28, 1),
        levels=256,
        filters=FILTERS,
        num_layers=LAYERS,
        head_filters=2 * FILTERS,
    ),
    "PixelCNN++": kzoo.PixelCNNPlusPlus(
        image_shape=(28, 28, 1),
        filters=FILTERS,
        num_resnets=1,
        num_mixtures=MIXTURES,
        dropout=0.0,
    ),
}
for name, model in models.items():
    print(f"{name}: {model.count_params():,} parameters")

"""
## Training

The loss is the negative log-likelihood: nothing else is needed, no second
network and no noise. `nll` is in nats per image and `bits_per_dim` the same in
bits per pixel, which is how many bits an ideal compressor based on the model
would spend on a pixel. An untrained softmax spends 8.
"""

for name, model in models.items():
    print(name)
    model.compile(keras.optimizers.Adam(LEARNING_RATE))
    model.fit(train, epochs=EPOCHS, verbose=2)

"""
## Likelihoods

`log_likelihood` returns the exact log-probability of every image, in nats or,
with `unit="bits/dim"`, in bits per pixel.
"""

likelihoods = {}
print("model            nats per image   bits per pixel")
for name, model in models.items():
    nats = -model.log_likelihood(test_images).mean()
    bits = -model.log_likelihood(test_images, unit="bits/dim").mean()
    likelihoods[name] = nats
    print(f"{name:<16} {nats:14.1f} {bits:16.3f}")

"""
## New digits

Sampling is sequential: the second pixel needs the first. Running the network on
the whole image for each of the 784 pixels would repeat nearly all of the work
784 times. `generate` keeps what earlier pixels have computed and only adds what
a new pixel changes, in one compiled program per row.
"""

for name in DRAWN:
    sheet = kzoo.visualization.image_grid(
        models[name].generate(30, seed=0),
        columns=6,
        scale=2,
        path=f"{FOLDER}/samples_{name}.png",
    )
    show(sheet, name)

"""
## Completions

A model of each pixel given those before it can continue the beginning of any image.
`complete` takes images and a mask that is true where a pixel is missing, here in the
lower half. In each row we see a test image and five different completions of its
upper half. Look for strokes that continue the given ones.
"""

for name in DRAWN:
    sheet = kzoo.visualization.completion_sheet(
        models[name],
        test_images[:6],
        columns=5,
        scale=2,
        path=f"{FOLDER}/completions_{name}.png",
    )
    show(sheet, name)

"""
## The blind spot

Which pixels does the prediction of one pixel depend on? The gradient of its
parameters with respect to the image tells. To see the reach of the network and
not what it has learned, we give fresh networks random weights, as new ones
predict the uniform distribution whatever they see.

A 3x3 kernel with masks sees the three pixels above and the one to the left. Each
further layer therefore reaches one column further to the right only by going up
one row: the pixels above and to the right of a slanted line stay invisible,
however deep the network. This is the blind spot. The two stacks of the Gated
PixelCNN have none.
"""


def with_random_weights(model):
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        fan_in = max(1, np.prod(variable.shape[:-1]))
        variable.assign(rng.normal(size=variable.shape) / fan_in**0.5)
    return model


ROW, COLUMN = 14, 8
noise = np.random.default_rng(0).integers(0, 256, (8, 28, 28, 1)).astype("uint8")
untrained = {
    "PixelCNN": kzoo.PixelCNN(
        levels=256, filters=8, num_blocks=8, head_filters=16, position_bias=False
    ),
    "Gated PixelCNN": kzoo.GatedPixelCNN(
        levels=256, filters=8, num_layers=8, head_filters=16, position_bias=False
    ),
    "PixelCNN++": kzoo.PixelCNNPlusPlus(
        image_shape=(28, 28, 1), filters=8, num_resnets=2, dropout=0.0
    ),
}
fields = {}
figure, axes = plt.subplots(1, 3, figsize=(12, 4))
for axis, (name, model) in zip(axes, untrained.items()):
    fields[name] = kzoo.visualization.receptive_field(
        with_random_weights(model), ROW, COLUMN, noise
    )
    # Gray: seen, the darker the more strongly. White: not seen at all.
    strength = np.log10(np.where(fields[name] > 0, fields[name], np.nan))
    axis.imshow(strength, cmap="Greys", vmin=np.nanmin(strength) - 2)
    axis.plot(COLUMN, ROW, "r.")
    axis.set_title(f"What the red pixel sees: {name}")
figure.savefig(f"{FOLDER}/receptive_fields.png")
plt.show()

"""
## Conclusion

The three generations share one likelihood and one way of sampling, and differ in
what a prediction sees and in how it is expressed. To go on:

- Give the models more layers, features and epochs. `num_classes=10` makes each of
  them class-conditional: fit it on `(images, labels)`.
- `kzoo.PixelRNN` replaces convolutions by recurrent layers along rows or
  diagonals, `kzoo.MultiScale` draws a small image first.
- `kzoo.GatedPixelCNN.from_preset("mnist")` is a trained model of binarized digits.
"""
