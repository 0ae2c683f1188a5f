"""
Title: CycleGAN: two styles of emoji, without pairs
Author: kzoo authors
Date created: 2026/11/29
Last modified: 2026/11/29
Description: Translate between two kinds of images, and measure it against the truth.
Accelerator: GPU
"""

"""
## Introduction

To translate images of one kind into another, one would like to have pairs: a drawing
in one style, and the same drawing in the other. Often there are none. There are
photographs of horses and photographs of zebras, but no zebra stands exactly where a
horse stood.

CycleGAN (Zhu et al., 2017) learns from two sets of images, domain a and domain b. It
has a generator in each direction, and a discriminator in each domain. A
discriminator learns what images of its domain look like, and a generator learns to
make translations that look the same.

This alone is not enough. A generator could turn each face into the same perfect cat:
it would be a good drawing of domain b, and have nothing to do with the input. So there
is a second demand: if we translate an image and translate it back, we want to get the
image that we started from. A generator that throws the input away makes this
impossible. The mean absolute error between the image and what comes back is the
**cycle loss**.

A third demand is easily forgotten. If an image of domain b is given to the generator
that makes images of domain b, there is nothing to do, so it should stay as it is. The
error is the **identity loss**. Without it the generators may change what they have no
reason to change. They could swap red and green in the translation, and swap them
again on the way back: neither the discriminators nor the cycle loss would prevent
it.

```
adversarial losses + 10 * cycle losses + 5 * identity losses
```

In this example we know the truth. The data set has pairs, but the training does not
get them. So we can check how much a cycle is worth.

Reference:

- Zhu et al., 2017: [Unpaired Image-to-Image Translation (CycleGAN)](https://arxiv.org/abs/1703.10593)
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

keras.utils.set_random_seed(0)

TRAIN_SPLIT = "train"
TEST_SPLIT = "test"
SIDE = 32  # Pixels.
WIDTH = 8  # Features of all networks next to the image.
BLOCKS = 3  # Residual blocks of each generator.
RECEPTIVE_FIELD = 34  # Side of the patches that the discriminators judge, in pixels.
IDENTITY_WEIGHT = 5.0
BATCH_SIZE = 8
EPOCHS = 20
SHOWN = 12
FOLDER = "cyclegan"  # Where the pictures go.

os.makedirs(FOLDER, exist_ok=True)

"""
## Two styles

The data set `emoji_pairs` has 1,911 emoji, as Noto Emoji (Google, Apache License
2.0) and as Twemoji (Twitter and other contributors, CC BY 4.0) draw them, put on
white. Noto's drawings are domain a, Twemoji's are domain b.

The data set is not in the catalogue of TensorFlow Datasets. `kzoo.datasets.load()`
reads its prepared files from the folder that the environment variable `TFDS_DATA_DIR`
names. Two folders of images of your own do as well: read them by
`kzoo.datasets.from_directory()`.
"""


def load(split):
    """The drawings of Noto and of Twemoji, uint8 (n, h, w, 3) each."""
    names = ("input_image", "target_image")
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


noto, twemoji = load(TRAIN_SPLIT)
test_a, test_b = load(TEST_SPLIT)

"""
To be strict, we take every second emoji for domain a, and the others for domain b. No
emoji is in both.
"""

train_a, train_b = noto[0::2], twemoji[1::2]
count = min(len(train_a), len(train_b))
train_a, train_b = train_a[:count], train_b[:count]


def show(columns, name, title):
    """A sheet whose rows have one image of every array in `columns`."""
    cells = np.stack([images[:SHOWN] for images in columns], axis=1)
    sheet = kzoo.visualization.image_grid(
        cells.reshape(-1, SIDE, SIDE, 3),
        columns=2 * len(columns),
        scale=2,
        background=255,
        path=f"{FOLDER}/{name}.png",
    )
    plt.figure(figsize=(9, 9 * sheet.shape[0] / sheet.shape[1]))
    plt.imshow(sheet)
    plt.title(title)
    plt.axis("off")
    plt.show()


show([train_a, train_b], "domains", "Domain a and domain b, not in pairs")

"""
## Training

The images of domain b come first in `fit()`, those of domain a second. Which image
stands beside which does not matter.

All losses are sums over both directions. `cycle_loss` and `identity_loss` are errors
of images in `[-1, 1]`, before they are multiplied by their weights. Both should
fall. `d_loss` and `g_loss` only tell whether discriminators or generators are ahead,
and do not have to fall.
"""

model = kzoo.CycleGAN(
    image_shape=(SIDE, SIDE, 3),
    width=WIDTH,
    blocks=BLOCKS,
    receptive_field=RECEPTIVE_FIELD,
    identity_weight=IDENTITY_WEIGHT,
)
model.compile()
history = model.fit(train_b, train_a, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
kzoo.visualization.training_curves(history, path=f"{FOLDER}/curves.png")

"""
## Translated, and translated back

Each group of four shows a test image of Noto, its translation, what comes back from
the translation, and Twemoji's drawing of the same emoji, which the model has never
seen.
"""

to_b = model.translate(test_a, to="b")
back = model.translate(to_b, to="a")
show(
    [test_a, to_b, back, test_b],
    "translations",
    "Noto, translated, and back; Twemoji's own drawing",
)

"""
## Against the truth

We measure mean absolute errors of values in [0, 1]:

- *cycle*: between an image and what comes back from its translation;
- *identity*: between an image of Twemoji and what the generator of domain b makes of
  it;
- *truth*: between a translation and Twemoji's drawing of the same emoji;
- *no translation*: between Noto's and Twemoji's drawings themselves.

Does a small cycle error mean that the translation is right? Compare the last two. Two
drawings of one emoji differ in shapes and places as well as in colors, and without
pairs nothing tells a model where Twemoji puts an ear. So it may well not come nearer
to the truth, pixel by pixel, than Noto's drawing is already.
"""


def error(images, others):
    return np.abs(images.astype("float64") - others).mean() / 255


as_it_is = model.generate(sources=test_b, to="b")
errors = {
    "cycle": error(back, test_a),
    "identity": error(as_it_is, test_b),
    "truth": error(to_b, test_b),
    "no translation": error(test_a, test_b),
}
for name, value in errors.items():
    print(f"{name}: {value:.3f}")

"""
What a model without pairs can learn is what the images of a domain have in common.
Noto shades its drawings, Twemoji's have few flat colors. One number tells something
about this: how many different colors an image has, if each channel is rounded to eight
steps. On the test images it is 36 for Noto and 27 for Twemoji.
"""


def colors(images):
    steps = (images // 32).astype("int64") @ [64, 8, 1]
    return np.mean([len(np.unique(image)) for image in steps])


for name, images in {"Noto": test_a, "translated": to_b, "Twemoji": test_b}.items():
    print(f"{name}: {colors(images):.1f} colors per image")

"""
## Conclusion

Cycles replace pairs, up to a point. They make sure that a translation keeps what is in
the image. They do not make sure that it is the right one: any exchange that can be
undone passes. The identity loss excludes some of them.

If you have pairs, use them: `kzoo.Pix2Pix` learns the truth itself. To see what the
identity loss does, set `IDENTITY_WEIGHT` to 0 and compare the colors. The few epochs
and the narrow networks of this example are for a first look.
`applications/cyclegan_emoji.py` trains wider networks for longer, on images cut out at
random places.
"""
