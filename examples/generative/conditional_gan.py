"""
Title: A GAN that draws the digit that you ask for
Author: kzoo authors
Date created: 2026/11/29
Last modified: 2026/11/29
Description: Train a class-conditional GAN, and check that it follows the label.
Accelerator: GPU
"""

"""
## Introduction

A generative adversarial network (GAN) draws images from noise. One cannot choose the
digit: it depends on the noise. A class-conditional GAN learns from images with
labels, and takes a label beside the noise.

Both networks have to learn about labels. For the generator it is simple: the label
is a vector of ten numbers, nine of them 0 and one of them 1, and it is appended to
the noise. For the discriminator there are three ways to bring image and label
together. kzoo calls them `conditioning`:

- `"concatenation"` (Mirza and Osindero, 2014): the image gets ten more channels.
  That of the label is 1 everywhere, the others are 0.
- `"projection"` (Miyato and Koyama, 2018): the discriminator computes features of
  the image, and has one vector for each class. The product of the features and the
  vector of the label is added to its output. The features say what there is, and
  the vector says what a digit of this class should have.
- `"auxiliary"` (Odena et al., 2017): the discriminator does not see the label. It has
  a second output, which predicts the class. The generator is rewarded if its image
  is taken for the class that was asked for.

The first two ask "is this a real image of a seven?". The third one asks two
questions apart from each other: "is this real?" and "which digit is it?".

What can go wrong? The generator may ignore the label. Or it may draw one image per
label, the same for every noise. We look for both errors.

References:

- Mirza and Osindero, 2014: [Conditional Generative Adversarial Nets](https://arxiv.org/abs/1411.1784)
- Odena et al., 2017: [Conditional Image Synthesis with Auxiliary Classifier GANs](https://arxiv.org/abs/1610.09585)
- Miyato and Koyama, 2018: [cGANs with Projection Discriminator](https://arxiv.org/abs/1802.05637)
- Shmelkov et al., 2018: [How Good Is My GAN?](https://arxiv.org/abs/1807.09499)
"""

"""
## Setup

This example needs kzoo, and TensorFlow Datasets for the images. You can install
both via the following command, in a checkout of kzoo:
`pip install -e ".[tensorflow]"`. The model itself runs on TensorFlow, JAX and PyTorch;
set the environment variable `KERAS_BACKEND` to choose one.

A full run takes about 4 minutes on one core of a CPU, with TensorFlow.
"""

import keras
import kzoo
import matplotlib.pyplot as plt
import numpy as np

keras.utils.set_random_seed(0)

TRAIN_SPLIT = "train[:20000]"
BATCH_SIZE = 32
EPOCHS = 12
WIDTH = 16  # Features of both networks next to the image.
CONDITIONING = "projection"
CLASSIFIER = "mnist"
PRESET = "mnist_conditional"
STYLES = 6  # Rows of the sheets.
PER_CLASS = 100  # Images of each digit that are scored.
FOLDER = "conditional_gan"  # Where the pictures go.


def show(picture, title):
    plt.figure(figsize=(8, 8 * picture.shape[0] / picture.shape[1]))
    plt.imshow(picture, cmap="gray", vmin=0, vmax=255)
    plt.title(title)
    plt.axis("off")
    plt.show()


"""
## Digits with labels

`labels=True` gives pairs of images and labels. The networks halve the image several
times, so the digits are padded with black to 32 x 32 pixels.
"""

train = kzoo.datasets.load(
    "mnist", TRAIN_SPLIT, batch_size=BATCH_SIZE, pad_to=32, labels=True, seed=0
)

"""
## Training

`num_classes` is all that makes the GAN conditional. The hinge loss and spectral
normalization keep the discriminator from becoming too strong for a small generator
(Miyato and Koyama use both). `average_decay` keeps an average
of the generator's weights over time, from which images are drawn. It changes more
slowly than the weights themselves, which go back and forth between updates.

A callback of kzoo draws a sheet after every epoch. All further arguments are those of
`generate()`. We give it the labels 0 to 9, several times, and ask for ten columns.
So every column should become one digit. The sheets are `epoch_0001.png` and so on.
"""

