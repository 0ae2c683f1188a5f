"""
Title: Composite functional gradient GAN on MNIST with kzoo
Author: kzoo authors
Date created: 2026/11/22
Last modified: 2026/11/22
Description: Grow a generator step by step along the gradient of a discriminator.
Accelerator: GPU
"""

"""
## Introduction

A generative adversarial network (GAN) trains a discriminator `D`, which tells
real images from generated ones, and a generator `G`, whose weights follow the
gradient of a loss that `D` defines. The two networks play against each other, which
may go wrong: if the discriminator is far better than the generator, the generator
gets no useful gradient.

Composite functional gradient learning (CFG) keeps the discriminator and
replaces the game. It does not ask how the weights of `G` should change, but how
the generated images should change, and applies the answer to the images
themselves:

```
G_t(z) = G_{t-1}(z) + step_size * grad D_t(G_{t-1}(z)),        t = 1 .. T
```

`grad D_t` is the gradient with respect to the pixels. One step takes an image a
little way to where the discriminator finds images more realistic; then the
discriminator is trained again, against the improved images, and the next step
follows. The generator grows, since computing `G_T` takes the start `G_0` and
all T discriminators.

Why does this bring the generated images closer to the data? Let `D` be trained
with the logistic loss. With unlimited capacity it becomes the log-ratio of the
two densities,

```
D(x) = log(p_data(x) / p_generated(x))
```

The step moves probability mass along the gradient of this log-ratio, out of
regions where there are too many generated images and into regions where there
are too few. For a short step, the divergence `KL(p_data || p_generated)` falls
at a rate equal to the average of `|grad D(x)|^2` over real images, and
`KL(p_generated || p_data)` at the average over generated images. Neither
average is negative, and both vanish only when the two distributions agree. No
equilibrium of a game is needed: every step helps, as long as `D` is near the
log-ratio and the step is short. The paper proves a version of this for
discriminators with an error.

A generator of hundreds of networks would be of little use, so the complete
algorithm, Algorithm 3 of the paper, works in stages:

- The *approximator* is a network of fixed size. Its images are the start `G_0`.
- Take T steps, each with a short training of the discriminator. Keep a snapshot
  of the discriminator after each, `D_1` to `D_T`.
- Train the approximator to reproduce `G_T(z)` for given `z`, by least squares.
  This is ordinary regression, not a game. Then begin the next stage.

In this example we watch the first stages of a training, and then take a trained
model apart.

Reference:

- Johnson and Zhang, 2018: Composite Functional Gradient Learning of Generative
  Adversarial Models, [arXiv:1801.06309](https://arxiv.org/abs/1801.06309)
"""

"""
## Setup

This example needs kzoo, and TensorFlow Datasets for the images. You can install
both via the following command, in a checkout of kzoo:
`pip install -e ".[tensorflow]"`. The model itself runs on TensorFlow, JAX and PyTorch;
set the environment variable `KERAS_BACKEND` to choose one.

A full run takes about 8 minutes on one core of a CPU, with TensorFlow.
"""

import keras
import kzoo
import matplotlib.pyplot as plt
import numpy as np

keras.utils.set_random_seed(0)

TRAIN_SPLIT = "train"
BATCH_SIZE = 64
NUM_STEPS = 15  # T, functional gradient steps per stage.
STEP_SIZE = 0.5
POOL_SIZE = 640  # Latents per stage, on which the approximator is trained.
APPROXIMATOR_EPOCHS = 10
WIDTH = 32  # Channels of the networks next to the image.
STAGES_PER_EPOCH = 10
EPOCHS = 6
PRESET = "mnist"
GROWTH = (0, 5, 10, 15)  # Steps t at which we look at the trained model's images.
NUM_SAMPLES = 10_000  # Images for the scores.
FOLDER = "cfggan_mnist"  # Where the pictures go.

"""
The functions of `kzoo.visualization` return pictures as arrays, and write them
to a file if they are given a path. We also want to see them here.
"""


def show(picture, title):
    plt.figure(figsize=(8, 8 * picture.shape[0] / picture.shape[1]))
    plt.imshow(picture, cmap="gray", vmin=0, vmax=255)
    plt.title(title)
    plt.axis("off")
    plt.show()


"""
## Data

The networks halve the image several times, so the digits are padded with black
to 32x32. Batches are `uint8` arrays; the model scales them to `[-1, 1]`.
"""

train = kzoo.datasets.load(
    "mnist", TRAIN_SPLIT, batch_size=BATCH_SIZE, pad_to=32, seed=0
)

"""
## Training from scratch

These are the paper's settings for MNIST. The discriminator and the approximator
are small convolutional networks of the DCGAN family, and you can pass your own
Keras models instead. `compile()` without arguments chooses the paper's
optimizer, RMSprop, for both.

One step of `fit()` is one stage. It takes T mini-batches of real images, one
for every update of the discriminator; `fit()` regroups whatever batches it is
given. Here an epoch is ten stages rather than a pass over the data, in order to
have several points to plot. Sixty stages show how a training begins, and no
more. To train a model to the end, run the script
`applications/cfggan_mnist.py`.
"""

