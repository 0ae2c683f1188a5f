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


def pairs(args, split, images="target_image"):
    """`(images, captions)` of a split: uint8 (n, 32, 32, 3) and names (n,)."""
    features = (images, "name")
    data = recipe.load(args, split, shuffle=False, features=features, image_size=32)
    arrays = kzoo.datasets.to_arrays(data)
    named = np.char.str_len(arrays["name"]) > 0
    return tuple(arrays[name][named] for name in features)


def judging(args, training):
    """What the judges learn from: drawings by another hand show them what new names mean.

    Returns:
        `(images, captions, text)`: the training pairs, and Noto's drawings of all names, held-out
        ones too.
    """
    parts = [training, *(pairs(args, split, "input_image") for split in ("train", "test"))]
    images, captions = (np.concatenate(each) for each in zip(*parts))
    text = "trained on the training images, and on Noto's drawings of all names, held-out ones too"
    return images, captions, text


def main():
    args = text_to_image_recipe.parser(
        __doc__.splitlines()[0],
        "weights/texttoimagegan/emoji",
        "emoji_pairs",
        images=512_000,
        width=48,
        epochs=60,
    ).parse_args()
    training, held_out = pairs(args, "train"), pairs(args, "test")
    text_to_image_recipe.run(args, training, held_out, METADATA, judging(args, training))


if __name__ == "__main__":
    main()
