"""Autoencoder "mnist": a convolutional autoencoder with codes of 32 numbers on MNIST, 28x28.

    python applications/autoencoder_mnist.py
    kzoo evaluate weights/autoencoder/mnist --write

The recipe measures principal component analysis with as many numbers per image on the same images,
the linear autoencoder's optimum, and writes a sheet of test images and their reconstructions. The
second command measures the reconstructions of the test images and writes the model card. The log
holds the loss of the test images after every epoch; nothing is selected by it.
"""

import keras
import numpy as np
import recipe

import kzoo

METADATA = {
    "title": "Autoencoder, MNIST",
    "description": "Convolutional autoencoder with codes of 32 numbers and squared error. Encoder: "
    "3x3 convolutions of stride 2 with 16, 32 and 64 channels, a dense layer of 256, a linear "
    "code; decoder: the mirror image with up-convolutions; ELU throughout. Adam (learning rate "
    "2e-3, cosine decay to 0), batches of 100.",
    "command": "python applications/autoencoder_mnist.py",
    "trained_on": {"data": "mnist", "split": "train", "num_images": 60_000},
    "data": "MNIST (TFDS mnist 3.0.1), 28x28 grey images, all 60,000 training images; the 10,000 "
    "test images for the scores.",
}


def pca_mse(train, test, dim):
    """The mean squared error of a pixel, in units of [0, 1], that PCA leaves on test images."""
    train, test = (images.reshape(len(images), -1) / 255.0 for images in (train, test))
    mean = train.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov(train.T))  # ascending eigenvalues
    basis = vectors[:, -dim:]
    centred = test - mean
    return float(np.mean((centred - centred @ basis @ basis.T) ** 2))


def main():
    parser = recipe.parser(__doc__.splitlines()[0], 20, "weights/autoencoder/mnist", batch_size=100)
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)
    train = recipe.load(args, "train")
    test = recipe.load(args, "test", batch_size=500)

    model = kzoo.Autoencoder(
        image_shape=(28, 28, 1), latent_dim=32, widths=(16, 32, 64), seed=args.seed
    )
    steps = args.epochs * (args.steps_per_epoch or len(train))
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)))
    recipe.fit(args, model, train, validation_data=test)

    (images, _), (test_images, _) = map(kzoo.datasets.to_arrays, (train, test))
    mse = pca_mse(images, test_images, model.latent_dim)
    notes = (
        f"Principal component analysis with {model.latent_dim} numbers per image, fitted to the "
        f"same training images, leaves an mse of {mse:.5f} on the test images (printed by the "
        "recipe). The sheet alternates rows of test images and their reconstructions. There is no "
        "distribution of codes, and so no generate()."
    )
    print(f"mse of PCA with {model.latent_dim} components: {mse:.5f}")
    model.save_to_preset(args.output, half_precision=True, notes=notes, **METADATA)
    kzoo.visualization.reconstruction_sheet(
        model, test_images[:32], scale=2, path=args.output / "reconstructions.png"
    )


if __name__ == "__main__":
    main()
