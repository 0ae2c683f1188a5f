"""CFGGAN "lsun_bedroom": ICFG on bedrooms of 64x64, from a young GAN.

    taskset -c 0 python applications/gan_lsun_bedroom.py --mixed-precision --clock process
    taskset -c 0 python applications/cfggan_lsun_bedroom.py --mixed-precision

Johnson, Zhang 2018, arXiv:1801.06309, Algorithm 2 with T=15, U=10 and eta=.25: the generator of the
GAN is G_0, its discriminator, trained on against each G_t, gives D_1 .. D_15. The GAN is far from
done, its discriminator wins, and so the functional gradient steps have much to add. The paper's run
(xICFG from noise, 4-block ResNet, T=15, N=640) takes a GPU and thousands of stages: `--from-noise`.
"""

import keras
import recipe

import kzoo

METADATA = {
    "title": "CFGGAN, LSUN bedroom",
    "description": "ICFG (Algorithm 2) with T=15, from the generator of GAN lsun_bedroom, 64x64.",
    "data": "LSUN bedroom (TFDS lsun/bedroom 3.1.0), 9,700 photographs at 64x64 of the 3,033,042 "
    "of the official training set",
    "command": "python applications/cfggan_lsun_bedroom.py --mixed-precision",
    "notes": "One stage from GAN lsun_bedroom, no distillation.",
}


def main():
    parser = recipe.parser(
        __doc__.splitlines()[0],
        1,
        "weights/cfggan/lsun_bedroom",
        mixed_precision=True,
        data="lsun/bedroom",
    )
    parser.add_argument("--gan", default="gan/lsun_bedroom", help="preset to start from")
    parser.add_argument(
        "--from-noise", action="store_true", help="the paper's settings, without a trained GAN"
    )
    args = parser.parse_args()
    data = recipe.load(args, "train", image_size=64)
    shared = {"image_shape": (64, 64, 3), "num_steps": 15, "batch_size": args.batch_size}

    def from_noise():
        networks = {"approximator": "resnet", "discriminator": "resnet", "width": 64}
        return kzoo.CFGGAN(**shared, **networks, step_size=1.0)

    def from_gan():
        gan = kzoo.GAN.from_preset(args.gan)
        return kzoo.CFGGAN(
            **shared,
            discriminator_steps=10,
            step_size=0.25,
            algorithm="icfg",
            warm_start=True,
            approximator=gan.generator,
            discriminator=gan.discriminator,
        )

    def fit(model):
        if args.from_noise:
            model.compile()  # the paper's RMSprop
        else:
            model.compile(d_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5))
            args.steps_per_epoch = args.steps_per_epoch or 1  # one stage
        recipe.fit(args, model, data)

    model = recipe.train(args, from_noise if args.from_noise else from_gan, fit)
    model.save_to_preset(args.output, half_precision=True, **METADATA)


if __name__ == "__main__":
    main()
