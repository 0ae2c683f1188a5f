"""GAN "fashion_mnist_conditional": clothes of the class that is asked for.

    KERAS_BACKEND=tensorflow taskset -c 0 python applications/gan_fashion_mnist_conditional.py

Networks, losses and references are in `conditional_recipe.py`.
"""

import conditional_recipe

METADATA = {
    "title": "Class-conditional GAN, Fashion-MNIST",
    "description": "GAN with an auxiliary classifier (ACGAN) on DCGAN's networks with 1x1 "
    "convolutions; clothes zero-padded to 32x32.",
    "trained_on": {"data": "fashion_mnist", "split": "train", "num_images": 9_000},
    "data": "9,000 images of Fashion-MNIST (MIT licence), zero-padded to 32x32: a subset whose "
    "grey values are stretched until the brightest pixel of each image is white. Scores are not "
    "comparable with published ones.",
    "classifier": "fashion_mnist",
    "command": "KERAS_BACKEND=tensorflow python applications/gan_fashion_mnist_conditional.py",
    "notes": "Seen: 320,000 images. Samples come from the average of the generator's weights.",
}


def main():
    conditional_recipe.run(__doc__.splitlines()[0], "fashion_mnist", 320_000, METADATA)


if __name__ == "__main__":
    main()
