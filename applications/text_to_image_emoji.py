"""TextToImageGAN "emoji": the names of emoji to their pictures by Twemoji, 32x32.

    KERAS_BACKEND=torch taskset -c 0 python applications/text_to_image_emoji.py

Training is counted in images and can be stopped and continued at any time.
"""

import numpy as np
import recipe
import text_to_image_recipe

import kzoo

METADATA = {
    "title": "TextToImageGAN, emoji",
    "description": "GAN-INT-CLS from the name of an emoji to its picture, 32x32.",
    "data": "1,693 emoji as Twemoji (CC BY 4.0) draws them, 32x32 on white, with their names in "
    "OpenMoji (CC BY-SA 4.0)",
    "command": "KERAS_BACKEND=torch python applications/text_to_image_emoji.py",
}


def pairs(args, split):
    """`(images, captions)` of a split: uint8 (n, 32, 32, 3) and names (n,)."""
    features = ("target_image", "name")
    data = recipe.load(args, split, shuffle=False, features=features, image_size=32)
    arrays = kzoo.datasets.to_arrays(data)
    named = np.char.str_len(arrays["name"]) > 0
    return tuple(arrays[name][named] for name in features)


def main():
    args = text_to_image_recipe.parser(
        __doc__.splitlines()[0],
        "weights/texttoimagegan/emoji",
        "emoji_pairs",
        images=512_000,
        width=48,
        epochs=60,
    ).parse_args()
    text_to_image_recipe.run(args, pairs(args, "train"), pairs(args, "test"), METADATA)


if __name__ == "__main__":
    main()
