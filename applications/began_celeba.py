"""BEGAN "celeba": faces by an autoencoder and a generator in balance, at 64x64.

    KERAS_BACKEND=tensorflow taskset -c 0 python applications/began_celeba.py

Berthelot et al. 2017 (arXiv:1703.10717): Adam with 1e-4 on batches of 16, halved when the measure
of convergence M stalls. Deviations: far fewer features and one convolution in place of two at every
size, which is what a CPU can train; samples come from an average of the generator's weights.

Photographs are cropped to a square around the centre, resized to 64x64, and mirrored at random.
Training is counted in images and can be stopped and continued at any time.
"""

import growing_recipe
import keras
import recipe

import kzoo

RATE = 1e-4
PATIENCE = 25  # epochs of 100 updates: 40,000 images
METADATA = {
    "title": "BEGAN, CelebA",
    "description": "Boundary equilibrium GAN; 64x64 faces of CelebA.",
    "data": "the first 9,000 photographs of CelebA, at half their size, cropped to a square around "
    "the centre and resized to 64x64",
    "trained_on": {"data": "celeb_a_small", "split": "train", "num_images": 9_000},
    "command": "KERAS_BACKEND=tensorflow python applications/began_celeba.py",
    "notes": "Trained on photographs of real people, which were collected for non-commercial "
    "research. Generated faces only are shown.",
}


def build(width):
    return kzoo.BEGAN(
        image_shape=(64, 64, 3),
        latent_dim=64,
        gamma=0.5,
        width=width,
        repeats=1,
        average_decay=0.999,
    )


def main():
    parser = recipe.parser(
        __doc__.splitlines()[0], None, "weights/began/celeba", batch_size=16, data="celeb_a_small"
    )
    parser.add_argument("--images", type=int, default=200_000, help="seen in training")
    parser.add_argument("--width", type=int, default=24, help="features next to the image")
    args = parser.parse_args()
    images, _ = kzoo.datasets.to_arrays(recipe.load(args, "train", shuffle=False, image_size=64))
    keras.utils.set_random_seed(args.seed)
    model = build(args.width)
    model.compile(keras.optimizers.Adam(RATE), keras.optimizers.Adam(RATE))
    halve = keras.callbacks.ReduceLROnPlateau(
        "convergence", mode="min", factor=0.5, patience=PATIENCE
    )
    options = {"mirror": True, "further_callbacks": [halve]}
    growing_recipe.train(args, model, images, args.images, args.work, **options)
    smaller = growing_recipe.without_average(model)
    smaller.k.assign(model.k)
    notes = (
        f"Seen: {args.images:,} images. The weights of the generator are their average over "
        f"training, with a decay of .999. {METADATA['notes']}"
    )
    facts = {**METADATA, "notes": notes}
    smaller.save_to_preset(args.output, half_precision=True, **facts)


if __name__ == "__main__":
    main()
