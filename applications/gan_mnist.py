"""GAN "mnist": DCGAN with the non-saturating loss on MNIST, padded to 32x32.

    python applications/gan_mnist.py

Goodfellow et al. 2014 (arXiv:1406.2661) and Radford et al. 2016 (arXiv:1511.06434). The preset
holds the exponential moving average of the generator's weights.
"""

import keras
import recipe

import kzoo

METADATA = {
    "title": "GAN, MNIST",
    "description": "DCGAN with the non-saturating loss on MNIST padded to 32x32.",
    "data": "MNIST (TFDS mnist 3.0.1), 60,000 training images, zero-padded to 32x32",
    "command": "python applications/gan_mnist.py",
    "notes": "Fifteen epochs on two CPU threads; wider networks, on a GPU, are the next step.",
}


def main():
    parser = recipe.parser(__doc__.splitlines()[0], 15, "weights/gan/mnist")
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)
    data = recipe.load(args, "train", pad_to=32)

    model = kzoo.GAN(image_shape=(32, 32, 1), latent_dim=100, width=32)
    model.compile(
        d_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
        g_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5, use_ema=True, ema_momentum=0.999),
    )
    model.fit(
        data,
        epochs=args.epochs,
        steps_per_epoch=args.steps_per_epoch,
        callbacks=[*recipe.callbacks(args), kzoo.callbacks.SampleGrid(args.work / "samples")],
        verbose=2,
    )
    model.save_to_preset(args.output, **METADATA)


if __name__ == "__main__":
    main()
