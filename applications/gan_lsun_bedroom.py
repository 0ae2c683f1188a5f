"""GAN "lsun_bedroom": a spectrally normalized GAN with the hinge loss, on LSUN bedroom.

    KERAS_BACKEND=tensorflow taskset -c 0 python applications/gan_lsun_bedroom.py

Miyato et al. 2018 (arXiv:1802.05957): hinge loss and spectral normalization of the discriminator.
Zhao et al. 2020 (arXiv:2006.10738): translation of all images that the discriminator sees.
Karras et al. 2018 (arXiv:1710.10196): images of 32x32 first, then networks for 64x64 that grow out
of those, and samples from an average of the generator's weights.

Training is counted in images, stops at any time and goes on where it was when it is started again.
"""

import growing_recipe
import keras
import recipe

import kzoo

METADATA = {
    "title": "GAN, LSUN bedroom",
    "description": "GAN with hinge loss, spectral normalization and translated images; grown from "
    "32x32 to 64x64; LSUN bedroom.",
    "data": "LSUN bedroom (TFDS lsun/bedroom 3.1.0), 9,700 photographs at 64x64 of the 3,033,042 "
    "of the official training set",
    "command": "KERAS_BACKEND=tensorflow python applications/gan_lsun_bedroom.py "
    "--images-32 230400 --images-64 288000",
    "notes": "Seen: 230,400 images at 32x32, then 288,000 at 64x64 of the 800,000 that the recipe "
    "takes by default; about two hours of one CPU core in bfloat16. Beds, windows and corners can "
    "be recognized in most samples; some are a muddle of textures. Samples come from the average "
    "of the generator's weights.",
}


def build(size, **options):
    """The model; the features at every size of map are those of the networks for 32x32."""
    return kzoo.GAN(
        image_shape=(size, size, 3),
        latent_dim=128,
        width=96 * 32 // size,
        generator_loss="hinge",
        augment="translation",
        spectral_normalization=True,
        average_decay=0.999,
        generator="dcgan_4x4",
        discriminator="dcgan_4x4",
        **options,
    )


def compiled(model):
    model.compile(
        d_optimizer=keras.optimizers.Adam(4e-4, beta_1=0.0, beta_2=0.99),
        g_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.99),
    )
    return model


def main():
    parser = recipe.parser(
        __doc__.splitlines()[0], None, "weights/gan/lsun_bedroom", data="lsun/bedroom"
    )
    parser.add_argument("--images-32", type=int, default=400_000, help="seen at 32x32")
    parser.add_argument("--images-64", type=int, default=800_000, help="seen at 64x64")
    parser.add_argument("--fade", type=int, default=40_000, help="images of the fade to 64x64")
    args = parser.parse_args()
    images, _ = kzoo.datasets.to_arrays(recipe.load(args, "train", shuffle=False, image_size=64))
    keras.utils.set_random_seed(args.seed)
    keras.config.set_dtype_policy("mixed_bfloat16")
    small = compiled(build(32))
    growing_recipe.train(
        args, small, growing_recipe.halved(images), args.images_32, args.work / "32"
    )
    large = compiled(build(64, grow_from=small, fade_images=args.fade))
    growing_recipe.train(args, large, images, args.images_64, args.work / "64", mirror=True)
    keras.config.set_dtype_policy("float32")
    model = build(64, grow_from=large)  # without the layers that were faded out
    growing_recipe.settle(model)
    model.save_to_preset(args.output, half_precision=True, **METADATA)


if __name__ == "__main__":
    main()
