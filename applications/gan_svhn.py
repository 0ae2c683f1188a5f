"""GAN "svhn": DCGAN with the non-saturating loss and a categorical latent, on SVHN.

    KERAS_BACKEND=tensorflow taskset -c 0 python applications/gan_svhn.py

Goodfellow et al. 2014 (arXiv:1406.2661) and Radford et al. 2016 (arXiv:1511.06434), with the 1x1
convolutions of Johnson, Zhang 2018 (arXiv:1801.06309). Chen et al. 2016 (InfoGAN,
arXiv:1606.03657): a categorical latent that is kept in use. Zhao et al. 2020 (arXiv:2006.10738):
in the first part of the training the discriminator sees all images in other colours and places.
Karras et al. 2018 (arXiv:1710.10196): samples from an average of the generator's weights.

Training is counted in images, stops at any time and goes on where it was when it is started again.
"""

import growing_recipe
import keras
import recipe

import kzoo

METADATA = {
    "title": "GAN, SVHN",
    "description": "GAN with the non-saturating loss, a categorical latent (InfoGAN) and augmented "
    "images, on networks with 1x1 convolutions; SVHN, 32x32.",
    "data": "SVHN (TFDS svhn_cropped 3.1.0), 9,000 digits at 32x32: the first 9,000 of the "
    "official test set, no others",
    "command": "KERAS_BACKEND=tensorflow python applications/gan_svhn.py",
    "notes": "",
}


def build(**options):
    return kzoo.GAN(
        image_shape=(32, 32, 3),
        latent_dim=100,
        width=48,
        pointwise=True,
        codes=30,
        information=1.0,
        average_decay=0.999,
        **options,
    )


def compiled(model):
    model.compile(
        d_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
        g_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
    )
    return model


def main():
    parser = recipe.parser(__doc__.splitlines()[0], None, "weights/gan/svhn", data="svhn_cropped")
    parser.add_argument(
        "--augmented", type=int, default=243_200, help="real images seen with augmentation"
    )
    parser.add_argument("--images", type=int, default=192_000, help="real images seen after that")
    args = parser.parse_args()
    images, _ = kzoo.datasets.to_arrays(recipe.load(args, "train", shuffle=False))
    keras.utils.set_random_seed(args.seed)
    keras.config.set_dtype_policy("mixed_bfloat16")
    first = compiled(build(augment="color,translation"))
    growing_recipe.train(args, first, images, args.augmented, args.work / "augmented")
    second = compiled(build())
    second.set_weights(first.get_weights())
    growing_recipe.train(args, second, images, args.images, args.work / "plain")
    keras.config.set_dtype_policy("float32")
    model = build()
    model.set_weights(second.get_weights())
    growing_recipe.settle(model)
    model.save_to_preset(args.output, half_precision=True, **METADATA)


if __name__ == "__main__":
    main()
