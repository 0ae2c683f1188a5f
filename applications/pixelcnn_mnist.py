"""PixelCNN "mnist": 8 residual blocks with h = 48 on dynamically binarized MNIST, 28x28.

    python applications/pixelcnn_mnist.py
    kzoo evaluate weights/pixelcnn/mnist --write

van den Oord, Kalchbrenner and Kavukcuoglu, Pixel Recurrent Neural Networks, 2016
(arXiv:1601.06759). The second command measures the likelihood of the test images and writes the
model card. The log holds the test images' likelihood after every epoch; nothing is selected by it.
"""

import keras
import recipe

import kzoo

METADATA = {
    "title": "PixelCNN, MNIST",
    "description": "PixelCNN (van den Oord, Kalchbrenner and Kavukcuoglu, 2016, arXiv:1601.06759) "
    "for binary pixels: a 7x7 convolution with mask A, 8 residual blocks with h = 48 and mask B, "
    "two 1x1 convolutions with 64 features. Deviations from the paper: a learned bias for every "
    "row and every column after the first convolution, Adam (learning rate 2e-3 after a warm-up "
    "of 500 updates, cosine decay to 0) and batches of 64.",
    "command": "python applications/pixelcnn_mnist.py",
    "data": "MNIST (TFDS mnist 3.0.1), 28x28, all 60,000 training images, dynamically binarized: "
    "in every epoch a pixel is white anew with the probability of its grey value. The 10,000 test "
    "images are binarized once.",
    "notes": "The likelihood is exact. It is comparable with others on dynamically (not "
    "statically) binarized MNIST. Trained with bfloat16 activations, stored in float32.",
}


def main():
    parser = recipe.parser(__doc__.splitlines()[0], 12, "weights/pixelcnn/mnist", batch_size=64)
    parser.add_argument(
        "--dtype",
        default="mixed_bfloat16",
        help="Keras dtype policy of the training; the preset is float32 in any case",
    )
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)
    train = recipe.load(args, "train", binarize="dynamic")
    test = recipe.load(args, "test", binarize="static", batch_size=100)
    test, _ = kzoo.datasets.to_arrays(test)

    model = kzoo.PixelCNN(
        image_shape=(28, 28, 1),
        levels=2,
        filters=48,
        num_blocks=8,
        head_filters=64,
        dtype=args.dtype,
    )
    steps = args.epochs * (args.steps_per_epoch or len(train))
    warmup = min(500, steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        2e-4, steps - warmup, warmup_target=2e-3, warmup_steps=warmup
    )
    model.compile(keras.optimizers.Adam(rate))
    recipe.fit(args, model, train, validation_data=test, validation_batch_size=100)
    preset = kzoo.PixelCNN.from_config({**model.get_config(), "dtype": "float32"})
    preset.set_weights(model.get_weights())
    preset.save_to_preset(args.output, **METADATA)


if __name__ == "__main__":
    main()
