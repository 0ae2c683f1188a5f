"""
Title: Variational autoencoder on MNIST with kzoo
Author: kzoo authors
Date created: 2026/11/22
Last modified: 2026/11/22
Description: Train a VAE, map its two latent variables, measure its likelihood.
Accelerator: GPU
"""

"""
## Introduction

A variational autoencoder (VAE) explains every image `x` by a short vector `z`
that nobody has observed. It describes the data in two steps: draw `z` from a
standard normal distribution `p(z)`, then draw the pixels from a distribution
`p(x|z)` whose parameters a neural network, the decoder, computes from `z`.

We would like to choose the decoder that makes the training images as likely as
possible. The likelihood of an image, `p(x)`, is the average of `p(x|z)` over
all `z`, and we cannot compute it: nearly all `z` decode to some other image and
contribute nothing. The VAE therefore trains a second network, the encoder,
which guesses for a given image where the few relevant `z` lie. Its guess is a
normal distribution `q(z|x)` with a mean and a variance per coordinate. For any
such guess,

```
log p(x) = ELBO + KL(q(z|x) || p(z|x))
ELBO     = E[log p(x|z)] - KL(q(z|x) || p(z))        with z drawn from q(z|x)
```

A Kullback-Leibler divergence (KL) is never negative, so the evidence lower
bound (ELBO) is at most `log p(x)`, and it can be computed. Raising it improves
both networks at once:

- The first term asks that an image can be reconstructed from its code.
- The second term charges for the code: the more `q(z|x)` says about the image,
  the further it is from the prior. The codes of all images together therefore
  resemble draws from `p(z)`, and decoding new draws gives new images.
- The gap to `log p(x)` is the error of the guess, so the encoder learns the
  true posterior distribution as well as its normal shape permits.

One obstacle remains: the average over `q(z|x)` depends on the encoder's
weights. The reparameterization trick writes a draw as
`z = mean + standard_deviation * noise`, with standard normal noise. Now the
randomness is an input like any other, and gradients pass through `z` into the
encoder.

In this example we train a VAE on handwritten digits, draw a map of its latent
space, and measure how far the ELBO is from the likelihood.

References:

- Kingma and Welling, 2014: [Auto-Encoding Variational Bayes](https://arxiv.org/abs/1312.6114)
- Burda et al., 2016: [Importance Weighted Autoencoders](https://arxiv.org/abs/1509.00519)
"""

"""
## Setup

This example needs kzoo, and TensorFlow Datasets for the images. You can install
both via the following command, in a checkout of kzoo:
`pip install -e ".[tensorflow]"`. The model itself runs on TensorFlow, JAX and PyTorch;
set the environment variable `KERAS_BACKEND` to choose one.

A full run takes about 14 minutes on one core of a CPU, with TensorFlow.
"""

import keras
import kzoo
import matplotlib.pyplot as plt
import numpy as np

keras.utils.set_random_seed(0)

TRAIN_SPLIT = "train"
TEST_SPLIT = "test"
BATCH_SIZE = 100
EPOCHS = 20
LEARNING_RATE = 1e-3
LATENT_DIM = 2
WIDTHS = (32, 64, 128)  # Channels of the encoder's convolutions.
MANIFOLD_SIZE = 20  # Digits along each side of the map of the latent space.
IMPORTANCE_SAMPLES = (1, 8, 64, 512)
LIKELIHOOD_IMAGES = 1000  # Test images whose likelihood we measure.
FOLDER = "vae_mnist"  # Where the pictures and the model go.

"""
The functions of `kzoo.visualization` return pictures as arrays, and write them
to a file if they are given a path. We also want to see them here.
"""


def show(picture, title):
    plt.figure(figsize=(7, 7))
    plt.imshow(picture, cmap="gray", vmin=0, vmax=255)
    plt.title(title)
    plt.axis("off")
    plt.show()


"""
## Binarized MNIST

Likelihoods are comparable only on equal data. The custom for MNIST is to make
every pixel black or white: white with a probability equal to its gray value.
`binarize="dynamic"` draws the pixels anew in every pass over the training
images, which also keeps the networks from memorizing them. The test images are
drawn once.

Batches are `uint8` arrays of shape `(batch, 28, 28, 1)`, with the values 0 and
255. We keep the labels of the test images to color a plot; the model never
reads labels.
"""

train = kzoo.datasets.load(
    "mnist", TRAIN_SPLIT, batch_size=BATCH_SIZE, binarize="dynamic", seed=0
)
test = kzoo.datasets.load(
    "mnist", TEST_SPLIT, batch_size=BATCH_SIZE, binarize="static", labels=True, seed=0
)
test_images, test_labels = kzoo.datasets.to_arrays(test)

show(kzoo.visualization.image_grid(test_images[:64]), "Binarized test images")

"""
## The model

A black or white pixel follows a Bernoulli distribution, so we choose
`likelihood="bernoulli"`: the decoder computes the logit of a white pixel for
every position. The encoder consists of convolutions with stride 2 and the
decoder is its mirror image. Two latent variables are too few for the best
likelihood, but we can draw all of their values on one page.
"""

vae = kzoo.VAE(
    image_shape=(28, 28, 1),
    latent_dim=LATENT_DIM,
    likelihood="bernoulli",
    widths=WIDTHS,
    seed=0,
)
vae.encoder.summary()

