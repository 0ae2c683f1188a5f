"""CFGGAN "mnist_fc": xICFG with a fully connected approximator on MNIST, padded to 32x32.

    python applications/cfggan_mnist_fc.py --mixed-precision

Johnson, Zhang 2018, arXiv:1801.06309, Algorithm 3 from noise, with the paper's settings for an
approximator of two fully connected layers of 512: T=25, eta=.1, RMSprop with learning rates of
1e-4, U=1, N=640, b=64, against a convolutional discriminator of widths 32-64-128.
"""

import keras
import recipe

import kzoo

METADATA = {
    "title": "CFGGAN, MNIST, fully connected",
    "description": "xICFG (Algorithm 3) with T=25 and a fully connected approximator on MNIST "
    "padded to 32x32.",
    "trained_on": {"data": "mnist", "split": "train", "num_images": 60_000},
    "data": "MNIST (TFDS mnist 3.0.1), 60,000 training images, zero-padded to 32x32",
    "command": "python applications/cfggan_mnist_fc.py --mixed-precision",
    "notes": "740 stages from noise, about an hour on two CPU cores. The scores were still rising: "
    "with a larger --epochs the recipe goes on from its last checkpoint.",
}


def main():
    parser = recipe.parser(
        __doc__.splitlines()[0], 20, "weights/cfggan/mnist_fc", mixed_precision=True
    )
    args = parser.parse_args()
    data = recipe.load(args, "train", pad_to=32)

    def build():
        return kzoo.CFGGAN(
            image_shape=(32, 32, 1),
            latent_dim=100,
            num_steps=25,
            step_size=0.1,
            pool_size=640,
            batch_size=args.batch_size,
            approximator_epochs=10,
            width=32,
            approximator="fully_connected",
        )

    def fit(model):
        rmsprop = {"learning_rate": 1e-4, "rho": 0.95, "epsilon": 1e-37}
        model.compile(
            d_optimizer=keras.optimizers.RMSprop(**rmsprop),
            g_optimizer=keras.optimizers.RMSprop(**rmsprop),
        )
        recipe.fit(args, model, data)

    model = recipe.train(args, build, fit)
    model.save_to_preset(args.output, half_precision=True, **METADATA)


if __name__ == "__main__":
    main()
