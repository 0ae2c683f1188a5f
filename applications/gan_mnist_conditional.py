"""GAN "mnist_conditional": digits of the class that is asked for, by an auxiliary classifier.

    KERAS_BACKEND=torch taskset -c 0 python applications/gan_mnist_conditional.py

Networks, losses and references are in `conditional_recipe.py`.
"""

import conditional_recipe

METADATA = {
    "title": "Class-conditional GAN, MNIST",
    "description": "GAN with an auxiliary classifier (ACGAN) on DCGAN's networks with 1x1 "
    "convolutions; digits zero-padded to 32x32.",
    "trained_on": {"data": "mnist", "split": "train", "num_images": 60_000},
    "data": "MNIST (TFDS mnist 3.0.1), the 60,000 training images, zero-padded to 32x32",
    "classifier": "mnist",
    "command": "KERAS_BACKEND=torch python applications/gan_mnist_conditional.py",
    "notes": "Seen: 320,000 images, about 25 minutes of one CPU core. Samples come from the "
    "average of the generator's weights.",
}


def main():
    conditional_recipe.run(__doc__.splitlines()[0], "mnist", 320_000, METADATA)


if __name__ == "__main__":
    main()
