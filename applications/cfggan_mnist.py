"""CFGGAN "mnist": ICFG on MNIST, padded to 32x32, from the generator of GAN "mnist".

    python applications/gan_mnist.py --mixed-precision
    python applications/cfggan_mnist.py

Johnson, Zhang 2018, arXiv:1801.06309, Algorithm 2 with T=15 and U=20: the GAN's generator is G_0
and its discriminator, trained on between the steps, gives D_1 .. D_15. That discriminator is steep
(its gradient has a norm of 20 to 30), and so the step is short; s(x) = sigmoid(-D(x)) leaves images
alone that look real already. `--from-noise` runs the paper's Algorithm 3 (xICFG) instead: T=15,
U=1, N=640, b=64, RMSprop, DCGAN networks of widths 32-64-128. It takes thousands of stages, and so
a GPU; `cfggan_mnist_fc.py` is a run from noise for a CPU.
"""

import keras
import recipe

import kzoo

METADATA = {
    "title": "CFGGAN, MNIST",
    "description": "ICFG with T=15 on MNIST padded to 32x32, from the generator of GAN mnist.",
    "data": "MNIST (TFDS mnist 3.0.1), 60,000 training images, zero-padded to 32x32",
    "command": "python applications/cfggan_mnist.py",
    "notes": "The approximator is the generator of GAN mnist, unchanged: three stages of ICFG, no "
    "distillation. So t = 0 is that GAN, whose scores are near those of real images, and what the "
    "15 functional gradient steps add is next to nothing: less than the scores differ from one "
    "seed to the next. CFGGAN mnist_fc is trained from noise and shows the growth.",
}


def main():
    parser = recipe.parser(__doc__.splitlines()[0], 1, "weights/cfggan/mnist", mixed_precision=True)
    parser.add_argument(
        "--from-noise", action="store_true", help="the paper's settings, without a trained GAN"
    )
    parser.add_argument("--gan", default="gan/mnist", help="preset to start from")
    args = parser.parse_args()
    data = recipe.load(args, "train", pad_to=32)
    shared = {
        "image_shape": (32, 32, 1),
        "latent_dim": 100,
        "num_steps": 15,
        "pool_size": 640,
        "batch_size": args.batch_size,
    }

    def from_noise():
        return kzoo.CFGGAN(**shared, step_size=0.5, approximator_epochs=10, width=32)

    def from_gan():
        gan = kzoo.GAN.from_preset(args.gan)
        return kzoo.CFGGAN(
            **shared,
            discriminator_steps=20,
            step_size=1e-4,
            scaling="non_saturating",
            algorithm="icfg",
            warm_start=True,
            approximator=gan.generator,
            discriminator=gan.discriminator,
        )

    def fit(model):
        if args.from_noise:
            model.compile()  # the paper's RMSprop
        else:
            model.compile(d_optimizer=keras.optimizers.Adam(1e-5, beta_1=0.5))
        recipe.fit(args, model, data)

    model = recipe.train(args, from_noise if args.from_noise else from_gan, fit)
    model.save_to_preset(args.output, **METADATA)


if __name__ == "__main__":
    main()
