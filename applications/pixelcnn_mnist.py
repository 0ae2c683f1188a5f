"""PixelCNN "mnist": 8 residual blocks with h = 48 on dynamically binarized MNIST, 28x28.

    KERAS_BACKEND=torch python applications/pixelcnn_mnist.py
    KERAS_BACKEND=torch python applications/pixelcnn_mnist.py --start weights/pixelcnn/mnist \\
        --batch-size 32 --epochs 7 --work runs/pixelcnn-mnist-2
    kzoo evaluate weights/pixelcnn/mnist --write

van den Oord, Kalchbrenner and Kavukcuoglu, Pixel Recurrent Neural Networks, 2016
(arXiv:1601.06759). The second command goes on from the weights of the first one, in smaller
batches. The last one measures the likelihood of the test images and writes the model card. On a
CPU with bfloat16, PyTorch trains it fastest.
"""

import pixel_recipe

import kzoo

METADATA = {
    "title": "PixelCNN, MNIST",
    "description": "PixelCNN (van den Oord, Kalchbrenner and Kavukcuoglu, 2016, arXiv:1601.06759) "
    "for binary pixels: a 7x7 convolution with mask A, 8 residual blocks with h = 48 and mask B, "
    "two 1x1 convolutions with 64 features. Deviations from the paper: a learned bias for every "
    "row and every column after the first convolution, Adam (learning rate 2e-3 after a warm-up "
    "of 500 updates, cosine decay to 0; then the same from 1e-3) and batches of 64 (then 32).",
    "command": "KERAS_BACKEND=torch python applications/pixelcnn_mnist.py\n"
    "KERAS_BACKEND=torch python applications/pixelcnn_mnist.py --start weights/pixelcnn/mnist "
    "--batch-size 32 --epochs 7 --work runs/pixelcnn-mnist-2",
    "trained_on": {"data": "mnist", "split": "train", "num_images": 60_000},
    "data": pixel_recipe.DATA,
    "notes": pixel_recipe.NOTES + " Trained with bfloat16 activations: 10 "
    "epochs in batches of 64, then 7 in batches of 32.",
}


def build(dtype):
    return kzoo.PixelCNN(
        image_shape=(28, 28, 1),
        levels=2,
        filters=48,
        num_blocks=8,
        head_filters=64,
        dtype=dtype,
    )


def main():
    parser = pixel_recipe.parser(
        __doc__.splitlines()[0], 10, "weights/pixelcnn/mnist", batch_size=64
    )
    parser.add_argument("--start", help="preset whose weights are taken")
    args = parser.parse_args()
    if args.start is None:
        pixel_recipe.train(args, build, METADATA)
    else:
        start = kzoo.PixelCNN.from_preset(args.start)
        pixel_recipe.train(args, build, METADATA, rate=1e-3, start=start)


if __name__ == "__main__":
    main()
