"""GatedPixelCNN "mnist": 9 gated layers with 32 features on dynamically binarized MNIST, 28x28.

    KERAS_BACKEND=torch python applications/gated_pixelcnn_mnist.py
    kzoo evaluate weights/gatedpixelcnn/mnist --write

van den Oord et al., Conditional Image Generation with PixelCNN Decoders, 2016 (arXiv:1606.05328).
The second command measures the likelihood of the test images and writes the model card. On a CPU
with bfloat16, PyTorch trains it fastest.
"""

import pixel_recipe

import kzoo

METADATA = {
    "title": "GatedPixelCNN, MNIST",
    "description": "Gated PixelCNN (van den Oord et al., 2016, arXiv:1606.05328) for binary "
    "pixels: a 7x7 layer and 8 layers with 3x3 kernels, 32 features in either stack, skip "
    "connections with 32 features. Deviations from the paper: a learned bias for every row and "
    "every column in the first layer, Adam (learning rate 2e-3 after a warm-up of 500 updates, "
    "cosine decay to 0) and batches of 32.",
    "command": "KERAS_BACKEND=torch python applications/gated_pixelcnn_mnist.py",
    "trained_on": {"data": "mnist", "split": "train", "num_images": 60_000},
    "data": pixel_recipe.DATA,
    "notes": pixel_recipe.NOTES + " Trained with bfloat16 activations.",
}


def build(dtype, num_classes=None):
    return kzoo.GatedPixelCNN(
        image_shape=(28, 28, 1),
        levels=2,
        filters=32,
        num_layers=8,
        head_filters=32,
        num_classes=num_classes,
        dtype=dtype,
    )


def main():
    parser = pixel_recipe.parser(
        __doc__.splitlines()[0], 6, "weights/gatedpixelcnn/mnist", batch_size=32
    )
    pixel_recipe.train(parser.parse_args(), build, METADATA)


if __name__ == "__main__":
    main()
