"""PixelCNN++ "cifar10": 32 features, 2 residual blocks per stage, 10 components, CIFAR-10, 32x32.

    KERAS_BACKEND=torch taskset -c 0 python applications/pixelcnnpp_cifar10.py  # one core
    kzoo evaluate weights/pixelcnnplusplus/cifar10 --write

Salimans, Karpathy, Chen and Kingma, PixelCNN++, 2017 (arXiv:1701.05517), of a size that one CPU
core trains in two hours. The second command measures the likelihood of the test images and writes
the model card. The log holds that of 1,000 test images after every epoch; nothing is
selected by it. On a CPU with bfloat16, PyTorch trains it fastest.
"""

import keras
import pixel_recipe
import recipe

import kzoo

METADATA = {
    "title": "PixelCNN++, CIFAR-10",
    "description": "PixelCNN++ (Salimans, Karpathy, Chen and Kingma, 2017, arXiv:1701.05517) with "
    "32 features (160 in the paper), 2 residual blocks per stage (5) and 10 mixture components. "
    "Deviations from the paper: no dropout, because so small a model does not overfit in so short "
    "a training; Adam (beta_1 .95, beta_2 .9995) with a learning rate of 2e-3 after a warm-up of "
    "500 updates and a cosine decay to 0; batches of 16; averages of the weights with the momentum "
    ".999 (.9995).",
    "command": "KERAS_BACKEND=torch python applications/pixelcnnpp_cifar10.py",
    "data": "CIFAR-10 (TFDS cifar10 3.0.2), 32x32: 15,000 of the 50,000 training images",
    "notes": "Trained on one CPU core, far from convergence, with bfloat16 activations.",
}
RATE = 2e-3


def build(dtype):
    return kzoo.PixelCNNPlusPlus(
        image_shape=(32, 32, 3),
        filters=32,
        num_resnets=2,
        num_mixtures=10,
        dropout=0.0,
        dtype=dtype,
    )


def main():
    parser = pixel_recipe.parser(
        __doc__.splitlines()[0],
        20,
        "weights/pixelcnnplusplus/cifar10",
        batch_size=16,
        data="cifar10",
    )
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)
    train = recipe.load(args, "train")
    test, _ = kzoo.datasets.to_arrays(recipe.load(args, "test", batch_size=100))

    model = build(args.dtype)
    rate = pixel_recipe.schedule(args, train, RATE)
    adam = keras.optimizers.Adam(rate, beta_1=0.95, beta_2=0.9995, use_ema=True, ema_momentum=0.999)
    model.compile(adam)
    watched = test[: pixel_recipe.WATCHED]
    recipe.fit(
        args, model, train, sheets_every=5, validation_data=watched, validation_batch_size=50
    )
    count = sum(len(batch) for batch in train)
    trained_on = {"data": args.data, "split": "train", "num_images": count}
    metadata = {**METADATA, "trained_on": trained_on}
    pixel_recipe.save(args, model, build, metadata, "val_bits_per_dim", "bits/dim")


if __name__ == "__main__":
    main()
