"""CFGGAN "mnist": xICFG on MNIST, padded to 32x32, started from the generator of GAN "mnist".

    python applications/gan_mnist.py
    python applications/cfggan_mnist.py

Johnson, Zhang 2018, arXiv:1801.06309: T=15, U=1, N=640, b=64, RMSprop, DCGAN networks of widths
32-64-128. The paper's start from noise takes thousands of stages, which take a GPU; these weights
start from a trained generator and discriminator, with smaller steps and learning rates, for what a
CPU does in half an hour. `--from-noise` runs the paper's settings instead.
"""

import keras
import recipe

import kzoo

METADATA = {
    "title": "CFGGAN, MNIST",
    "description": "xICFG with T=15 on MNIST padded to 32x32, warm-started from GAN mnist.",
    "data": "MNIST (TFDS mnist 3.0.1), 60,000 training images, zero-padded to 32x32",
    "command": "python applications/cfggan_mnist.py",
    "notes": "Four epochs, or 248 stages, on two CPU threads. That is short: GAN mnist, from "
    "which it starts, has the smaller Frechet distance, and the paper trains from noise for "
    "thousands of stages; the recipe's --from-noise is that run, for a GPU.",
}


def main():
    parser = recipe.parser(__doc__.splitlines()[0], 4, "weights/cfggan/mnist")
    parser.add_argument(
        "--from-noise", action="store_true", help="the paper's settings, without a trained GAN"
    )
    parser.add_argument("--gan", default="gan/mnist", help="preset to start from")
    args = parser.parse_args()
    data = recipe.load(args, "train", pad_to=32)
    shared = {"image_shape": (32, 32, 1), "latent_dim": 100, "num_steps": 15, "pool_size": 640}

    def from_noise():
        return kzoo.CFGGAN(**shared, step_size=0.5, approximator_epochs=10, width=32)

    def from_gan():
        gan = kzoo.GAN.from_preset(args.gan)
        return kzoo.CFGGAN(
            **shared,
            step_size=0.003,
            approximator_epochs=5,
            warm_start=True,
            approximator=gan.generator,
            discriminator=gan.discriminator,
        )

    def fit(model):
        rate = 2.5e-4 if args.from_noise else 3e-5
        optimizers = (keras.optimizers.RMSprop(rate, rho=0.95, epsilon=1e-37) for _ in range(2))
        model.compile(*optimizers)
        model.fit(
            data,
            epochs=args.epochs,
            steps_per_epoch=args.steps_per_epoch,
            callbacks=[*recipe.callbacks(args), kzoo.callbacks.SampleGrid(args.work / "samples")],
            verbose=2,
        )

    model = recipe.train(args, from_noise if args.from_noise else from_gan, fit)
    model.save_to_preset(args.output, **METADATA)


if __name__ == "__main__":
    main()
