"""
Title: Emoji from their names: a small text-to-image GAN
Author: kzoo authors
Date created: 2026/11/29
Last modified: 2026/11/29
Description: Train an encoder of captions, then a GAN that draws what they say.
Accelerator: GPU
"""

"""
## Introduction

A class-conditional GAN knows ten labels. How about drawing whatever a sentence says?
There are far more sentences than images, and most of them are seen only once. So the
sentence has to become a vector first, such that sentences of similar meaning get
similar vectors.

GAN-INT-CLS (Reed et al., 2016) does this in two steps.

1. An **encoder** is trained on images and their captions. It consists of two networks,
   one for images and one for captions, and both give vectors of the same length. The
   product of two vectors says how well an image and a caption fit. In training, an
   image has to fit its own caption better than the captions of other images.
2. A **GAN** is trained while the encoder stays as it is. The generator takes noise and
   the vector of a caption. The discriminator takes an image and the vector.

A discriminator of pairs of image and caption has to reject two kinds of pairs: false
images, and real images with the wrong caption. So it is shown both. Without the
second kind (CLS in the name, for classification), it could ignore the caption for a
long time.

INT stands for interpolation. A vector halfway between two captions belongs to no
caption, but it should still give an image. So the generator learns from such vectors
as well.

References:

- Reed et al., 2016: [Generative Adversarial Text to Image Synthesis](https://arxiv.org/abs/1605.05396)
- Reed et al., 2016: [Learning Deep Representations of Fine-Grained Visual Descriptions](https://arxiv.org/abs/1605.05395)
- Xu et al., 2018: [AttnGAN](https://arxiv.org/abs/1711.10485)
"""

"""
## Setup

This example needs kzoo, and TensorFlow Datasets for the images. You can install
both via the following command, in a checkout of kzoo:
`pip install -e ".[tensorflow]"`. The model itself runs on TensorFlow, JAX and PyTorch;
set the environment variable `KERAS_BACKEND` to choose one.

A full run takes about 6 minutes on one core of a CPU, with TensorFlow.
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
WIDTH = 24  # Features of the GAN's networks next to the image.
BATCH_SIZE = 64
ENCODER_EPOCHS = 30
EPOCHS = 60
CHOICE = 50  # Captions among which that of an image is looked for.
STEPS = 8  # Images on the way from one caption to another.
CAPTIONS = ("red heart", "grinning face", "flag: France")
UNKNOWN = "a face of unobtainium"
FOLDER = "text_to_image"  # Where the pictures go.

os.makedirs(FOLDER, exist_ok=True)

"""
## Emoji and their names

The data set `emoji_pairs` has 1,911 emoji. We take the drawings of Twemoji (Twitter
and other contributors, CC BY 4.0), put on white. The names are those of OpenMoji
(CC BY-SA 4.0).

It is not in the catalogue of TensorFlow Datasets. `kzoo.datasets.load()` reads its
prepared files from the folder that the environment variable `TFDS_DATA_DIR` names.
For images and captions of your own, see `captions=` of
`kzoo.datasets.from_directory()`.
"""


def load(split):
    """The drawings that have a name, uint8 (n, h, w, 3), and the names."""
    names = ("target_image", "name")
    data = kzoo.datasets.load(
        "emoji_pairs",
        split,
        batch_size=100,
        features=names,
        image_size=SIDE,
        shuffle=False,
    )
    images, captions = (kzoo.datasets.to_arrays(data)[name] for name in names)
    named = np.char.str_len(captions) > 0
    return images[named], captions[named]


images, captions = load(TRAIN_SPLIT)
test_images, test_captions = load(TEST_SPLIT)
print(f"{len(images)} emoji, such as: {', '.join(captions[:5])}")


def show(drawn, name, title, columns=STEPS):
    sheet = kzoo.visualization.image_grid(
        drawn, columns=columns, scale=2, background=255, path=f"{FOLDER}/{name}.png"
    )
    plt.figure(figsize=(9, 9 * sheet.shape[0] / sheet.shape[1]))
    plt.imshow(sheet)
    plt.title(title)
    plt.axis("off")
    plt.show()


"""
## First the encoder

