"""CFGGAN "mnist": xICFG with the paper's convolutional networks on MNIST, padded to 32x32.

    python applications/cfggan_mnist.py

Johnson, Zhang 2018, arXiv:1801.06309: T=15, U=1, N=640, b=64, eta=.5, RMSprop at 2.5e-4, the
DCGAN extension with widths 32-64-128. An epoch is 62 stages of 960 images each.
"""

import keras
import recipe

import kzoo


def main():
    parser = recipe.parser(__doc__.splitlines()[0], 24, "weights/cfggan/mnist")
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)
    data = recipe.load(args, "train", pad_to=32)

    model = kzoo.CFGGAN(
        image_shape=(32, 32, 1),
        latent_dim=100,
        num_steps=15,
        discriminator_steps=1,
        step_size=0.5,
        pool_size=640,
        batch_size=args.batch_size,
        approximator_epochs=10,
        width=32,
    )
    model.compile()  # RMSprop(2.5e-4, rho=.95) for both networks
    model.fit(
        data,
        epochs=args.epochs,
        steps_per_epoch=args.steps_per_epoch,
        callbacks=[*recipe.callbacks(args), kzoo.callbacks.SampleGrid(args.work / "samples")],
        verbose=2,
    )
    model.save_to_preset(args.output)


if __name__ == "__main__":
    main()
