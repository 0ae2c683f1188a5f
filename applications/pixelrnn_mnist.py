"""PixelRNN "mnist_row_lstm" and "mnist_diagonal_bilstm": 7 layers on dynamically binarized MNIST.

    KERAS_BACKEND=jax python applications/pixelrnn_mnist.py --variant row_lstm
    KERAS_BACKEND=jax python applications/pixelrnn_mnist.py --variant diagonal_bilstm
    kzoo evaluate weights/pixelrnn/mnist_diagonal_bilstm --write

van den Oord, Kalchbrenner and Kavukcuoglu, Pixel Recurrent Neural Networks, 2016
(arXiv:1601.06759). The last command measures the likelihood of the test images and writes the
model card. On a CPU, JAX trains these models fastest, in float32.
"""

import argparse
import functools

import pixel_recipe

import kzoo

TITLES = {"row_lstm": "Row LSTM", "diagonal_bilstm": "Diagonal BiLSTM"}
EPOCHS = {"row_lstm": 8, "diagonal_bilstm": 5}


def build(variant, dtype):
    return kzoo.PixelRNN(
        image_shape=(28, 28, 1),
        levels=2,
        variant=variant,
        units=16,
        num_layers=7,
        head_filters=32,
        dtype=dtype,
    )


def metadata(variant):
    return {
        "title": f"PixelRNN, {TITLES[variant]}, MNIST",
        "description": "PixelRNN (van den Oord, Kalchbrenner and Kavukcuoglu, 2016, "
        "arXiv:1601.06759) for binary pixels: a 7x7 convolution with mask A, 7 layers of the "
        f"{TITLES[variant]} with h = 16 and residual connections, two 1x1 convolutions with 32 "
        "features. Deviations from the paper: a learned bias for every row and every column after "
        "the first convolution, forget gates with an initial bias of 1, Adam (learning rate 2e-3 "
        "after a warm-up of 500 updates, cosine decay to 0) and batches of 32.",
        "command": f"KERAS_BACKEND=jax python applications/pixelrnn_mnist.py --variant {variant}",
        "trained_on": {"data": "mnist", "split": "train", "num_images": 60_000},
        "data": pixel_recipe.DATA,
        "notes": pixel_recipe.NOTES,
    }


def main():
    # The variant names the preset, and so the default folders of the other arguments.
    first = argparse.ArgumentParser(add_help=False)
    first.add_argument("--variant", choices=list(TITLES), default="diagonal_bilstm", help="layers")
    variant = first.parse_known_args()[0].variant
    parser = pixel_recipe.parser(
        __doc__.splitlines()[0], EPOCHS[variant], f"weights/pixelrnn/mnist_{variant}", batch_size=32
    )
    parser.add_argument("--variant", choices=list(TITLES), default=variant, help="layers")
    parser.set_defaults(dtype="float32")  # on a CPU, JAX has no fast products in bfloat16
    args = parser.parse_args()
    pixel_recipe.train(args, functools.partial(build, args.variant), metadata(args.variant))


if __name__ == "__main__":
    main()
