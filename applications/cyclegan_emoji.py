"""CycleGAN "emoji": emoji as Noto draws them to emoji as Twemoji does, and back, 32x32.

    KERAS_BACKEND=torch taskset -c 0 python applications/cyclegan_emoji.py

Zhu et al. 2017 (arXiv:1703.10593), with networks of 12 features next to the image in place of 64,
patches of 34 pixels in place of 70, and batches of 8. The data are pairs, but training draws the
images of the two domains independently. It is counted in images of one domain and can be stopped
and continued at any time. The learning rate is constant in the first half and falls to 0 in the
second, as in the paper.
"""

import growing_recipe
import keras
import numpy as np
import pix2pix_recipe
import recipe
from keras import ops

import kzoo

SIDE, ENLARGED = 32, 36  # pixels; 36 is 32 x 286 / 256, rounded
RATE = 2e-4
NAMES = ("target_image", "input_image")  # of domain b, Twemoji, and of domain a, Noto
METADATA = {
    "title": "CycleGAN, emoji",
    "description": "CycleGAN between Noto's (a) and Twemoji's (b) drawings of emoji, 32x32.",
    "data": "1,693 emoji as Noto Emoji (Apache-2.0) and as many as Twemoji (CC BY 4.0) draw them, "
    "drawn apart from each other, 32x32 on white, cut out of 36x36 at random",
    "command": "KERAS_BACKEND=torch python applications/cyclegan_emoji.py",
}


@keras.saving.register_keras_serializable(package="recipes")
class HalfConstant(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that is constant for half of all updates, and then falls to 0 on a line.

    Args:
        rate: of the first half.
        updates: of the whole training.
    """

    def __init__(self, rate, updates):
        super().__init__()
        self.rate = rate
        self.updates = updates

    def __call__(self, step):
        rest = 1.0 - ops.cast(step, "float32") / self.updates
        return self.rate * ops.clip(2.0 * rest, 0.0, 1.0)

    def get_config(self):
        return {"rate": self.rate, "updates": self.updates}


def build(width):
    return kzoo.CycleGAN((SIDE, SIDE, 3), width=width, receptive_field=34)


def picture(model, b, a):
    """Six columns of a sheet: a, its translation, and back again; then the same from b."""
    to_b, to_a = model.translate(a, to="b"), model.translate(b, to="a")
    columns = [a, to_b, model.translate(to_b, to="a"), b, to_a, model.translate(to_a, to="b")]
    return np.stack(columns, axis=1).reshape(-1, *a.shape[1:])


def main():
    parser = recipe.parser(
        __doc__.splitlines()[0], None, "weights/cyclegan/emoji", batch_size=8, data="emoji_pairs"
    )
    parser.add_argument("--images", type=int, default=60_000, help="of one domain, in training")
    parser.add_argument("--width", type=int, default=12, help="of all networks")
    args = parser.parse_args()
    b, a = pix2pix_recipe.pairs(args, "train", NAMES, ENLARGED)
    held_out = pix2pix_recipe.pairs(args, "test", NAMES, SIDE)
    shown = tuple(part[: pix2pix_recipe.SHOWN] for part in held_out)
    keras.utils.set_random_seed(args.seed)
    model = build(args.width)
    updates = -(-args.images // args.batch_size)
    model.compile(
        *(keras.optimizers.Adam(HalfConstant(RATE, updates), beta_1=0.5) for _ in range(2))
    )
    growing_recipe.train(
        args,
        model,
        b,
        args.images,
        args.work,
        mirror=True,
        sources=a,
        crop=SIDE,
        apart=True,
        shown=shown,
    )
    trained_on = {"data": args.data, "split": "train", "num_images": len(b)}
    model.save_to_preset(args.output, half_precision=True, trained_on=trained_on, **METADATA)
    kzoo.visualization.image_grid(
        picture(model, *shown), columns=12, path=args.output / "translations.png"
    )


if __name__ == "__main__":
    main()
