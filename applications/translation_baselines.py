"""Super-resolution and colorization: Pix2Pix against L1 alone, and against no network at all.

    KERAS_BACKEND=torch taskset -c 0 python applications/translation_baselines.py enlarged

The sources are made of the images themselves: "enlarged" are images of 16x16 that bicubic
interpolation brings back to 64x64, "grey" are images without colour. Two models are trained, with
`gan_weight` 0 and 1. A table compares their translations of test images, and the sources as they
are, with the real images: mean absolute error, PSNR and SSIM. The loss L1 suits these three
measures, and is expected to win; what the adversarial loss adds is seen in the images.

Isola et al. 2017 (arXiv:1611.07004), section 4.2, for colorization. Training is counted in images
and goes on where it stopped.
"""

import keras
import numpy as np
import recipe
from growing_recipe import train
from PIL import Image

import kzoo
from kzoo.evaluation.translation_scores import pair_scores

SIDE, SMALL = 64, 16  # pixels
MODELS = {"L1 alone": 0.0, "Pix2Pix": 1.0}  # names and weights of the adversarial loss


def enlarged(images):
    """uint8 images (n, h, w, 3), each made small and bicubically as large as before."""
    height, width = images.shape[1:3]
    small = (SMALL * width // height, SMALL)
    resized = [
        Image.fromarray(image)
        .resize(small, Image.Resampling.BOX)
        .resize((width, height), Image.Resampling.BICUBIC)
        for image in images
    ]
    return np.stack([np.asarray(image) for image in resized])


def grey(images):
    """uint8 images (n, h, w, 3) as grey ones of three equal channels."""
    return np.stack([np.asarray(Image.fromarray(x).convert("L").convert("RGB")) for x in images])


SOURCES = {"enlarged": enlarged, "grey": grey}


def table(rows):
    """Lines of a Markdown table.

    Args:
        rows: dict of names and lists of `kzoo.evaluation.scores.Score`.
    """
    lines = ["| images | L1 | PSNR | SSIM |", "| --- | --- | --- | --- |"]
    for name, scores in rows.items():
        l1, psnr, ssim = (score.value for score in scores)
        lines.append(f"| {name} | {l1:.4f} | {psnr:.2f} dB | {ssim:.3f} |")
    return "\n".join(lines)


def main():
    parser = recipe.parser(
        __doc__.splitlines()[0], None, "weights/pix2pix/baselines", 8, data="celeb_a_small"
    )
    parser.add_argument("task", choices=SOURCES, help="what the sources are")
    parser.add_argument("--images", type=int, default=18_000, help="seen by each model")
    parser.add_argument("--width", type=int, default=24, help="of all networks")
    args = parser.parse_args()
    real, held_out = (
        kzoo.datasets.to_arrays(recipe.load(args, split, shuffle=False, image_size=SIDE))[0]
        for split in ("train", "test")
    )
    make = SOURCES[args.task]
    sources, shown = make(real), make(held_out)
    rows = {f"{args.task}, as they are": pair_scores(shown, held_out, "")}
    for name, weight in MODELS.items():
        keras.utils.set_random_seed(args.seed)
        model = kzoo.Pix2Pix((SIDE, SIDE, 3), width=args.width, gan_weight=weight)
        model.compile()
        folder = args.work / args.task / name.replace(" ", "_")
        train(
            args,
            model,
            real,
            args.images,
            folder,
            mirror=True,
            sources=sources,
            shown=(held_out[:32], shown[:32]),
        )
        rows[name] = pair_scores(model.generate(sources=shown, seed=0), held_out, "")
    print(f"{len(held_out):,} test images of {args.data}; trained on {args.images:,} images\n")
    print(table(rows))


if __name__ == "__main__":
    main()
