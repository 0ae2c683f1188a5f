"""What the recipes of pix2pix share: pairs with jitter, training counted in images, a picture.

Section 6.2 of Isola et al. 2017 (arXiv:1611.07004): images are enlarged by 286/256, and a square of
the original size is cut out at random; half of them are mirrored.
"""

import growing_recipe
import numpy as np
import recipe

import kzoo

SIDE, ENLARGED = 64, 72  # pixels; 72 is 64 x 286 / 256, rounded
SHOWN = 32  # test images of the picture


def parser(description, output, data, images, width):
    """The arguments of a recipe.

    Args:
        description: one line for `--help`.
        output: default folder of the preset.
        data: TFDS name of the pairs.
        images: how many pairs training sees, by default.
        width: of both networks, by default.
    """
    arguments = recipe.parser(description, None, output, 8, mixed_precision=True, data=data)
    arguments.add_argument("--images", type=int, default=images, help="pairs seen in training")
    arguments.add_argument("--width", type=int, default=width, help="of both networks")
    arguments.add_argument(
        "--gan-weight", type=float, default=1.0, help="0 for the baseline with L1 alone"
    )
    arguments.add_argument(
        "--augment", help='of what D sees, such as "color,translation,cutout"; none if not given'
    )
    arguments.add_argument(
        "--average-decay",
        type=float,
        default=0.999,
        help="of the average of the generator's weights",
    )
    return arguments


def pairs(args, split, names, side):
    """`(images, sources)` of a split, uint8 (n, side, side, 3).

    Args:
        args: what `parser` parsed.
        split: "train" or "test".
        names: of the features, the images' and the sources'.
        side: of the images, in pixels.
    """
    data = recipe.load(args, split, shuffle=False, features=names, image_size=side)
    arrays = kzoo.datasets.to_arrays(data)
    return tuple(arrays[name] for name in names)


def build(args, **options):
    options |= {"width": args.width, "gan_weight": args.gan_weight, "augment": args.augment}
    return kzoo.Pix2Pix((SIDE, SIDE, 3), **options)


def run(args, train_split, names, metadata, data_may_be_shown=False):
    """Trains a model and saves it as a preset, with a picture of translated test images.

    Args:
        args: what `parser` parsed.
        train_split: such as "train".
        names: of the features, the images' and the sources'.
        metadata: of the preset, for `save_to_preset`.
        data_may_be_shown: whether the picture shows sources and real images beside the translated.
    """
    images, sources = pairs(args, train_split, names, ENLARGED)
    held_out = pairs(args, "test", names, SIDE)
    shown = tuple(part[:SHOWN] for part in held_out)

    def fit(model):
        model.compile()
        growing_recipe.train(
            args,
            model,
            images,
            args.images,
            args.work,
            mirror=True,
            sources=sources,
            crop=SIDE,
            shown=shown,
        )

    model = recipe.train(args, lambda: build(args, average_decay=args.average_decay), fit)
    if args.average_decay:
        model = growing_recipe.without_average(model)
    trained_on = {"data": args.data, "split": train_split, "num_images": len(images)}
    notes = (
        f"Seen: {args.images:,} images. The weights of the generator are their average over "
        f"training, with a decay of {args.average_decay}."
    )
    facts = {"trained_on": trained_on, "notes": notes, **metadata}
    model.save_to_preset(args.output, half_precision=True, **facts)
    kzoo.visualization.image_grid(
        *picture(model, *shown, data_may_be_shown), path=args.output / "translations.png"
    )


def picture(model, images, sources, with_data):
    """`(images, columns)` of a sheet: source, translation and real image, or translations only."""
    made = model.generate(sources=sources, seed=0)
    if not with_data:
        return made, 8
    return np.stack([sources, made, images], axis=1).reshape(-1, *made.shape[1:]), 12