`from_captions()` takes the words of all captions as the vocabulary. There are nearly as
many different words as emoji, and most stand in few names. `accuracy` is the
share of images that fit their own caption best among all captions of their batch. By
chance it would be one in `BATCH_SIZE`.
"""

gan = kzoo.TextToImageGAN.from_captions(
    captions, image_shape=(SIDE, SIDE, 3), width=WIDTH, average_decay=0.99
)
print(f"{len(gan.vocabulary)} different words")
gan.fit_encoder(
    images, captions, batch_size=BATCH_SIZE, epochs=ENCODER_EPOCHS, verbose=2
)

"""
## Then the GAN

`wrong_loss` tells whether the discriminator uses the captions. It is its loss for
real images with wrong captions. A discriminator that does not look at the caption
cannot bring it below 0.69, the logarithm of 2, without taking real images with the
right caption for false.
"""

gan.compile()
history = gan.fit(images, captions, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
kzoo.visualization.training_curves(history, path=f"{FOLDER}/curves.png")

"""
Each row below has one caption, and each column one noise. The second and the third
caption are in the training set. The first one is not: there are hearts of other colors,
and other red things, but no red heart.
"""

rows = [gan.generate(STEPS, captions=caption, seed=1) for caption in CAPTIONS]
show(np.concatenate(rows), "captions", " / ".join(CAPTIONS))

"""
With so few images, a GAN can learn them by heart. What it has understood shows in
captions that it has never seen. We take those names of the test set of which it knows
all words, 96 of 218. The sheet has the real emoji above, and what the GAN draws below.
"""

known = [
    i for i, caption in enumerate(test_captions) if len(gan.unknown_words(caption)) == 0
]
test_images, test_captions = test_images[known], test_captions[known]
drawn = gan.generate(captions=list(test_captions), seed=0)
show(
    np.concatenate([test_images[:STEPS], drawn[:STEPS]]),
    "test",
    "Emoji of the test set, and images drawn from their names",
)

"""
## Between two captions

`interpolate()` walks in a straight line from the vector of one caption to that of
another. The noise stays the same.
"""

walk = gan.interpolate(CAPTIONS[0], CAPTIONS[1], num=STEPS, seed=0)
show(walk, "walk", f"From {CAPTIONS[0]} to {CAPTIONS[1]}")

"""
## Unknown words

The model knows the words of its vocabulary only. All others are the same word to it,
"unknown". `unknown_words()` names them:
"""

print(f"unknown in {UNKNOWN!r}: {gan.unknown_words(UNKNOWN)}")

"""
## Does it draw what the caption says?

An encoder can tell: we show it an image, and let it choose among `CHOICE` captions, the
right one and others drawn at random (Xu et al., 2018). How often is it right?

The encoder that the GAN was trained with must not be the judge. The GAN has learned
to please it, whether or not a person would see the same in the image. So we train a
second encoder, from another start, which the GAN has never seen. It was trained on
the same images. Look first at how well it does with real emoji of the test set: it
cannot be expected to do better with drawings.
"""

keras.utils.set_random_seed(1)
judge = kzoo.TextImageEncoder.from_captions(captions, image_shape=(SIDE, SIDE, 3))
judge.compile()
judge.fit(images, captions, batch_size=BATCH_SIZE, epochs=ENCODER_EPOCHS, verbose=0)


def found(pictures, texts):
    return kzoo.metrics.caption_retrieval(judge, pictures, texts, CHOICE)


seen = slice(0, len(images), max(1, len(images) // 200))  # About 200 training captions.
shares = {
    "real emoji, test captions": found(test_images, test_captions),
    "drawn, test captions": found(drawn, test_captions),
    "drawn, training captions": found(
        gan.generate(captions=list(captions[seen]), seed=0), captions[seen]
    ),
}
for name, share in shares.items():
    print(f"{name}: {share:.1%} find their caption among {CHOICE}")
print(f"by chance: {1 / CHOICE:.1%}")

"""
## Conclusion

A GAN can be told what to draw by a sentence, once an encoder has turned the sentence
into a vector that has to do with images. The encoder limits the GAN: if it does not
distinguish two captions, the GAN cannot either.

The images of this example are few, its networks are narrow and its epochs are for a
first look. `applications/text_to_image_emoji.py` and `text_to_image_flowers.py` train
wider networks for longer.
"""