"""
## Training

`fit()` minimizes the negative ELBO and reports it as `loss`, in nats per image,
together with its two parts: `reconstruction` is the average of `-log p(x|z)`,
`kl` the price of the code. `kzoo.callbacks.SampleGrid` writes a sheet of
generated digits after every epoch, always of the same 64 latents, so that the
sheets show how the decoder changes.
"""

vae.compile(keras.optimizers.Adam(LEARNING_RATE))
history = vae.fit(
    train,
    epochs=EPOCHS,
    validation_data=test,
    callbacks=[kzoo.callbacks.SampleGrid(f"{FOLDER}/samples")],
)
kzoo.visualization.training_curves(history, path=f"{FOLDER}/curves.png")

"""
The curves show the trade-off between the two parts, and the validation loss tells
when more training no longer helps.

## A map of the latent space

Where does the encoder put the digits? We plot the mean of `q(z|x)` for every
test image. Images of one class form groups although the model has never seen a
label, because similar images are cheap to describe by similar codes. The second
term of the ELBO keeps the groups together around the origin, so that few
latents are left to which no digit belongs.
"""

mean, log_variance = vae.encode(test_images)
plt.figure(figsize=(7, 6))
plt.scatter(
    mean[:, 0], mean[:, 1], c=test_labels, s=2, cmap="tab10", vmin=-0.5, vmax=9.5
)
plt.colorbar(label="digit", ticks=range(10))
plt.savefig(f"{FOLDER}/codes.png")
plt.show()

"""
The other direction is the decoder's. `latent_manifold()` decodes a square grid
of latents. The grid is spaced so that each of its cells has the same
probability under `p(z)`: digits that take up more room on the sheet are drawn
more often by the model. Along any path one digit turns into another without a
break.
"""

manifold = kzoo.visualization.latent_manifold(
    vae, n=MANIFOLD_SIZE, path=f"{FOLDER}/manifold.png"
)
show(manifold, "All digits that two latent variables can describe")

"""
## Reconstructions

Calling the model reconstructs images: it encodes them, takes the posterior
mean, and returns the probability of white in every pixel, scaled to `[-1, 1]`.
Rows alternate between test images and their reconstructions. What two numbers
cannot hold is lost: an unusual digit comes back as the average of digits with
similar codes, at times as another digit.
"""

originals = test_images[:36].reshape(3, 12, 28, 28, 1)
reconstructions = keras.ops.convert_to_numpy(vae(test_images[:36]))
reconstructions = np.round((reconstructions + 1.0) * 127.5).astype("uint8")
pairs = np.stack([originals, reconstructions.reshape(originals.shape)], axis=1)
pairs = kzoo.visualization.image_grid(
    pairs.reshape(-1, 28, 28, 1), columns=12, path=f"{FOLDER}/reconstructions.png"
)
show(pairs, "Test images and, below each, its reconstruction")

"""
## From the bound to the likelihood

On the test images, `evaluate()` reports the negative ELBO. How far is the ELBO
below `log p(x)`? With K draws from `q(z|x)` instead of one, importance sampling
gives a better bound:

```
log p(x) >= E[log mean over k of (p(x|z_k) p(z_k) / q(z_k|x))]
```

For K = 1 the right-hand side is the ELBO. It rises with K and tends to
`log p(x)`, however poor the encoder's guess is. `log_likelihood()` computes it,
one number per image.
"""

scores = vae.evaluate(test, return_dict=True, verbose=0)
print(f"negative ELBO of the test images: {scores['loss']:.2f} nats per image")

estimates = {}
for num_samples in IMPORTANCE_SAMPLES:
    values = vae.log_likelihood(test_images[:LIKELIHOOD_IMAGES], num_samples, seed=0)
    estimates[num_samples] = -values.mean()
    print(f"K = {num_samples:3d}: -log p(x) <= {estimates[num_samples]:.2f} nats")

"""
The difference between the first and the last value of K is what the normal
shape of `q(z|x)` and the imperfect encoder cost. Models should be compared by
the last number, and only by measurements with the same K on data that were
binarized in the same way.

## Saving the model

`save_to_preset()` writes a folder with the configuration, the weights and
whatever we want to note down; `from_preset()` restores the model from it,
without the code that built it. With the same seed the restored model draws the
same digits.
"""

vae.save_to_preset(f"{FOLDER}/preset", description="VAE with two latent variables.")
restored = kzoo.VAE.from_preset(f"{FOLDER}/preset")

digits = restored.generate(64, seed=0)
print("Same digits:", np.array_equal(digits, vae.generate(64, seed=0)))
show(
    kzoo.visualization.image_grid(digits, path=f"{FOLDER}/generated.png"),
    "Digits from the restored model",
)

"""
## Conclusion

A VAE is trained by raising a lower bound on the likelihood, the ELBO, which
trades the quality of the reconstructions against the length of the code. The
encoder that makes this possible also tells where an image lies in latent space,
and it makes importance sampling of the likelihood practical.

The digits above are blurred, since each shows the probability of white and two
variables leave much of an image open. `kzoo.VAE(latent_dim=32)` draws sharper
digits and reaches a far better likelihood; `kzoo.list_presets()` shows the trained
models that come with kzoo, for `kzoo.VAE.from_preset()`. For images with gray levels
or colors, choose `likelihood="discretized_logistic"`, and set the weight of the KL
term by `kl_weight`.
"""
