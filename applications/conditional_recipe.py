"""What the recipes of class-conditional GANs on grey images of 28x28 share.

Odena et al. 2017 (ACGAN, arXiv:1610.09585): the discriminator also says which class an image has.
Johnson, Zhang 2018 (arXiv:1801.06309): DCGAN's networks with 1x1 convolutions. Training is counted
in images and can be stopped and continued at any time.
"""

import growing_recipe
import keras
import recipe

import kzoo


def build(conditioning):
    return kzoo.GAN(
        image_shape=(32, 32, 1),
        latent_dim=100,
        width=32,
        pointwise=True,
        num_classes=10,
        conditioning=conditioning,
        average_decay=0.999,
    )


def run(description, data, images, metadata):
    """Parses the command line, trains and saves the preset `<data>_conditional`.

    Args:
        description: one line for `--help`.
        data: TFDS name of images of 28x28 with ten classes; they are zero-padded to 32x32.
        images: how many real images the published weights have seen.
        metadata: entries of the preset's `metadata.json`.
    """
    parser = recipe.parser(description, None, f"weights/gan/{data}_conditional", data=data)
    parser.add_argument("--images", type=int, default=images, help="seen in training")
    parser.add_argument(
        "--conditioning",
        choices=["auxiliary", "projection", "concatenation"],
        default="auxiliary",
        help="how the discriminator and the label meet",
    )
    args = parser.parse_args()
    loaded = recipe.load(args, "train", shuffle=False, pad_to=32, labels=True)
    real, labels = kzoo.datasets.to_arrays(loaded)
    keras.utils.set_random_seed(args.seed)
    model = build(args.conditioning)
    model.compile()
    growing_recipe.train(args, model, real, args.images, args.work, labels=labels)
    growing_recipe.settle(model)
    model.save_to_preset(args.output, half_precision=True, **metadata)
