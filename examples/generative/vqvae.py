"""
Title: VQ-VAE: images as sentences of codes
Author: kzoo authors
Date created: 2026/11/29
Last modified: 2026/11/29
Description: Turn clothes into maps of codes, and learn how to write such maps.
Accelerator: GPU
"""

"""
## Introduction

An autoencoder describes an image by a vector of real numbers. A VQ-VAE (van den Oord
et al., 2017) describes it by words: it has a dictionary of `K` entries, and an
image is a small map of numbers of entries. VQ stands for vector quantization.

- The encoder turns the image into a map of vectors.
- Each vector is replaced by the nearest vector of the dictionary, the codebook. What
  is left to describe the image is which entry it was: its code.
- The decoder turns the map of codebook vectors into an image.

The choice of the nearest vector has no useful gradient. So the training copies the
gradient from its output to its input, as if the vector had not been replaced. This
is called the straight-through estimator. The codebook follows the encoder by moving
averages, and a part of the loss, the commitment, keeps the encoder near the
codebook.

This gives codes for images, but no new images. For them, we need to know which maps
of codes there are. A map of codes is a small image of `K` different colors. So we take
a model of pixels, a Gated PixelCNN, and train it on the maps. It is called the prior.
New images are drawn in two steps: the prior writes a map, and the decoder turns it
into an image.

Compare this with a PixelCNN of the image itself: it has to draw 784 pixels, one after
the other. Here there are 49 codes, and what a single pixel looks like is left to the
decoder.

Reference:

- van den Oord et al., 2017: [Neural Discrete Representation Learning](https://arxiv.org/abs/1711.00937)
"""

"""
## Setup

This example needs kzoo, and TensorFlow Datasets for the images. You can install
both via the following command, in a checkout of kzoo:
`pip install -e ".[tensorflow]"`. The model itself runs on TensorFlow, JAX and PyTorch;
set the environment variable `KERAS_BACKEND` to choose one.

A full run takes about 5 minutes on one core of a CPU, with TensorFlow.
"""

import os

import keras
import kzoo
import matplotlib.pyplot as plt
import numpy as np

keras.utils.set_random_seed(0)

TRAIN_SPLIT = "train[:8000]"
TEST_SPLIT = "test[:1000]"
NUM_CODES = 64  # K, entries of the codebook.
CODE_DIM = 16  # Numbers of an entry.
WIDTH = 32  # Features of encoder and decoder.
EPOCHS = 30
PRIOR_FILTERS = 32
PRIOR_LAYERS = 6
PRIOR_EPOCHS = 20
BATCH_SIZE = 64
SHOWN = 16  # Images in a row.
FOLDER = "vqvae"  # Where the pictures go.

os.makedirs(FOLDER, exist_ok=True)


def show(images, name, title):
    sheet = kzoo.visualization.image_grid(
        images, columns=SHOWN, scale=2, path=f"{FOLDER}/{name}.png"
    )
    plt.figure(figsize=(9, 9 * sheet.shape[0] / sheet.shape[1]))
    plt.imshow(sheet, cmap="gray", vmin=0, vmax=255)
    plt.title(title)
    plt.axis("off")
    plt.show()


"""
## Clothes

Fashion-MNIST has grey images of 28 x 28 pixels.
"""


def load(split):
    data = kzoo.datasets.load("fashion_mnist", split, batch_size=100, shuffle=False)
    return kzoo.datasets.to_arrays(data)[0]


train, test = load(TRAIN_SPLIT), load(TEST_SPLIT)

"""
## Encoder, codebook and decoder

Two convolutions with stride 2 make a map of 7 x 7 codes of an image. `pixel_variance`
is the unit of the squared error, so that a `reconstruction` of 1 is as bad as an
image of the mean grey.

One thing can go wrong with a codebook: some entries are never the nearest one, are
never updated and stay unused. So a code that is no longer used is replaced by one of
the encoder's vectors.
"""

vqvae = kzoo.VQVAE(
    image_shape=(28, 28, 1),
    num_codes=NUM_CODES,
    code_dim=CODE_DIM,
    width=WIDTH,
    pixel_variance=float(np.var(train / 127.5)),
    seed=0,
)
vqvae.compile(keras.optimizers.Adam(1e-3))
vqvae.fit(train, validation_data=test, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)

