"""The classifier by which faces are scored, with 40 attributes, such as smiling: 64x64.

    KERAS_BACKEND=tensorflow python applications/classifier_celeba.py

The network is that of `classifier_images64.py`, with one probability for each attribute of CelebA:
an image may have several of them. Photographs are cropped to a square around the centre; in
training they are changed at random as in that recipe. The preset also holds statistics of the
training images, against which generated faces are measured.
"""

import classifier_recipe
import keras
import numpy as np
import recipe
from classifier_images64 import DROPOUT, SIZE, STEM, WIDTHS, attributes_of, augmentation, backbone

import kzoo
from kzoo.evaluation.protocols import accuracy_scores

DATA = "celeb_a_small"


def load(args, split):
    """`(images, attributes, names)`: uint8 (n, 64, 64, 3), float32 0 and 1 (n, 40), names."""
    data = recipe.load(
        args, split, image_size=SIZE, features=("image", "attributes"), shuffle=False
    )
    arrays = kzoo.datasets.to_arrays(data)
    attributes, names = attributes_of(arrays)
    return arrays["image"], np.asarray(attributes, "float32"), names


def main():
    args = classifier_recipe.parser(__doc__.splitlines()[0], 16, "celeba", DATA).parse_args()
    images, attributes, names = load(args, "train")

    def build():
        return kzoo.Classifier(
            (SIZE, SIZE, 3),
            attributes.shape[1],
            dropout=DROPOUT,
            backbone=backbone(),
            multi_label=True,
            class_names=names,
        )

    data = kzoo.datasets.from_arrays(
        images, attributes, args.batch_size, seed=args.seed, drop_remainder=True
    )
    classifier = classifier_recipe.train(
        args,
        build,
        augmentation,
        data,
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
    )
    test_images, test_attributes, _ = load(args, "test")
    classifier.reference = kzoo.metrics.measure_reference(
        classifier, images, attributes, test_images
    )
    trained_on = {"data": DATA, "split": "train", "num_images": len(images)}
    classifier.save_to_preset(args.output, half_precision=True, trained_on=trained_on)
    write_card(args, classifier, test_images, test_attributes)


def write_card(args, classifier, test_images, test_attributes):
    train = f"{classifier.reference.num_train:,} training photographs"
    test = f"the {classifier.reference.num_test:,} test photographs"
    (score, *_), _ = accuracy_scores(classifier, test_images, test_attributes)
    probabilities = classifier.activations(test_images)[1]
    rows = [(score.name, score.value, score.unit, f"{test}; {score.protocol}")]
    right = (probabilities > 0.5) == (test_attributes > 0.5)
    rows.append(
        ("accuracy", 100.0 * float(right.mean()), "%", f"{test}, mean over the attributes, at .5")
    )
    classifier_recipe.write_card(
        args,
        classifier,
        rows,
        {"frechet_distance": f"{test} against the {train}"},
        title="Classifier, CelebA",
        description="Small convolutional classifier of 64x64 faces with one probability for each "
        "of the 40 attributes of CelebA (`classifier.class_names`). A 4x4 convolution of stride 2 "
        f"with {STEM} channels; then, for {', '.join(map(str, WIDTHS))} channels, two 3x3 "
        "convolutions, the first of stride 2; each with batch normalization and ReLU; average "
        f"pooling to {classifier.num_features} features; dropout {classifier.dropout}; a linear "
        "layer.",
        command="KERAS_BACKEND=tensorflow python applications/classifier_celeba.py",
        data="The first 10,000 photographs of CelebA at half their size (celeb_a_small 1.0.0), "
        "cropped to a square around the centre and resized to 64x64: 9,000 to train on, 1,000 to "
        "test. In training, images are flipped at random, scaled up by up to 25 %, shifted by up "
        "to 4 pixels, and changed in brightness by up to 10 % and in contrast by up to 20 %.",
        notes="The attributes are those that the makers of CelebA had people mark; some, such as "
        '"attractive", are matters of taste, and none says who a person is or what a person '
        "feels. Most are rare. So the balanced accuracy says yes where a probability is above the "
        "attribute's share in the training photographs. The same person may be in both splits. "
        "Frechet distances are taken on this classifier's features: they are no FID, and "
        "comparable under this classifier only. The photographs were collected for "
        "non-commercial research.",
    )


if __name__ == "__main__":
    main()
