"""
Title: Early stopping is regularization
Author: kzoo authors
Date created: 2026/11/29
Last modified: 2026/11/29
Description: Bias and variance of gradient descent, and an autoencoder that Keras stops.
Accelerator: None
"""

"""
## Introduction

Training for too long hurts. The first steps of gradient descent learn what is common
to all data. Later ones learn the noise of the examples at hand. Whoever stops in
between has a better model, and has saved time.

Why that is can be seen exactly in linear least squares. There, gradient descent that
stops after `t` steps does nearly the same as ridge regression with a penalty of
`1 / (step_size * t)`. So the number of steps is a parameter of regularization: few
steps give a large bias and a small variance, many steps the reverse. We compute both
for noisy data, and check them with gradient descent in Keras. Then we look for the
same effect in a denoising autoencoder that has too few images, and let Keras stop it.

References:

- Yao, Rosasco and Caponnetto, 2007: [On Early Stopping in Gradient Descent Learning](https://doi.org/10.1007/s00365-006-0663-2)
- Ali, Kolter and Tibshirani, 2019: A Continuous-Time View of Early Stopping for Least
  Squares Regression, [arXiv:1810.10082](https://arxiv.org/abs/1810.10082)
- Vincent et al., 2010: [Stacked Denoising Autoencoders](https://jmlr.org/papers/v11/vincent10a.html)

## Setup

This example needs kzoo, and TensorFlow Datasets for the images. You can install
both via the following command, in a checkout of kzoo:
`pip install -e ".[tensorflow]"`. The models themselves run on TensorFlow, JAX and
PyTorch; the environment variable `KERAS_BACKEND` chooses one.

A full run takes about two minutes on one core of a CPU, with TensorFlow.
"""

import pathlib

import keras
import kzoo
import matplotlib.pyplot as plt
import numpy as np

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)

NUM_EXAMPLES = 100  # n, of the least squares.
NUM_FEATURES = 60  # d
NOISE = 1.0  # Standard deviation of the noise of the targets.
NUM_DRAWS = 200  # Of the noise: as many models are trained at once.
STEPS = 400  # Of gradient descent.
TRAIN_SPLIT = "train[:500]"
VALIDATION_SPLIT = "test[:2000]"
EPOCHS = 100  # At most, of the autoencoder.
PATIENCE = 10
BATCH_SIZE = 50
MASKED = 0.25  # Share of the pixels that the autoencoder does not see.
WIDTHS = (512, 512)  # Hidden units of the autoencoder.
FOLDER = "early_stopping"  # Where the pictures go.

pathlib.Path(FOLDER).mkdir(exist_ok=True)

"""
## Least squares with noise

The targets are `y = X w + noise`, and the model is a linear one. Real features are
never all alike: some vary much, most vary little. So we let the variance of the k-th
feature fall like `1 / k`. The steps go down the gradient of half the mean squared
error.
"""

scales = 1 / np.sqrt(np.arange(1, NUM_FEATURES + 1))
features = random.normal(size=(NUM_EXAMPLES, NUM_FEATURES)) * scales
weights = random.normal(size=NUM_FEATURES)
clean = features @ weights
noisy = clean[:, None] + NOISE * random.normal(size=(NUM_EXAMPLES, NUM_DRAWS))

"""
## Bias and variance, exactly

The eigenvectors of `X^T X / n` are directions that gradient descent learns
independently of each other. Along the one of eigenvalue `s`, least squares would
give a coefficient; gradient descent has reached the share
`1 - (1 - step_size * s) ** t` of it after `t` steps, and ridge regression with the
penalty `p` takes the share `s / (s + p)`. Both learn the directions of large variance
first.

The error that we care about is the mean squared distance of the predictions from the
targets without noise. It has two parts. The **bias** is what is missing in the share,
the **variance** is the noise that comes along with it. Both can be computed exactly,
as sums over the directions.
"""

eigenvalues, directions = np.linalg.eigh(features.T @ features / NUM_EXAMPLES)
signal = eigenvalues * (directions.T @ weights) ** 2  # of the targets, per direction
step_size = 1 / eigenvalues.max()


def bias_and_variance(shares):
    bias = np.sum((1 - shares) ** 2 * signal, axis=-1)
    variance = NOISE**2 / NUM_EXAMPLES * np.sum(shares**2, axis=-1)
    return bias, variance


steps = np.arange(STEPS + 1)
penalties = np.geomspace(1 / (step_size * STEPS), 1 / step_size, 400)
descent = bias_and_variance(1 - (1 - step_size * eigenvalues) ** steps[:, None])
ridge = bias_and_variance(eigenvalues / (eigenvalues + penalties[:, None]))

best_step = int(np.argmin(sum(descent)))
best_penalty = penalties[np.argmin(sum(ridge))]
print(f"gradient descent: error {sum(descent).min():.3f} after {best_step} steps")
print(
    f"ridge regression: error {sum(ridge).min():.3f} at a penalty of {best_penalty:.3f}"
)
print(f"1 / (step size * steps) = {1 / (step_size * max(best_step, 1)):.3f}")
print(f"no regularization: error {NOISE**2 * NUM_FEATURES / NUM_EXAMPLES:.3f}")

"""
## Does gradient descent in Keras do the same?

A `Dense` layer with one output per draw of the noise is as many linear models side by
side. Keras takes the mean over the outputs too, so the learning rate is multiplied by
their number; half of it, because the loss is not half the squared error.
"""


