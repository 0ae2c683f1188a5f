"""
Title: Autoencoders for transfer learning with few labels
Author: kzoo authors
Date created: 2026/11/23
Last modified: 2026/11/23
Description: Train an encoder without labels, then a classifier on top of it with 100.
Accelerator: GPU
"""

"""
## Introduction

Images are cheap, labels are not. An autoencoder learns from images alone: its
encoder turns an image into a short code, its decoder turns the code back into an
image, and both are trained to make the two images equal. We do not need the
reconstructions themselves. What we want is the encoder, since a code from which an
image can be reconstructed has to contain what the image shows. We hope that a
classifier that starts from it needs fewer labels than one that starts from pixels.

Reconstruction alone can be too easy. With a long enough code the encoder may
copy the pixels and learn nothing. Some remedies:

- A **denoising** autoencoder sees a corrupted image, here with half of its
  pixels blackened, and reconstructs the clean one. To fill in what is missing, it
  has to learn what digits look like.
- A **contractive** autoencoder has a penalty on the change of its code with the
  image. The code then changes only as reconstruction requires.
- A **sparse** autoencoder has a penalty on codes with many active units.

We train a plain and a denoising autoencoder on MNIST without labels. Then we
let a classifier learn from 100 labeled digits, ten of each class, from a random
encoder, from the plain one and from the denoising one. The encoder is either
frozen, so that only a linear layer learns, or fine-tuned.

References:

- Vincent et al., 2010: [Stacked Denoising Autoencoders](https://jmlr.org/papers/v11/vincent10a.html)
- Rifai et al., 2011: [Contractive Auto-Encoders](https://icml.cc/2011/papers/455_icmlpaper.pdf)
- Ng, 2011: [Sparse autoencoder](https://web.stanford.edu/class/cs294a/sparseAutoencoder.pdf)
"""

"""
## Setup

This example needs kzoo, and TensorFlow Datasets for the images. You can install
both via the following command, in a checkout of kzoo:
`pip install -e ".[tensorflow]"`. The models themselves run on TensorFlow, JAX and
PyTorch; set the environment variable `KERAS_BACKEND` to choose one.

A full run takes about 3 minutes on one core of a CPU, with TensorFlow.
"""

import os

import keras
import kzoo
import matplotlib.pyplot as plt
import numpy as np

keras.utils.set_random_seed(0)

TRAIN_SPLIT = "train"
TEST_SPLIT = "test"
BATCH_SIZE = 128
EPOCHS = 6  # Of training without labels.
LATENT_DIM = 32
WIDTHS = (16, 32, 64)  # Channels of the encoder's convolutions.
MASKED = 0.5  # Share of the pixels that the denoising encoder does not see.
LABELS_PER_CLASS = 10
UPDATES = 300  # Of the classifiers.
FOLDER = "autoencoder_transfer"  # Where the pictures and the model go.

os.makedirs(FOLDER, exist_ok=True)


def show(picture, title):
    plt.figure(figsize=(7, 7))
    plt.imshow(picture, cmap="gray", vmin=0, vmax=255)
    plt.title(title)
    plt.axis("off")
    plt.show()


"""
## Data

All training images are used without their labels. Of the labels we keep ten per
class and pretend that there are no others. Images are `uint8` arrays of shape
`(n, 28, 28, 1)`; the models scale them on their own.
"""

train_images, train_labels = kzoo.datasets.to_arrays(
    kzoo.datasets.load("mnist", TRAIN_SPLIT, batch_size=500, labels=True, shuffle=False)
)
test_images, test_labels = kzoo.datasets.to_arrays(
    kzoo.datasets.load("mnist", TEST_SPLIT, batch_size=500, labels=True)
)
generator = np.random.default_rng(0)
chosen = np.concatenate(
    [
        generator.permutation(np.flatnonzero(train_labels == digit))[:LABELS_PER_CLASS]
        for digit in range(10)
    ]
)
few_images, few_labels = train_images[chosen], train_labels[chosen]
print(f"{len(train_images)} images, {len(chosen)} of them with labels")

"""
## Training without labels

The two autoencoders have the same networks. `"cross_entropy"` reads a gray
value as the probability that a pixel is white, which suits digits;
`reconstruction_loss="l2"` would be the squared error. `fit()` reports
`reconstruction`, per image; there is no penalty here, so it is also the `loss`.
"""


