"""Pix2Pix "emoji": emoji as Noto draws them to emoji as Twemoji does, 64x64.

    KERAS_BACKEND=tensorflow taskset -c 0 python applications/pix2pix_emoji.py --mixed-precision

Isola et al. 2017 (arXiv:1611.07004), with networks of 24 features next to the image in place of 64,
and batches of 8. There are only 1,693 pairs. So D sees them, and G's images, in random colours and
places and with a part cut out (Zhao et al. 2020, arXiv:2006.10738). Training is counted in images
and can be stopped and continued at any time.
`--gan-weight 0` trains the paper's baseline with L1 alone.
"""

import pix2pix_recipe

METADATA = {
    "title": "Pix2Pix, emoji",
    "description": "Pix2Pix from Noto's drawing of an emoji to Twemoji's, 64x64.",
    "data": "1,693 emoji as Noto Emoji (Apache-2.0) and Twemoji (CC BY 4.0) draw them, 64x64 on "
    "white, cut out of 72x72 at random",
    "command": "KERAS_BACKEND=tensorflow python applications/pix2pix_emoji.py --mixed-precision",
}


def main():
    parser = pix2pix_recipe.parser(
        __doc__.splitlines()[0], "weights/pix2pix/emoji", "emoji_pairs", 100_000, 24
    )
    parser.set_defaults(augment="color,translation,cutout")
    args = parser.parse_args()
    names = ("target_image", "input_image")
    pix2pix_recipe.run(args, "train", names, METADATA, data_may_be_shown=True)


if __name__ == "__main__":
    main()
