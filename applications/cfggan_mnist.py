"""CFGGAN "mnist": convolutional xICFG from noise on MNIST, padded to 32x32.

    taskset -c 0 python applications/cfggan_mnist.py --mixed-precision  # one core

The shipped weights were trained in three runs, `--epochs 18`, `--epochs 30` and `--epochs 60`, each
going on from the one before.

Johnson, Zhang 2018, arXiv:1801.06309, Algorithm 3 from noise with T=15 and U=1 on the paper's DCGAN
networks of widths 32-64-128. Under the paper's other settings (eta=.5, N=640, 10 epochs of the
approximator, RMSprop at 2.5e-4) the discriminator stays ahead for longer than a CPU can train. So
steps are shorter here (eta=.25), a pool has N=320 latents and 4 epochs, and Adam at 2e-4 keeps its
averages from stage to stage. In the second half the learning rates fall to 0 along a cosine.
"""

import keras
import recipe

import kzoo

RATE = 2e-4
METADATA = {
    "title": "CFGGAN, MNIST",
    "description": "xICFG (Algorithm 3) from noise with T=15, convolutional, on MNIST padded to "
    "32x32.",
    "trained_on": {"data": "mnist", "split": "train", "num_images": 60_000},
    "data": "MNIST (TFDS mnist 3.0.1), 60,000 training images, zero-padded to 32x32",
    "command": "python applications/cfggan_mnist.py --mixed-precision",
    "notes": "Trained from noise on one CPU core.",
}


def main():
    parser = recipe.parser(
        __doc__.splitlines()[0], 18, "weights/cfggan/mnist", mixed_precision=True
    )
    args = parser.parse_args()
    data = recipe.load(args, "train", pad_to=32)

    def build():
        return kzoo.CFGGAN(
            image_shape=(32, 32, 1),
            latent_dim=100,
            num_steps=15,
            step_size=0.25,
            pool_size=320,
            batch_size=args.batch_size,
            approximator_epochs=4,
            restart_optimizer=False,
            width=32,
        )

    def fit(model):
        model.compile(
            d_optimizer=keras.optimizers.Adam(RATE, beta_1=0.5),
            g_optimizer=keras.optimizers.Adam(RATE, beta_1=0.5),
        )
        recipe.fit(args, model, data, [recipe.CosineTail(RATE, args.epochs)])

    recipe.train(args, build, fit).save_to_preset(args.output, half_precision=True, **METADATA)


if __name__ == "__main__":
    main()
