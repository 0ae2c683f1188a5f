"""CFGGAN "lsun_bedroom": functional gradient steps from a trained GAN's bedrooms of 64x64.

    KERAS_BACKEND=tensorflow python applications/gan_lsun_bedroom.py
    KERAS_BACKEND=tensorflow python applications/cfggan_lsun_bedroom.py

Johnson, Zhang 2018, arXiv:1801.06309, Algorithm 2 (ICFG). G_0 is the GAN's generator, the average
of its weights. The GAN's own discriminator, spectrally normalized, goes on learning against each
G_t at a small learning rate, and gives D_1 .. D_T. At a higher rate it gets too far ahead, and the
steps no longer help. The paper's own run (xICFG from noise, 4-block ResNet, T=15, N=640) takes a
GPU and thousands of stages.
"""

import keras
import recipe

import kzoo

METADATA = {
    "title": "CFGGAN, LSUN bedroom",
    "description": "ICFG (Algorithm 2) with T=3, from the generator of GAN lsun_bedroom, 64x64.",
    "data": "LSUN bedroom (TFDS lsun/bedroom 3.1.0), 9,700 photographs at 64x64 of the 3,033,042 "
    "of the official training set",
    "trained_on": {"data": "lsun/bedroom", "split": "train", "num_images": 9_700},
    "command": "KERAS_BACKEND=tensorflow python applications/gan_lsun_bedroom.py "
    "--mixed-precision --images-32 230400 --images-64 288000\n"
    "KERAS_BACKEND=tensorflow python applications/cfggan_lsun_bedroom.py",
    "notes": "G_0 is GAN lsun_bedroom, and what a person recognizes is its work: the three steps "
    "change the pixels little. What they do to the distances from real photographs stands in "
    "applications/REFINE.md; `kzoo evaluate cfggan/lsun_bedroom --steps 0` scores G_0.",
}


def main():
    parser = recipe.parser(
        __doc__.splitlines()[0], None, "weights/cfggan/lsun_bedroom", data="lsun/bedroom"
    )
    parser.add_argument("--gan", default="gan/lsun_bedroom", help="preset to start from")
    parser.add_argument("--stages", type=int, default=40, help="of T steps each")
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)
    gan = kzoo.GAN.from_preset(args.gan)
    model = kzoo.CFGGAN.refine(
        gan,
        recipe.load(args, "train", image_size=64),
        steps=3,
        stages=args.stages,
        step_size=0.8,
        discriminator=gan.discriminator,
        discriminator_loss="hinge",
        discriminator_steps=2,
        augment="translation",
        augmented_steps=False,
        pool_size=64,
        batch_size=args.batch_size,
        learning_rate=5e-5,
    )
    model.save_to_preset(args.output, half_precision=True, **METADATA)


if __name__ == "__main__":
    main()
