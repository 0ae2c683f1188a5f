"""GAN "cifar10_conditional": small photographs of the class that is asked for.

    KERAS_BACKEND=torch python applications/gan_cifar10_conditional.py --mixed-precision

Miyato, Koyama 2018 (arXiv:1802.05637): the projection discriminator, with the hinge loss and
spectral normalization. Zhao et al. 2020 (DiffAugment, arXiv:2006.10738): changed colours, moved and
partly hidden images, since there are few images. Samples come from an average of the
generator's weights. Training is counted in images and can be stopped and continued at any time.
"""

import growing_recipe
import keras
import recipe

import kzoo

METADATA = {
    "title": "Class-conditional GAN, CIFAR-10",
    "description": "GAN with a projection discriminator, hinge loss, spectral normalization and "
    "augmented images; CIFAR-10.",
    "data": "CIFAR-10 (TFDS cifar10 3.0.2), training images",
    "command": "KERAS_BACKEND=torch python applications/gan_cifar10_conditional.py "
    "--mixed-precision",
}


def build(conditioning, width):
    return kzoo.GAN(
        image_shape=(32, 32, 3),
        latent_dim=128,
        width=width,
        num_classes=10,
        conditioning=conditioning,
        generator_loss="hinge",
        augment="color,translation,cutout",
        spectral_normalization=True,
        average_decay=0.999,
        generator="dcgan_4x4",
        discriminator="dcgan_4x4",
    )


def main():
    parser = recipe.parser(
        __doc__.splitlines()[0],
        None,
        "weights/gan/cifar10_conditional",
        mixed_precision=True,
        data="cifar10",
    )
    parser.add_argument("--images", type=int, default=640_000, help="seen in training")
    parser.add_argument("--width", type=int, default=48, help="features next to the image")
    parser.add_argument(
        "--conditioning",
        choices=["projection", "auxiliary", "concatenation"],
        default="projection",
        help="how the discriminator and the label meet",
    )
    args = parser.parse_args()
    data = recipe.load(args, "train", shuffle=False, labels=True)
    images, labels = kzoo.datasets.to_arrays(data)

    def fit(model):
        model.compile(
            d_optimizer=keras.optimizers.Adam(4e-4, beta_1=0.0, beta_2=0.99),
            g_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.99),
        )
        options = {"mirror": True, "labels": labels}
        growing_recipe.train(args, model, images, args.images, args.work, **options)

    model = recipe.train(args, lambda: build(args.conditioning, args.width), fit)
    growing_recipe.settle(model)
    model = growing_recipe.without_average(model)
    metadata = {**METADATA, "data": f"{METADATA['data']}: {len(images):,} of 50,000"}
    metadata["trained_on"] = {"data": "cifar10", "split": "train", "num_images": len(images)}
    model.save_to_preset(args.output, half_precision=True, **metadata)


if __name__ == "__main__":
    main()
