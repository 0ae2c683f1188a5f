"""What the recipes of GANs that grow from 32x32 to 64x64 share.

Miyato et al. 2018 (arXiv:1802.05957): hinge loss and spectral normalization of the discriminator.
Zhao et al. 2020 (arXiv:2006.10738): translation of all images that the discriminator sees.
Karras et al. 2018 (arXiv:1710.10196): images of 32x32 first, then networks for 64x64 that grow out
of those, and samples from an average of the generator's weights.

Training is counted in images and can be stopped and continued at any time.
"""

import growing_recipe
import keras
import recipe

import kzoo


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


def run(description, preset, data, images_32, images_64, metadata, mirror_32=True):
    """Parses the command line, trains and saves the preset.

    Args:
        description: one line for `--help`.
        preset: the preset's name, such as "lsun_bedroom".
        data: TFDS name of the data set.
        images_32, images_64: how many real images the published weights have seen at each size.
        metadata: entries of the preset's `metadata.json`.
        mirror_32: whether images are mirrored at random at 32x32, as they are at 64x64.
    """
    parser = recipe.parser(
        description, None, f"weights/gan/{preset}", mixed_precision=True, data=data
    )
    parser.add_argument("--images-32", type=int, default=images_32, help="seen at 32x32")
    parser.add_argument("--images-64", type=int, default=images_64, help="seen at 64x64")
    parser.add_argument("--fade", type=int, default=40_000, help="images of the fade to 64x64")
    args = parser.parse_args()
    images, _ = kzoo.datasets.to_arrays(recipe.load(args, "train", shuffle=False, image_size=64))
    keras.utils.set_random_seed(args.seed)
    if args.mixed_precision:
        keras.config.set_dtype_policy("mixed_bfloat16")
    small = compiled(build(32))
    halves = growing_recipe.halved(images)
    growing_recipe.train(args, small, halves, args.images_32, args.work / "32", mirror=mirror_32)
    large = compiled(build(64, grow_from=small, fade_images=args.fade))
    growing_recipe.train(args, large, images, args.images_64, args.work / "64", mirror=True)
    keras.config.set_dtype_policy("float32")
    model = build(64, grow_from=large)  # without the layers that were faded out
    growing_recipe.settle(model)
    model = growing_recipe.without_average(model)
    model.save_to_preset(args.output, half_precision=True, **metadata)
