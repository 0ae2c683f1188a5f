"""GAN "mnist_conditional": digits of the class that is asked for, by an auxiliary classifier.

    KERAS_BACKEND=torch taskset -c 0 python applications/gan_mnist_conditional.py

Odena et al. 2017 (ACGAN, arXiv:1610.09585): the discriminator also says which digit an image shows.
Johnson, Zhang 2018 (arXiv:1801.06309): DCGAN's networks with 1x1 convolutions. Training is counted
in images and can be stopped and continued at any time.
"""

import growing_recipe
import keras
import recipe

import kzoo

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


def build(conditioning):
    return kzoo.GAN(
        image_shape=(32, 32, 1),
        latent_dim=100,
        width=32,
        pointwise=True,
        num_classes=10,
        conditioning=conditioning,
        average_decay=0.999,
    )


def main():
    parser = recipe.parser(__doc__.splitlines()[0], None, "weights/gan/mnist_conditional")
    parser.add_argument("--images", type=int, default=320_000, help="seen in training")
    parser.add_argument(
        "--conditioning",
        choices=["auxiliary", "projection", "concatenation"],
        default="auxiliary",
        help="how the discriminator and the label meet",
    )
    args = parser.parse_args()
    data = recipe.load(args, "train", shuffle=False, pad_to=32, labels=True)
    images, labels = kzoo.datasets.to_arrays(data)
    keras.utils.set_random_seed(args.seed)
    model = build(args.conditioning)
    model.compile()
    growing_recipe.train(args, model, images, args.images, args.work, labels=labels)
    growing_recipe.settle(model)
    model.save_to_preset(args.output, half_precision=True, **METADATA)


if __name__ == "__main__":
    main()