model = kzoo.CFGGAN(
    image_shape=(32, 32, 1),
    latent_dim=100,
    num_steps=NUM_STEPS,
    step_size=STEP_SIZE,
    pool_size=POOL_SIZE,
    batch_size=BATCH_SIZE,
    approximator_epochs=APPROXIMATOR_EPOCHS,
    width=WIDTH,
)
model.compile()
history = model.fit(
    train.repeat(),
    epochs=EPOCHS,
    steps_per_epoch=STAGES_PER_EPOCH,
    callbacks=[kzoo.callbacks.SampleGrid(f"{FOLDER}/samples")],
)
kzoo.visualization.training_curves(history, path=f"{FOLDER}/curves.png")

"""
Four numbers are logged: `d_loss` is the discriminator's logistic loss, `g_loss`
half the approximator's squared distance to the grown images `G_T(z)`, and
`d_real` and `d_fake` are the averages of `D` over real and over generated
images. All are taken at the end of each stage's updates and averaged over an
epoch.

## What D(real) - D(generated) shows

The last two have a meaning. Insert the log-ratio from the introduction:

```
D(real)                average of D over real images        =  KL(p_data || p_generated)
D(generated)           average of D over generated images   = -KL(p_generated || p_data)
D(real) - D(generated) = KL(p_data || p_generated) + KL(p_generated || p_data)
```

The gap is the sum of the two divergences that each step reduces, as the
discriminator sees them. We plot it over the stages.
"""

gap = np.array(history.history["d_real"]) - np.array(history.history["d_fake"])
stages = STAGES_PER_EPOCH * np.arange(1, len(gap) + 1)
plt.figure(figsize=(6, 4))
plt.plot(stages, gap, marker="o")
plt.xlabel("stage")
plt.ylabel("D(real) - D(generated)")
plt.savefig(f"{FOLDER}/gap.png")
plt.show()

"""
How to read it:

- Near zero, the discriminator cannot tell the images apart. Either they are
  good or it has not learned anything yet, and a look at the samples decides
  which.
- A moderate gap is the normal state of a training: there is something to
  correct, and the functional gradient points there.
- A gap that keeps growing means that the discriminator learns faster than the
  images improve. It is then no log-ratio any more and its gradient says little.
  `fit()` stops when the gap exceeds `max_gap`, which is 40 unless set
  otherwise, after the first `gap_patience` stages. A shorter step or a smaller
  learning rate helps.

## A trained model

kzoo comes with a CFG-GAN that was trained on all of MNIST. It grew from noise,
like the one above but for thousands of stages. `generate()` draws from `G_T`, the
approximator's images after all T steps. The gradient of `D` uses the statistics of
the batch, so the model always works on whole mini-batches of the size that it was
trained with.
"""

trained = kzoo.CFGGAN.from_preset(PRESET)
samples = kzoo.visualization.image_grid(
    trained.generate(64, seed=0), path=f"{FOLDER}/generated.png"
)
show(samples, "Digits from G_T")

"""
## Watching digits grow

`generate(steps=t)` stops after t functional gradient steps. With the same seed
we follow the same latents: every column below is one image, and the rows are
t = 0, 5, 10 and 15. The first row shows what the approximator has learned in all
earlier stages, the rows below it what the discriminators of the last stage
still found to correct.
"""

growth = [trained.generate(12, seed=1, steps=steps) for steps in GROWTH]
picture = kzoo.visualization.image_grid(
    np.concatenate(growth), columns=12, path=f"{FOLDER}/growth.png"
)
show(picture, f"The same latents after t = {', '.join(map(str, GROWTH))} steps")

"""
## Measuring quality

`kzoo.metrics.evaluate_images()` judges images by what a classifier, trained on
the labels of MNIST, makes of them:

- The inception score is high if every image is clearly one digit while all
  digits occur.
- The diversity score is `exp(-KL)` from the digits' frequencies to those of the
  data. It is 1 if every digit is drawn as often as it should be.
- The Frechet distance compares means and covariances of the classifier's
  features with those of the training images. Zero is best. Other features give
  other distances, so it must not be compared with a published FID.

Each is given together with its value for real test images. We compare the
approximator, t = 0, with the grown generator, t = T.
"""

classifier = kzoo.Classifier.from_preset("mnist")
scores = {}
for steps in (0, trained.num_steps):
    images = trained.generate(NUM_SAMPLES, seed=0, steps=steps)
    scores[steps] = kzoo.metrics.evaluate_images(images, classifier)
names = ("inception_score", "diversity_score", "frechet_distance")
for name in names:
    print(
        f"{name:16s}"
        f"   t = 0: {scores[0][name]:8.3f}"
        f"   t = {trained.num_steps}: {scores[trained.num_steps][name]:8.3f}"
        f"   real images: {scores[0]['reference'][name]:8.3f}"
    )

"""
The histogram of the digits that were recognized shows a missing mode at a
glance.
"""

plt.figure(figsize=(6, 3))
plt.bar(range(10), scores[trained.num_steps]["class_histogram"])
plt.xticks(range(10))
plt.xlabel("digit")
plt.ylabel("generated images")
plt.savefig(f"{FOLDER}/classes.png", bbox_inches="tight")
plt.show()

"""
## Conclusion

CFG learning moves images along the gradient of a discriminator instead of
training a generator against it, and an approximator of fixed size absorbs the
gain after every stage. The generator's part is plain regression, every step
reduces a divergence if the discriminator is accurate, and
`D(real) - D(generated)` shows whether it still is.

To go on, save a model of your own with `save_to_preset()`, draw a fresh pool of
latents for each update with `fixed_pool=False`, or compare with `kzoo.GAN`,
which trains networks of the same kind in the usual way.
"""
