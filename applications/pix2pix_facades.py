"""Pix2Pix "facades": label maps of buildings to photographs, CMP facades at 64x64.

    KERAS_BACKEND=tensorflow taskset -c 0 python applications/pix2pix_facades.py

Isola et al. 2017 (arXiv:1611.07004), with networks of 24 features next to the image in place of 64,
and batches of 8. Training is counted in images and can be stopped and continued at any time.
`--gan-weight 0` trains the paper's baseline with L1 alone.
"""

import pix2pix_recipe

METADATA = {
    "title": "Pix2Pix, facades",
    "description": "Pix2Pix from label maps to photographs of facades, 64x64.",
    "data": "CMP facades (400 training pairs, resized to 64x64, cut out of 72x72 at random)",
    "command": "KERAS_BACKEND=tensorflow python applications/pix2pix_facades.py",
}


def main():
    args = pix2pix_recipe.parser(
        __doc__.splitlines()[0], "weights/pix2pix/facades", "cmp_facades_pairs", 64_000, 24
    ).parse_args()
    pix2pix_recipe.run(args, "train", ("real_image", "input_image"), METADATA)


if __name__ == "__main__":
    main()
