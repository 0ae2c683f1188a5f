"""TextToImageGAN "flowers": Oxford-102 flowers from captions or from their species, 64x64.

    KERAS_BACKEND=torch taskset -c 0 python applications/text_to_image_flowers.py --mixed-precision

About a tenth of the images have a caption that a person wrote. The others have the sentence "a
photo of a <species>". Training is counted in images and can be stopped and continued at any time.
"""

import recipe
import text_to_image_recipe

import kzoo

METADATA = {
    "title": "TextToImageGAN, flowers",
    "description": "GAN-INT-CLS from a caption, or the name of a species, to a flower, 64x64.",
    "data": "6,552 photographs of Oxford-102 at 64x64, 648 of them with a caption, all others with "
    'the sentence "a photo of a <species>"',
    "command": "KERAS_BACKEND=torch python applications/text_to_image_flowers.py --mixed-precision",
}


def sentence(caption, species):
    """The caption, or a sentence of the species where there is none."""
    article = "an" if species[:1] in "aeiou" else "a"
    return caption.strip() or f"a photo of {article} {species}"


def pairs(args, split):
    """`(images, captions)` of a split: uint8 (n, 64, 64, 3) and sentences (n,)."""
    features = ("image", "caption", "species")
    data = recipe.load(args, split, shuffle=False, features=features, image_size=64)
    arrays = kzoo.datasets.to_arrays(data)
    images, *texts = (arrays[name] for name in features)
    return images, [sentence(str(c), str(s).lower()) for c, s in zip(*texts, strict=True)]


def main():
    args = text_to_image_recipe.parser(
        __doc__.splitlines()[0],
        "weights/texttoimagegan/flowers",
        "oxford_flowers102_captions",
        images=352_000,
        width=32,
        epochs=20,
    ).parse_args()
    text_to_image_recipe.run(args, pairs(args, "train"), pairs(args, "test"), METADATA, mirror=True)


if __name__ == "__main__":
    main()
