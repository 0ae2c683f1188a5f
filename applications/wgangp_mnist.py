"""WGANGP "mnist": WGAN-GP, on MNIST.

    taskset -c 0 python applications/wgangp_mnist.py  # one core

Gulrajani et al. 2017 (arXiv:1704.00028), Algorithm 1, on DCGAN's networks with the 1x1
convolutions of Johnson, Zhang 2018 (arXiv:1801.06309). One critic update per generator update, at
twice the generator's rate, after Heusel et al. 2017 (arXiv:1706.08500), in place of five at the
same rate, with which the generator would get far fewer updates in the same time. The preset holds
the exponential moving average of the generator's weights.
"""

import gan_recipe

import kzoo

METADATA = {
    "title": "WGANGP, MNIST",
    "description": "WGAN-GP, on networks with 1x1 convolutions; MNIST padded to 32x32.",
    "trained_on": {"data": "mnist", "split": "train", "num_images": 60_000},
    "data": "MNIST (TFDS mnist 3.0.1), 60,000 training images, zero-padded to 32x32",
    "command": "python applications/wgangp_mnist.py",
    "notes": "Trained on one CPU core.",
}


if __name__ == "__main__":
    gan_recipe.run(
        kzoo.WGANGP,
        __doc__.splitlines()[0],
        preset="mnist",
        data="mnist",
        image_shape=(32, 32, 1),
        epochs=5,
        adam={"learning_rate": 4e-4, "beta_1": 0.0, "beta_2": 0.9},
        generator_rate=2e-4,
        arguments={"discriminator_steps": 1},
        metadata=METADATA,
        pad_to=32,
    )
