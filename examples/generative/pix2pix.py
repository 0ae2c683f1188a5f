"""
Title: pix2pix: the same emoji in another style
Author: kzoo authors
Date created: 2026/11/29
Last modified: 2026/11/29
Description: Learn from pairs of drawings; what the adversarial loss adds to L1.
Accelerator: GPU
"""

"""
## Introduction

Two companies draw the same emoji in two styles. Can a network learn to turn one
style into the other? For each emoji we have both drawings, so it looks like a task
of regression: put the first drawing in, compare the output with the second one,
pixel by pixel, and reduce the difference.

The trouble is that there is more than one right answer. Will the second style draw
the mouth a bit higher or lower? The input does not say. A network that has to
minimize the mean absolute error (L1) draws the median of all possible answers in
each pixel. The median of many sharp drawings is a blurred drawing.

pix2pix (Isola et al., 2017) adds a second judge. A discriminator sees the input
together with a drawing, and says whether the drawing is the real one. A blurred
drawing is easy to recognize as false. So the generator is punished for blur, which
L1 rewards. Its loss is

```
adversarial loss + 100 * L1
```

Two networks are special:

- The generator is a **U-Net**. It halves the image until a single pixel is left, and
  doubles it again. On the way up, each layer also sees the map of the same size
  from the way down. So edges of the input get to the output directly, and do not
  have to pass through the narrow middle.
- The discriminator is a **PatchGAN**. It does not give one verdict for the whole
  image. It gives one for each patch, of 34 x 34 pixels here. L1 takes care of the
  large structure, and the discriminator of the details.

We train twice: with L1 alone, and with both losses.

Reference:

- Isola et al., 2017: [Image-to-Image Translation with Conditional Adversarial Networks](https://arxiv.org/abs/1611.07004)
"""

"""
## Setup

This example needs kzoo, and TensorFlow Datasets for the images. You can install
both via the following command, in a checkout of kzoo:
`pip install -e ".[tensorflow]"`. The model itself runs on TensorFlow, JAX and PyTorch;
set the environment variable `KERAS_BACKEND` to choose one.

A full run takes about 4 minutes on one core of a CPU, with TensorFlow.
"""

import os

import keras
import kzoo
import matplotlib.pyplot as plt
import numpy as np

TRAIN_SPLIT = "train"
TEST_SPLIT = "test"
SIDE = 64  # Pixels.
WIDTH = 16  # Features of both networks next to the image.
RECEPTIVE_FIELD = 34  # Side of the patches that the discriminator judges, in pixels.
BATCH_SIZE = 8
EPOCHS = 10
SHOWN = 12
FOLDER = "pix2pix"  # Where the pictures go.

os.makedirs(FOLDER, exist_ok=True)

"""
## Pairs of drawings

The data set `emoji_pairs` has 1,911 emoji, as Noto Emoji (Google, Apache License
2.0) and as Twemoji (Twitter and other contributors, CC BY 4.0) draw them, put on
white. A tenth of them is for testing. Emoji that share a drawing are in the same
part.

It is not in the catalogue of TensorFlow Datasets. `kzoo.datasets.load()` reads its
prepared files from the folder that the environment variable `TFDS_DATA_DIR` names.
With two folders of images of your own, whose files have equal names, take
`kzoo.datasets.from_directory("drawings/", sources="photos/")` in its place.
"""


def load(split):
    """The drawings of Twemoji and of Noto, uint8 (n, h, w, 3) each."""
    names = ("target_image", "input_image")
    data = kzoo.datasets.load(
        "emoji_pairs",
        split,
        batch_size=100,
        features=names,
        image_size=SIDE,
        shuffle=False,
    )
    arrays = kzoo.datasets.to_arrays(data)
    return [arrays[name] for name in names]


targets, sources = load(TRAIN_SPLIT)
test_targets, test_sources = load(TEST_SPLIT)


def show(columns, name, title):
    """A sheet whose rows have one image of every array in `columns`."""
    cells = np.stack([images[:SHOWN] for images in columns], axis=1)
    sheet = kzoo.visualization.image_grid(
        cells.reshape(-1, SIDE, SIDE, 3),
        columns=3 * len(columns),
        background=255,
        path=f"{FOLDER}/{name}.png",
    )
    plt.figure(figsize=(9, 9 * sheet.shape[0] / sheet.shape[1]))
    plt.imshow(sheet)
    plt.title(title)
    plt.axis("off")
    plt.show()


show([sources, targets], "pairs", "Noto's drawing, and Twemoji's")

"""
## Two trainings

`gan_weight` is the weight of the adversarial loss. With 0, the discriminator is not
trained, and the loss is L1 alone. Everything else is equal.

The drawings that we want come first in `fit()`, those that we start from second.
"""


def trained(gan_weight):
    keras.utils.set_random_seed(0)
    model = kzoo.Pix2Pix(
        image_shape=(SIDE, SIDE, 3),
        width=WIDTH,
        receptive_field=RECEPTIVE_FIELD,
        gan_weight=gan_weight,
    )
    model.compile()
    model.fit(targets, sources, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
    return model


models = {"L1 alone": trained(0.0), "L1 and adversarial": trained(1.0)}

"""
## Emoji that were not in the training

Each group of four shows the drawing that we start from, the translation by L1 alone,
the one with the adversarial loss, and the drawing as it should be. Where does the
first network blur, and what does the second one draw there?
"""

translated = {
    name: model.generate(sources=test_sources, seed=0) for name, model in models.items()
}
show(
    [test_sources, *translated.values(), test_targets],
    "translations",
    "Noto, L1 alone, L1 and adversarial, Twemoji",
)

"""
## Numbers

Two measures compare a translation with the real drawing:

- PSNR, the peak signal-to-noise ratio, in dB. It depends on the mean squared error
  alone.
- SSIM, the structural similarity, at most 1. It compares means, variances and
  covariances within small windows.

The first row of the table is for the input as it is, without any network: a model
that is not better than this has learned nothing.

Neither of the two measures says much about sharpness. So we also look at the edges.
The sum of the differences between neighboring pixels (the total variation) is small
for a blurred image. We divide it by that of the real drawings: 1 means as many edges
as they have.

L1 alone trains for what PSNR measures, so it has an advantage there. Compare the
edges as well, and above all the images.
"""


def variation(images):
    floats = images.astype("float64")
    return sum(np.abs(np.diff(floats, axis=axis)).mean() for axis in (1, 2))


scores = {}
for name, images in {"input as it is": test_sources, **translated}.items():
    psnr, ssim = kzoo.metrics.PSNR(), kzoo.metrics.SSIM()
    psnr.update_state(test_targets, images)
    ssim.update_state(test_targets, images)
    scores[name] = {
        "PSNR in dB": psnr.result(),
        "SSIM": ssim.result(),
        "edges": variation(images) / variation(test_targets),
    }
    numbers = (f"{score} {value:.3f}" for score, value in scores[name].items())
    print(f"{name}: {', '.join(numbers)}")

"""
## Conclusion

With pairs, translation is regression with a better judge. L1 keeps the translation
near the real drawing, and the discriminator keeps it from being blurred.

The few epochs and the narrow networks of this example are enough for a first look, and
no more. `applications/pix2pix_emoji.py` trains wider networks for longer, on images cut
out at random places. Where there are no pairs, see the example on `kzoo.CycleGAN`.
"""
