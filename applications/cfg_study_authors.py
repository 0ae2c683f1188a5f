"""The authors' PyTorch code (riejohnson/cfg-gan-pt) as one more method of `cfg_study.py`.

    python applications/cfg_study.py --methods authors --networks convolutional --authors PATH

PATH is a checkout. Nothing of that code is here: `benchmarks/cfg_gan_pt.py` imports it.
`AuthorsXICFG` gives it the few methods of a model of kzoo that a run calls, so that its time is
taken and its images are scored as those of the other methods are.
"""

import contextlib
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
from cfg_study_settings import LATENT_DIM, check_checkout
from keras import ops

from kzoo.images import to_uint8

BENCHMARKS = pathlib.Path(__file__).resolve().parent.parent / "benchmarks"


def training_of_authors(*args, **kwargs):
    """`cfg_gan_pt.Training` of the folder `benchmarks`."""
    sys.path.append(str(BENCHMARKS))
    try:
        from cfg_gan_pt import Training
    finally:
        sys.path.remove(str(BENCHMARKS))
    return Training(*args, **kwargs)


class AuthorsXICFG:
    """xICFG as the authors' code trains it.

    Their loop draws images of G_T before the approximator is fitted to it. So an update is here
    first the approximator's part, at the very first its initialization, and then the T steps. The
    training stops only where a number is NaN; theirs also does where the discriminator's outputs
    are far apart, after 2000 stages.

    Args:
        config: of the run.
        image_shape: (h, w, c), square.
        path: the checkout.

    Raises:
        ValueError: if there is no checkout at `path`, or Keras does not run on PyTorch.
    """

    conditioned_on = ()

    def __init__(self, config, image_shape, path):
        check_checkout(path)
        if keras.backend.backend() != "torch":
            raise ValueError(f"Expected KERAS_BACKEND=torch, got {keras.backend.backend()}.")
        self.settings = {
            **config["arguments"],
            "latent_dim": LATENT_DIM,
            "width": config["width"],
            "image_shape": tuple(image_shape),
        }
        self.rmsprop, self.path = config["optimizer"]["config"], path
        self.num_steps = self.settings["num_steps"]
        self.stop_training = False

    def compile(self, *optimizers):
        """Nothing: the code makes its own optimizers."""

    def fit(self, data, epochs, callbacks, verbose=0):
        """Trains until a callback stops it.

        Args:
            data: with uint8 `images` (n, h, w, c).
            epochs: of no account.
            callbacks: list of `keras.callbacks.Callback`.
            verbose: 0.

        Raises:
            RuntimeError: if the training diverged.
        """
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # their log
            images = np.array(data.images)
            self.training = training_of_authors(self.settings, images, self.path, **self.rmsprop)
            for callback in callbacks:
                callback.set_model(self)
                callback.on_train_begin()
            update = 0
            while not self.stop_training:
                for callback in callbacks:
                    callback.on_train_batch_begin(update)
                self._update(first=update == 0)
                for callback in callbacks:
                    callback.on_train_batch_end(update)
                update += 1

    def _update(self, first):
        try:
            self.training.begin() if first else self.training.approximate()
            self.training.grow()
        except Exception as error:
            if "nan was detected" not in str(error):
                raise
            raise RuntimeError(f"training diverged: {error}") from error

    def generate(self, num_samples, seed, steps=None):
        """Images of G_steps, of G_T by default, drawn in whole mini-batches.

        Args:
            num_samples: how many.
            seed: an int or a `keras.random.SeedGenerator`. The training's random numbers stay.
            steps: functional gradient steps from the approximator's images.

        Returns:
            uint8 array (num_samples, h, w, c).
        """
        import torch

        size = self.settings["batch_size"]
        count = -(-num_samples // size) * size
        steps = self.num_steps if steps is None else steps
        seed = int(ops.convert_to_numpy(keras.random.randint((), 0, 2**31 - 1, seed=seed)))
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            images = self.training.ddg.generate(count, t=steps, batch_size=size)  # (n, c, h, w)
        images = to_uint8(images[:num_samples].permute(0, 2, 3, 1))
        return ops.convert_to_numpy(images)

    def examples_per_step(self, batch_size):
        """Real images that an update sees."""
        return self.num_steps * self.settings["discriminator_steps"] * batch_size

    def last_losses(self):
        """Nothing: the code returns no losses."""
        return {}

    def versions(self):
        """PyTorch's version and the checkout's commit, for the report."""
        import torch

        command = ["git", "-C", str(self.path), "rev-parse", "--short=10", "HEAD"]
        found = subprocess.run(command, capture_output=True, text=True)
        return {"torch": torch.__version__, "cfg-gan-pt": found.stdout.strip() or "unknown"}