"""
## What the codes keep

`encode_to_codes()` gives the codes of images, `decode_codes()` the images of codes.
In the sheet, test images stand above their reconstructions. Compare the fine patterns
of a fabric: what the codes do not keep is lost.
"""

vqvae.order_codes()  # Gives similar entries similar numbers; the images are the same.
codes = vqvae.encode_to_codes(test)
reconstructions = vqvae.decode_codes(codes)
pairs = np.concatenate([test[:SHOWN], reconstructions[:SHOWN]])
show(pairs, "reconstructions", "Test images, and their reconstructions")

pixels, cells = test[0].size, codes[0].size
print(f"an image: {pixels} pixels of 8 bits, {8 * pixels} bits")
bits = cells * np.log2(NUM_CODES)
print(f"its codes: {cells} numbers from 0 to {NUM_CODES - 1}, {bits:.0f} bits")

"""
How many entries of the codebook are in use? If each were used equally often, the
entropy of the codes would be `log K`. The perplexity is the exponential of the
entropy. It tells how many entries, used equally often, would be as unpredictable.
"""

frequencies = np.bincount(codes.reshape(-1), minlength=NUM_CODES) / codes.size
used = frequencies[frequencies > 0]
entropy = -np.sum(used * np.log2(used))  # Bits.
print(f"{len(used)} of {NUM_CODES} entries are used, perplexity {2**entropy:.1f}")

"""
We can look at the codebook. Each image below is decoded from a map with the same code
everywhere. They are shades of grey and fine stripes: a code describes a small piece of
fabric, and does not know what is made of it.
"""

uniform = np.repeat(np.arange(NUM_CODES), cells).reshape(-1, *vqvae.code_shape)
show(vqvae.decode_codes(uniform), "codebook", "The entries of the codebook")

"""
## The prior

A Gated PixelCNN whose images are the maps: 7 x 7 pixels, one of `K` values each.
`fit_prior()` encodes the images, and fits the prior to their codes. Its loss in bits
per code, `bits_per_dim`, is on one scale with two others: the number of bits if all
codes were equally likely, and the entropy of their frequencies, which is the best that
one can do without looking at the neighbors.
"""

vqvae.set_prior(
    kzoo.GatedPixelCNN(
        image_shape=(*vqvae.code_shape, 1),
        levels=NUM_CODES,
        filters=PRIOR_FILTERS,
        num_layers=PRIOR_LAYERS,
        head_filters=PRIOR_FILTERS,
    )
)
vqvae.prior.compile(keras.optimizers.Adam(2e-3))
history = vqvae.fit_prior(
    train,
    validation_data=test,
    batch_size=BATCH_SIZE,
    epochs=PRIOR_EPOCHS,
    verbose=2,
)
per_code = {
    "all codes equally likely": np.log2(NUM_CODES),
    "frequencies of the codes": entropy,
    "prior": history.history["val_bits_per_dim"][-1],
}
for name, value in per_code.items():
    print(f"{name}: {value:.2f} bits per code")

"""
## New images

The rows of the sheet are decoded from codes that were drawn in these three ways.
In the first two, each code is drawn by itself, and nothing makes neighboring parts fit
together. Only the prior knows what stands beside what. It gets two rows.
"""

rng = np.random.default_rng(0)
shape = (SHOWN, *vqvae.code_shape)
drawn = {
    "all codes equally likely": rng.integers(0, NUM_CODES, shape),
    "frequencies of the codes": rng.choice(NUM_CODES, shape, p=frequencies),
}
samples = {name: vqvae.decode_codes(maps) for name, maps in drawn.items()}
samples["prior"] = vqvae.generate(2 * SHOWN, seed=0)
show(
    np.concatenate(list(samples.values())),
    "samples",
    "Codes drawn evenly, by their frequencies, and by the prior (two rows)",
)

"""
## Conclusion

A VQ-VAE divides the work. Encoder and decoder learn what small parts of images look
like, and the prior learns how parts are put together. The prior's images are small,
so it is fast to train and to draw from.

Codes are also a way to compress: a good prior is a good compressor, since a code
that it expects costs few bits. `kzoo.VQVAE.from_preset("svhn")` is a larger model of
photographs of house numbers, trained by `applications/vqvae_svhn.py`.
"""
