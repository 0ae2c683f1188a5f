"""CFGGAN "lsun_bedroom": xICFG on bedrooms of 64x64, from a GAN that is 35 minutes old.

    export FLAGS="--mixed-precision --clock process"
    taskset -c 0 python applications/gan_lsun_bedroom.py $FLAGS --minutes 35 --output runs/bedroom35
    taskset -c 0 python applications/cfggan_lsun_bedroom.py $FLAGS --gan runs/bedroom35

Johnson, Zhang 2018, arXiv:1801.06309, Algorithm 3 with T=10, U=1, N=320 and 4 epochs of the
approximator, on the DCGAN networks with 1x1 convolutions. The paper's run (4-block ResNet, T=15,
N=640, 10 epochs, from noise) takes a GPU and thousands of stages; from noise on one CPU core the
discriminator wins for longer than there is time. Approximator and discriminator are therefore those
of a GAN, whose time counts: GAN "lsun_bedroom" went on as a GAN for as long as this went on as
xICFG.
"""

import keras
import recipe

import kzoo

METADATA = {
    "title": "CFGGAN, LSUN bedroom",
    "description": "xICFG (Algorithm 3) with T=10, convolutional, from a GAN; LSUN bedroom, 64x64.",
    "data": "LSUN bedroom (TFDS lsun/bedroom 3.1.0), 9,700 photographs at 64x64 of the 3,033,042 "
    "of the official training set",
    "command": "python applications/cfggan_lsun_bedroom.py --mixed-precision",
    "notes": "Trained for 35 minutes as GAN lsun_bedroom and 25 minutes with xICFG, on one CPU "
    "core.",
}


def main():
    parser = recipe.parser(
        __doc__.splitlines()[0],
        None,
        "weights/cfggan/lsun_bedroom",
        mixed_precision=True,
        data="lsun/bedroom",
        minutes=25,
    )
    parser.add_argument("--gan", default="runs/bedroom35", help="preset to start from")
    args = parser.parse_args()
    data = recipe.load(args, "train", image_size=64)

    def build():
        gan = kzoo.GAN.from_preset(args.gan)
        return kzoo.CFGGAN(
            image_shape=(64, 64, 3),
            latent_dim=100,
            num_steps=10,
            step_size=0.25,
            pool_size=320,
            batch_size=args.batch_size,
            approximator_epochs=4,
            restart_optimizer=False,
            warm_start=True,
            approximator=gan.generator,
            discriminator=gan.discriminator,
        )

    def fit(model):
        adam = {"learning_rate": 2e-4, "beta_1": 0.5}
        model.compile(
            d_optimizer=keras.optimizers.Adam(**adam),
            g_optimizer=keras.optimizers.Adam(**adam),
        )
        recipe.fit(args, model, data)

    recipe.train(args, build, fit).save_to_preset(args.output, half_precision=True, **METADATA)


if __name__ == "__main__":
    main()