def autoencoder(**options):
    return kzoo.Autoencoder(
        image_shape=(28, 28, 1),
        latent_dim=LATENT_DIM,
        reconstruction_loss="cross_entropy",
        widths=WIDTHS,
        activation="relu",
        seed=0,
        **options,
    )


plain = autoencoder()
denoising = autoencoder(corruption="masking", corruption_level=MASKED)
for model in (plain, denoising):
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(train_images, batch_size=BATCH_SIZE, epochs=EPOCHS)

"""
Can the denoising one do what it was trained for? We blacken half of the pixels
of some test images. Rows alternate between what the model sees and what it
makes of it.
"""

seen = test_images[:16] * (generator.random(test_images[:16].shape) > MASKED)
sheet = kzoo.visualization.reconstruction_sheet(
    denoising, seen.astype("uint8"), path=f"{FOLDER}/denoised.png"
)
show(sheet, "Corrupted test images and, below each, the reconstruction")

"""
## Learning from 100 labels

`Classifier.from_encoder()` copies an encoder with its weights and puts a new
linear layer on top. `layer=-2` takes the features of the hidden layer before
the code, which are more numerous; without it the classifier reads the code.
With `trainable_encoder=False` the copy stays as it is.

All classifiers have the same architecture and train for the same number of
updates. The random encoder is one that has not been trained.
"""

encoders = {
    "random": autoencoder().encoder,
    "autoencoder": plain.encoder,
    "denoising": denoising.encoder,
}
order = np.concatenate([generator.permutation(len(few_images)) for _ in range(UPDATES)])
order = order[: 50 * UPDATES]


def accuracy(encoder, trainable):
    keras.utils.set_random_seed(0)
    classifier = kzoo.Classifier.from_encoder(
        encoder, num_classes=10, trainable_encoder=trainable, layer=-2
    )
    classifier.compile(
        optimizer=keras.optimizers.Adam(1e-3 if trainable else 1e-2),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    classifier.fit(
        few_images[order], few_labels[order], batch_size=50, shuffle=False, verbose=0
    )
    _, probabilities = classifier.activations(test_images)
    return classifier, 100 * np.mean(probabilities.argmax(axis=1) == test_labels)


accuracies = {}
for name, encoder in encoders.items():
    for trainable in (False, True):
        mode = "fine-tuned" if trainable else "frozen"
        classifier, accuracies[name, mode] = accuracy(encoder, trainable)
        print(f"{name}, {mode}: {accuracies[name, mode]:.1f} % of the test images")

"""
A linear layer on the frozen features of an encoder that has seen digits, but no
label, beats the same layer on random features by a wide margin. When all
weights may change, the random encoder catches up in part, for the labels now
shape its features too. One draw of 100 labels is a matter of luck; the
repository's `applications/TRANSFER_LEARNING.md` averages over five draws, with
up to 10,000 labels, on two data sets.
"""

positions = np.arange(len(encoders))
plt.figure(figsize=(6, 4))
for shift, mode in ((-0.2, "frozen"), (0.2, "fine-tuned")):
    heights = [accuracies[name, mode] for name in encoders]
    plt.bar(positions + shift, heights, 0.4, label=mode)
plt.xticks(positions, list(encoders))
plt.ylabel("test accuracy, %")
plt.legend()
plt.savefig(f"{FOLDER}/accuracies.png")
plt.show()

"""
## Saving the classifier

The classifier no longer needs the autoencoder. As a preset it consists of its
configuration, with the encoder's layers, and its weights.
"""

classifier.save_to_preset(f"{FOLDER}/preset", description="Learned from few labels.")
restored = kzoo.Classifier.from_preset(f"{FOLDER}/preset")
same = np.allclose(
    restored.activations(test_images[:10])[1],
    classifier.activations(test_images[:10])[1],
    atol=1e-5,
)
print("Same predictions:", same)

"""
## Conclusion

On MNIST, a linear classifier on an encoder trained without labels needs far fewer
labels than one on random features. If all weights are fine-tuned, the advantage is
small, and shrinks as labels are added. Other data can be different: see SVHN in
`applications/TRANSFER_LEARNING.md`.

To go on, try `penalty="contractive"` or `penalty="kl"` with
`code_activation="sigmoid"` in `kzoo.Autoencoder`, or start from a VAE:
`kzoo.latents.latent_network(vae)` is an encoder that gives the mean of its
posterior.
"""
