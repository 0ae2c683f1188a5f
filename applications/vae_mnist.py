"""VAE "mnist": a convolutional VAE with 32 latents on dynamically binarized MNIST, 28x28.

    python applications/vae_mnist.py
    kzoo evaluate weights/vae/mnist --write

Kingma and Welling, Auto-Encoding Variational Bayes, 2014 (arXiv:1312.6114). The second command
measures the likelihood of the test images and writes the model card. The log holds the negative
ELBO of the test images after every epoch; nothing is selected by it.
"""

import keras
import recipe

import kzoo

METADATA = {
    "title": "VAE, MNIST",
    "description": "Variational auto-encoder (Kingma and Welling, 2014, arXiv:1312.6114) with 32 "
    "Gaussian latents and Bernoulli pixels. Encoder: 3x3 convolutions of stride 2 with 32, 64 and "
    "128 channels, a dense layer of 256; decoder: the mirror image with transposed convolutions; "
    "ELU throughout. Deviations from the paper: convolutions, Adam (learning rate 2e-3, cosine "
    "decay to 0) and batches of 100.",
    "command": "python applications/vae_mnist.py",
    "data": "MNIST (TFDS mnist 3.0.1), 28x28, all 60,000 training images, dynamically binarized: "
    "in every epoch a pixel is white anew with the probability of its grey value. The 10,000 test "
    "images are binarized once.",
    "notes": "Sheets show the mean image of p(x|z), in grey, for z drawn from the prior. The "
    "numbers are comparable with others on dynamically (not statically) binarized MNIST.",
}


def main():
    parser = recipe.parser(__doc__.splitlines()[0], 60, "weights/vae/mnist", batch_size=100)
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)
    train = recipe.load(args, "train", binarize="dynamic")
    test = recipe.load(args, "test", binarize="static", batch_size=500)

    model = kzoo.VAE(
        image_shape=(28, 28, 1),
        latent_dim=32,
        likelihood="bernoulli",
        widths=(32, 64, 128),
        kernel_size=3,
        dense_width=256,
        activation="elu",
        seed=args.seed,
    )
    steps = args.epochs * (args.steps_per_epoch or len(train))
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)))
    recipe.fit(args, model, train, validation_data=test)
    model.save_to_preset(args.output, **METADATA)


if __name__ == "__main__":
    main()