columns = np.tile(np.arange(10), STYLES)  # 0, 1, ..., 9, 0, 1, ...
gan = kzoo.GAN(
    image_shape=(32, 32, 1),
    latent_dim=64,
    width=WIDTH,
    num_classes=10,
    conditioning=CONDITIONING,
    generator_loss="hinge",
    spectral_normalization=True,
    average_decay=0.99,
)
gan.compile()
history = gan.fit(
    train,
    epochs=EPOCHS,
    verbose=2,
    callbacks=[
        kzoo.callbacks.SampleGrid(
            f"{FOLDER}/samples", num_images=len(columns), columns=10, labels=columns
        )
    ],
)

"""
The two losses do not tell how good the images are, only which of the two networks is
ahead. Look at the sheets: when we ran it, most columns were one digit after the
first epoch, though a rough one.

## Style and class

Now we give all ten labels the *same* noise. In the sheet, a row has one noise, and a
column has one label. `transform_noise()` takes noise and labels, and returns images
with values in `[-1, 1]`.
"""


def styles_and_classes(model):
    """Images (STYLES * 10, h, w, 1): in each row one noise with all labels."""
    noise = np.random.default_rng(0).normal(size=(STYLES, model.latent_dim))
    repeated = np.repeat(noise, 10, axis=0).astype("float32")
    return kzoo.images.to_uint8(model.transform_noise(repeated, columns))


def sheet_of(model, name):
    images = keras.ops.convert_to_numpy(styles_and_classes(model))
    sheet = kzoo.visualization.image_grid(
        images, columns=10, path=f"{FOLDER}/{name}.png"
    )
    show(sheet, "In each row the same noise, in each column the same label")
    return images


styles = sheet_of(gan, "styles")

"""
We compare with a preset of kzoo. It is twice as wide, it saw 320,000 images in its
training, and its discriminator has the auxiliary output.
"""

preset = kzoo.GAN.from_preset(PRESET)
preset_styles = sheet_of(preset, "preset_styles")

"""
Look along the rows of the second sheet. Digits of the same noise are alike in thickness
and slant. Nobody told the networks what a style is. But what the label does not say,
the noise has to say, and the generator uses it in the same way for all classes.

## Does it follow the label?

A classifier, trained on real digits, says what it sees. `ConditionalAccuracy` is the
share of images that it takes for the digit that was asked for. A model that ignores
labels and draws all digits equally often reaches 10 %.

A model could reach 100 % with a single image for each digit. So we also measure how
much the images of one class differ: the mean distance between two of them, divided
by the same for real digits.
"""

asked = np.repeat(np.arange(10), PER_CLASS)
real_images, real_labels = kzoo.datasets.to_arrays(train)


def spread(images, labels):
    """Mean distance between two images of a class, averaged over the classes."""
    distances = []
    for label in range(10):
        flat = images[labels == label][:PER_CLASS].reshape(-1, 1024) / 255.0
        halves = flat[0::2][: len(flat) // 2], flat[1::2]
        distances.append(np.linalg.norm(halves[0] - halves[1], axis=1).mean())
    return np.mean(distances)


def scores_of(model):
    images = model.generate(len(asked), labels=asked, seed=1)
    accuracy = kzoo.metrics.ConditionalAccuracy(CLASSIFIER)
    accuracy.update_state(images, asked)
    variety = spread(images, asked) / spread(real_images, real_labels)
    return {"accuracy": accuracy.result(), "variety": variety}


scores = {"this example": scores_of(gan), "preset": scores_of(preset)}
for name, score in scores.items():
    print(f"{name}: accuracy {score['accuracy']:.1%}, variety {score['variety']:.2f}")

"""
## Conclusion

With labels, a GAN can be asked for a class. The label and the noise then share the
work: one says which digit, the other how it is written. The same argument works for
every adversarial model of kzoo, such as `kzoo.WGANGP` and `kzoo.CFGGAN`, and the
metric for every model that takes labels.

Set `CONDITIONING` to `"concatenation"` or `"auxiliary"` to compare the three ways.
Compare them by both numbers: an auxiliary output rewards images that are easy to
classify, and not images of all kinds.
"""
