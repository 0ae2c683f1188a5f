"""The classifier by which images of bedrooms are scored: bedroom against living room, 64x64.

    python applications/classifier_rooms.py --mixed-precision

Training images are flipped, scaled up by up to 25 % and shifted by up to 4 pixels. There are about
two bedrooms per living room, so losses are weighted: both classes count the same. The models that
are scored with this classifier generate bedrooms only, so the statistics that the preset holds are
those of the bedrooms alone, and its reference scores those of bedrooms that were held out.
"""

import argparse

import classifier_recipe
import keras
import numpy as np
import recipe

import kzoo

COMMAND = "python applications/classifier_rooms.py --mixed-precision"
SIZE = 64


def build():
    return kzoo.Classifier(
        image_shape=(SIZE, SIZE, 3), num_classes=2, widths=(16, 32, 64, 64), dropout=0.3
    )


def augmentation():
    edges = {"fill_mode": "reflect", "dtype": "float32"}
    return [
        keras.layers.RandomFlip("horizontal", dtype="float32"),
        keras.layers.RandomZoom((-0.2, 0.0), **edges),  # shows down to 80 % of each side
        keras.layers.RandomTranslation(4 / SIZE, 4 / SIZE, **edges),
    ]


def load(args, split):
    """`(bedrooms, living rooms)` of a split, uint8 arrays `(n, 64, 64, 3)`."""
    both = []
    for data in (args.data, args.living_rooms):
        source = argparse.Namespace(**{**vars(args), "data": data})
        dataset = recipe.load(source, split, image_size=SIZE, shuffle=False)
        both.append(kzoo.datasets.to_arrays(dataset)[0])
    return both


def labelled(bedrooms, living_rooms):
    """The images of both classes and their labels, 0 for a bedroom and 1 for a living room."""
    labels = np.repeat([0, 1], [len(bedrooms), len(living_rooms)])
    return np.concatenate([bedrooms, living_rooms]), labels


def main():
    parser = classifier_recipe.parser(__doc__.splitlines()[0], 14, "rooms", "lsun/bedroom")
    parser.add_argument(
        "--living-rooms",
        default="places_living_room",
        help="the second class, given as --data is, which holds the bedrooms; files need the "
        "splits train and validation",
    )
    args = parser.parse_args()
    bedrooms, living_rooms = load(args, "train")
    images, labels = labelled(bedrooms, living_rooms)
    data = kzoo.datasets.from_arrays(
        images, labels, args.batch_size, seed=args.seed, drop_remainder=True
    )
    shares = np.bincount(labels) / len(labels)
    classifier = classifier_recipe.train(
        args,
        build,
        augmentation,
        data,
        class_weight={k: float(0.5 / share) for k, share in enumerate(shares)},
    )

    held_out = load(args, "validation")
    classifier.reference = kzoo.metrics.measure_reference(classifier, bedrooms, None, held_out[0])
    trained_on = {"data": "lsun/bedroom", "split": "train", "num_images": len(bedrooms)}
    classifier.save_to_preset(args.output, trained_on=trained_on)
    write_card(args, classifier, bedrooms, held_out)


def distances_of_training_images(classifier, bedrooms, num, draws=10):
    """Frechet distances of `num` random training bedrooms to all others, one per draw."""
    features = classifier.activations(bedrooms)[0]
    rng = np.random.default_rng(0)
    distances = []
    for _ in range(draws):
        order = rng.permutation(len(features))
        parts = []
        for rows in (order[:num], order[num:]):
            statistics = kzoo.metrics.GaussianStatistics(classifier.num_features)
            statistics.update(features[rows])
            parts += [statistics.mean, statistics.covariance]
        distances.append(kzoo.metrics.frechet_distance(*parts))
    return distances


def write_card(args, classifier, bedrooms, held_out):
    each = [
        classifier_recipe.accuracy(classifier, images, np.full(len(images), label))
        for label, images in enumerate(held_out)
    ]
    overall = classifier_recipe.accuracy(classifier, *labelled(*held_out))
    train, test = (f"{n:,} bedrooms" for n in (len(bedrooms), len(held_out[0])))
    rooms = f"{test} and {len(held_out[1]):,} living rooms held out"
    distances = distances_of_training_images(classifier, bedrooms, len(held_out[0]))
    classifier_recipe.write_card(
        args,
        classifier,
        [
            ("accuracy", overall, "%", f"the {rooms}"),
            (
                "balanced_accuracy",
                float(np.mean(each)),
                "%",
                f"mean over both classes, the {rooms}",
            ),
            (
                "frechet_distance_of_training_images",
                float(np.mean(distances)),
                "",
                f"mean over {len(distances)} random draws of {test} of the {train} trained on "
                f"against the others; standard deviation {np.std(distances):.2g}",
            ),
        ],
        {
            "inception_score": f"the {test} held out, one split",
            "diversity_score": f"the {test} held out against the average prediction on the "
            f"{train} trained on",
            "frechet_distance": f"the {test} held out against the {train} trained on",
        },
        title="Classifier, rooms",
        description=classifier_recipe.describe(
            classifier, "photographs of rooms, 64x64, as bedroom (0) or living room (1)"
        ),
        command=COMMAND,
        data="Bedrooms: LSUN bedroom (TFDS lsun/bedroom 3.1.0, prepared with 9,700 images for "
        "training and 300 for validation, all from the official training set, cropped to squares "
        "and resized to 64x64). Living rooms: Places365-Standard living_room (TFDS "
        "places_living_room 1.0.0, 5,000 for training and 100 for validation), not LSUN's. In "
        "training, images are flipped at random, scaled up by up to 25 % and shifted by up to 4 "
        "pixels, and the losses are weighted so that both classes count the same.",
        notes="It serves to score models that generate bedrooms. The mean and covariance of the "
        "features stored with the weights are therefore those of the training bedrooms alone, and "
        "the scores beside them those of the bedrooms held out. The Frechet distance is the score "
        f"to read. It falls with the number of images, and {len(held_out[0])} are few for "
        f"{classifier.num_features} features: the real value is biased up, and a model that is "
        "scored with more images can come below it. Draw as many samples to compare with it "
        f"(`--num-samples {len(held_out[0])}`). The "
        "distance of as many training images to the other training images shows what of the real "
        "value is due to their number, and what to the classifier's having seen the others. The "
        "inception score, at most 2 here, is of little meaning for models of one class: it "
        "rewards living rooms among the bedrooms, so it should be near the real value, and not "
        "high. The diversity score says whether the samples are taken for bedrooms as often as the "
        "training bedrooms are; its Pr*(y) is the average prediction on these, since with their "
        "labels, bedrooms all, every score would be 0. The two classes come from two collections, "
        "so that the classifier may also tell them apart by how their photographs were cropped "
        "and compressed. The Frechet distance is taken on this classifier's features: it is no "
        "FID, and comparable under this classifier only. Weights were trained on one CPU "
        "thread with TensorFlow, in bfloat16 where layers allow it; they are float32.",
    )


if __name__ == "__main__":
    main()