class Errors(keras.callbacks.Callback):
    """Notes the mean error of all models before every step."""

    def __init__(self):
        super().__init__()
        self.values = []

    def on_epoch_begin(self, epoch, logs=None):
        learned = keras.ops.convert_to_numpy(self.model.layers[-1].kernel)
        self.values.append(np.mean((features @ learned - clean[:, None]) ** 2))


model = keras.Sequential(
    [
        keras.Input((NUM_FEATURES,)),
        keras.layers.Dense(NUM_DRAWS, use_bias=False, kernel_initializer="zeros"),
    ]
)
model.compile(keras.optimizers.SGD(step_size * NUM_DRAWS / 2), loss="mse")
errors = Errors()
model.fit(
    features,
    noisy,
    batch_size=NUM_EXAMPLES,
    epochs=STEPS + 1,
    callbacks=[errors],
    verbose=0,
)
errors = np.array(errors.values)
best_measured = int(np.argmin(errors))
print(f"measured: error {errors.min():.3f} after {best_measured} steps")

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), sharey=True)
for axis, x, (bias, variance), title in (
    (left, steps[1:], [part[1:] for part in descent], "gradient descent"),
    (right, 1 / penalties, ridge, "ridge regression"),
):
    axis.plot(x, bias, "--", label="bias")
    axis.plot(x, variance, "--", label="variance")
    axis.plot(x, bias + variance, "k", label="error: bias + variance")
    axis.set(xscale="log", title=title)
every = np.unique(np.geomspace(1, STEPS, 25).astype(int))
left.plot(
    every, errors[every], "o", mfc="none", label="error in Keras, mean of the draws"
)
left.set(xlabel="steps", ylabel="error")
right.set(xlabel="1 / penalty")
left.legend()
plt.savefig(f"{FOLDER}/least_squares.png", bbox_inches="tight")
plt.show()

"""
The two pictures are nearly the same: a step is to gradient descent what `1 / penalty`
is to ridge regression, up to the step size. Both have their best point where what is
gained in bias is lost in variance. The best numbers of both are close. Ali, Kolter and
Tibshirani prove that the error of gradient descent with tiny steps is never more than
1.69 times that of ridge regression with the penalty `1 / time`; we can look at the
ratio here.
"""

same = eigenvalues / (eigenvalues + 1 / (step_size * steps[1:, None]))
ratio = sum(descent)[1:] / sum(bias_and_variance(same))
print(f"error, gradient descent / ridge: {ratio.min():.2f} to {ratio.max():.2f}")

"""
## A denoising autoencoder with too few images

A network of many layers has no eigenvectors, but it also learns what is common first.
We train an autoencoder to restore digits of which a quarter of the pixels is black.
It has 500 images, and more than a million weights. After every epoch, Keras measures
the reconstruction of images that training does not see, `val_reconstruction`.

`EarlyStopping` waits for `patience` epochs without a better value, ends the training,
and gives the model the weights of the best epoch. The value it watches has to come from
images held out: the loss of the training images falls to the end.
"""

train, validation = (
    kzoo.datasets.to_arrays(
        kzoo.datasets.load("mnist", split, batch_size=500, shuffle=False)
    )[0]
    for split in (TRAIN_SPLIT, VALIDATION_SPLIT)
)


def train_autoencoder(callbacks):
    keras.utils.set_random_seed(1)
    model = kzoo.Autoencoder(
        image_shape=(28, 28, 1),
        latent_dim=32,
        encoder="fully_connected",
        decoder="fully_connected",
        reconstruction_loss="cross_entropy",
        corruption="masking",
        corruption_level=MASKED,
        widths=WIDTHS,
        seed=0,
    )
    model.compile(keras.optimizers.Adam(1e-3))
    history = model.fit(
        train,
        validation_data=validation,
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        callbacks=callbacks,
        verbose=0,
    )
    value = model.evaluate(validation, verbose=0, return_dict=True)["reconstruction"]
    return history.history, value


stop = keras.callbacks.EarlyStopping(
    "val_reconstruction", mode="min", patience=PATIENCE, restore_best_weights=True
)
to_the_end, last = train_autoencoder([])
stopped, best = train_autoencoder([stop])
best_epoch = int(np.argmin(stopped["val_reconstruction"])) + 1
print(f"after {EPOCHS} epochs: {last:.1f} nats per image held out")
print(f"stopped after {len(stopped['loss'])}, best was {best_epoch}: {best:.1f} nats")

plt.figure(figsize=(7, 4))
epochs = np.arange(1, len(to_the_end["loss"]) + 1)
plt.plot(epochs, to_the_end["reconstruction"], label="training images, corrupted")
plt.plot(epochs, to_the_end["val_reconstruction"], label="images held out")
plt.axvline(best_epoch, color="0.6", linestyle=":", label="early stopping")
plt.xlabel("epoch")
plt.ylabel("reconstruction, nats per image")
plt.legend()
plt.savefig(f"{FOLDER}/autoencoder.png", bbox_inches="tight")
plt.show()

"""
## Conclusion

The number of steps regularizes. In least squares it does so as a penalty on the weights
does, and the best number balances bias and variance. In a network one cannot compute
it, but one can measure it, on images held out, and stop.

A generative model that is scored by its samples can be stopped likewise:
`kzoo.callbacks.SampleScores` adds the Frechet distance of samples to the values that
`EarlyStopping` may watch.
"""
