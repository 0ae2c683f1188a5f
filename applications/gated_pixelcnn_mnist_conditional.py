"""GatedPixelCNN "mnist_conditional": digits of a given class, from the weights of "mnist".

    KERAS_BACKEND=torch python applications/gated_pixelcnn_mnist_conditional.py
    kzoo evaluate weights/gatedpixelcnn/mnist_conditional --write
    kzoo generate gatedpixelcnn/mnist_conditional --labels 3,5

van den Oord et al., Conditional Image Generation with PixelCNN Decoders, 2016
(arXiv:1606.05328), eq. 4: a learned vector per class is added in every layer. These vectors start
at zero, so that training starts as the unconditional model. The second command measures the
likelihood of the test images given their labels, and writes the model card.
"""

import functools

import pixel_recipe
from gated_pixelcnn_mnist import METADATA, build

import kzoo

CONDITIONAL = {
    **METADATA,
    "title": "GatedPixelCNN, MNIST, class-conditional",
    "description": METADATA["description"]
    .replace("binary pixels:", "binary pixels, conditional on the digit's class (eq. 4):")
    .replace("2e-3 after a warm-up", "1e-3 after a warm-up"),
    "command": f"{METADATA['command']}\n"
    "KERAS_BACKEND=torch python applications/gated_pixelcnn_mnist_conditional.py",
    "notes": pixel_recipe.NOTES + " Trained with bfloat16 activations. "
    "Training started from the weights of gatedpixelcnn/mnist, with "
    "the vectors of the classes at zero.",
}


def main():
    parser = pixel_recipe.parser(
        __doc__.splitlines()[0], 1, "weights/gatedpixelcnn/mnist_conditional", batch_size=32
    )
    parser.add_argument(
        "--start", default="weights/gatedpixelcnn/mnist", help="preset whose weights are taken"
    )
    args = parser.parse_args()
    pixel_recipe.train(
        args,
        functools.partial(build, num_classes=10),
        CONDITIONAL,
        rate=1e-3,
        labels=True,
        start=kzoo.GatedPixelCNN.from_preset(args.start),
    )


if __name__ == "__main__":
    main()
