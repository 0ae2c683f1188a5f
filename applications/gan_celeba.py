"""GAN "celeba": faces at 64x64 by a spectrally normalized GAN with the hinge loss.

    KERAS_BACKEND=tensorflow taskset -c 0 python applications/gan_celeba.py

Networks, losses and references are in `grown_gan_recipe.py`. Photographs are cropped to a square
around the centre, resized to 64x64, and mirrored at random.
"""

import grown_gan_recipe

METADATA = {
    "title": "GAN, CelebA",
    "description": "GAN with hinge loss, spectral normalization and translated images; grown from "
    "32x32 to 64x64; faces of CelebA.",
    "data": "the first 9,000 photographs of CelebA, at half their size, cropped to a square around "
    "the centre and resized to 64x64",
    "trained_on": {"data": "celeb_a_small", "split": "train", "num_images": 9_000},
    "classifier": "celeba",
    "command": "KERAS_BACKEND=tensorflow python applications/gan_celeba.py",
    "notes": "Seen: 160,000 images at 32x32, then 172,800 at 64x64; 115 minutes of one CPU core. "
    "Samples come from the average of the generator's weights. Trained on photographs of real "
    "people, which were collected for non-commercial research. Generated faces only are shown. "
    "applications/gan_face_arithmetic.py drew the sums and directions.",
}


def main():
    grown_gan_recipe.run(
        __doc__.splitlines()[0], "celeba", "celeb_a_small", 160_000, 172_800, METADATA
    )


if __name__ == "__main__":
    main()
