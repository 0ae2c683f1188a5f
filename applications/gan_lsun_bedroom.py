"""GAN "lsun_bedroom": a spectrally normalized GAN with the hinge loss, on LSUN bedroom.

    KERAS_BACKEND=tensorflow taskset -c 0 python applications/gan_lsun_bedroom.py

Networks, losses and references are in `grown_gan_recipe.py`. Photographs are mirrored at random at
64x64.
"""

import grown_gan_recipe

METADATA = {
    "title": "GAN, LSUN bedroom",
    "description": "GAN with hinge loss, spectral normalization and translated images; grown from "
    "32x32 to 64x64; LSUN bedroom.",
    "trained_on": {"data": "lsun/bedroom", "split": "train", "num_images": 9_700},
    "data": "LSUN bedroom (TFDS lsun/bedroom 3.1.0), 9,700 photographs at 64x64 of the 3,033,042 "
    "of the official training set",
    "command": "KERAS_BACKEND=tensorflow python applications/gan_lsun_bedroom.py "
    "--mixed-precision --images-32 230400 --images-64 288000",
    "notes": "Seen: 230,400 images at 32x32, then 288,000 at 64x64 of the 800,000 that the recipe "
    "takes by default; about two hours of one CPU core in bfloat16. Beds, windows and corners can "
    "be recognized in most samples; some are a muddle of textures. Samples come from the average "
    "of the generator's weights.",
}


def main():
    grown_gan_recipe.run(
        __doc__.splitlines()[0],
        "lsun_bedroom",
        "lsun/bedroom",
        400_000,
        800_000,
        METADATA,
        mirror_32=False,
    )


if __name__ == "__main__":
    main()
