"""GAN "lsun_bedroom": a spectrally normalized GAN with the hinge loss, on LSUN bedroom.

    KERAS_BACKEND=tensorflow taskset -c 0 python applications/gan_lsun_bedroom.py

Miyato et al. 2018 (arXiv:1802.05957): hinge loss and spectral normalization of the discriminator.
Zhao et al. 2020 (arXiv:2006.10738): translation of all images that the discriminator sees.
Karras et al. 2018 (arXiv:1710.10196): images of 32x32 first, and samples from an average of the
generator's weights.
"""

import growing_recipe
import keras
import recipe

import kzoo

WIDTH, LATENTS = 96, 128


def build(size, width):
    return kzoo.GAN(
        image_shape=(size, size, 3),
        latent_dim=LATENTS,
        width=width,
        generator_loss="hinge",
        augment="translation",
        spectral_normalization=True,
        average_decay=0.999,
        generator="dcgan_4x4",
        discriminator="dcgan_4x4",
    )


def compile(model):
    model.compile(
        d_optimizer=keras.optimizers.Adam(4e-4, beta_1=0.0, beta_2=0.99),
        g_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.99),
    )


def main():
    parser = recipe.parser(
        __doc__.splitlines()[0], None, "weights/gan/lsun_bedroom", data="lsun/bedroom"
    )
    parser.add_argument("--images-32", type=int, default=400_000, help="seen at 32x32")
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)
    keras.config.set_dtype_policy("mixed_bfloat16")
    data = recipe.load(args, "train", shuffle=False, image_size=64)
    images, _ = kzoo.datasets.to_arrays(data)
    small = build(32, WIDTH)
    compile(small)
    growing_recipe.train(
        args, small, growing_recipe.halved(images), args.images_32, args.work / "32"
    )


if __name__ == "__main__":
    main()
