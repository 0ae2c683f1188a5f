"""The classifier by which 64x64 colour photographs are scored, trained on several data sets.

    KERAS_BACKEND=tensorflow python applications/classifier_images64.py --mixed-precision

One network tells 112 classes apart: 102 species of flowers, bedrooms, living rooms, and eight
kinds of faces (woman or man, smiling or not, with eyeglasses or without). Beside the classes it
learns the 40 attributes of the faces from the same features. The layer of the attributes is left
out of the preset.

Flowers and living rooms are seen twice per epoch, because there are fewer of them. Training images
are flipped, scaled up by up to 25 %, shifted by up to 4 pixels, and changed in brightness and
contrast.
"""

import argparse

import classifier_recipe
import keras
import numpy as np
import recipe
from keras import ops

import kzoo
from kzoo.layers import channels_last as layers

COMMAND = "KERAS_BACKEND=tensorflow python applications/classifier_images64.py --mixed-precision"
SIZE = 64
SPECIES = 102
BEDROOM, LIVING_ROOM, FACES = SPECIES, SPECIES + 1, SPECIES + 2  # the first label of each kind
NUM_CLASSES = FACES + 8
NUM_ATTRIBUTES = 40  # of CelebA, in the order of their names
EYEGLASSES, MALE, SMILING = 15, 20, 31
UNKNOWN = -1  # attribute of what is no face
STEM, WIDTHS, DROPOUT = 24, (48, 96, 128), 0.2
KINDS = ("flowers", "faces", "bedrooms", "living_rooms")


def backbone():
    """4x4 convolution of stride 2; per width two 3x3 convolutions, the first of stride 2."""
    stack = [layers.Input((SIZE, SIZE, 3))]
    for width, kernel, strides in [
        (STEM, 4, 2),
        *((width, 3, strides) for width in WIDTHS for strides in (2, 1)),
    ]:
        stack += [
            layers.Conv2D(width, kernel, strides, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
        ]
    return keras.Sequential([*stack, layers.GlobalAveragePooling2D()], name="backbone")


def build():
    return kzoo.Classifier((SIZE, SIZE, 3), NUM_CLASSES, dropout=DROPOUT, backbone=backbone())


class WithAttributes(keras.layers.Layer):
    """A classifier and, from its features, the attributes: logits (b, classes + attributes)."""

    def __init__(self, classifier):
        super().__init__()
        self.classifier = classifier
        self.attributes = keras.layers.Dense(NUM_ATTRIBUTES)

    def call(self, x, training=False):
        features = self.classifier.features(x, training=training)  # (b, d)
        features = self.classifier.drop(features, training=training)
        return ops.concatenate([self.classifier.head(features), self.attributes(features)], axis=-1)


def loss(targets, logits):
    """Cross-entropy of the class, plus 4 times the mean one of a face's attributes: (b,).

    Args:
        targets: (b, 1 + attributes), the label and the attributes: 0, 1 or `UNKNOWN`.
        logits: (b, classes + attributes).
    """
    logits = ops.cast(logits, "float32")
    classes, logits = logits[:, :NUM_CLASSES], logits[:, NUM_CLASSES:]
    entropy = ops.sparse_categorical_crossentropy(targets[:, 0], classes, from_logits=True)  # (b,)
    known = ops.cast(targets[:, 1:] != UNKNOWN, "float32")  # (b, attributes)
    attributes = ops.cast(targets[:, 1:], "float32") * known
    binary = known * ops.binary_crossentropy(attributes, logits, from_logits=True)
    return entropy + 4.0 * ops.mean(binary, axis=-1)


def accuracy(targets, logits):
    """Whether the most likely class is the label: (b,)."""
    return ops.cast(
        ops.cast(ops.argmax(logits[:, :NUM_CLASSES], axis=-1), "int32")
        == ops.cast(targets[:, 0], "int32"),
        "float32",
    )


def augmentation():
    edges = {"fill_mode": "reflect", "dtype": "float32"}
    return [
        keras.layers.RandomFlip("horizontal", dtype="float32"),
        keras.layers.RandomZoom((-0.2, 0.0), **edges),  # shows down to 80 % of each side
        keras.layers.RandomTranslation(4 / SIZE, 4 / SIZE, **edges),
        keras.layers.RandomBrightness(0.1, dtype="float32"),
        keras.layers.RandomContrast(0.2, dtype="float32"),
    ]


def load(args, held_out):
    """`{kind: (images, targets)}` of the training images, or of those held out.

    Images are uint8 (n, 64, 64, 3), targets int32 (n, 1 + attributes) as `loss` takes them.
    """
    loaded = {}
    for kind in KINDS:
        second = {"flowers": "label", "faces": "attributes"}.get(kind)
        room = kind in ("bedrooms", "living_rooms")
        split = ("validation" if room else "test") if held_out else "train"
        source = argparse.Namespace(**{**vars(args), "data": getattr(args, kind)})
        names = ("image", second) if second else ("image",)
        data = recipe.load(source, split, image_size=SIZE, features=names, shuffle=False)
        arrays = kzoo.datasets.to_arrays(data)
        targets = np.full((len(arrays["image"]), 1 + NUM_ATTRIBUTES), UNKNOWN, "int32")
        if kind == "faces":
            targets[:, 1:] = attributes_of(arrays)[0]
            targets[:, 0] = face_labels(targets[:, 1:])
        else:
            targets[:, 0] = {"bedrooms": BEDROOM, "living_rooms": LIVING_ROOM}.get(
                kind, arrays.get("label")
            )
        loaded[kind] = arrays["image"], targets
    return loaded


def attributes_of(arrays):
    """`(attributes, names)` of loaded faces: 0 and 1, (n, 40), in the order of the names.

    There are no names where the data are no TFDS data set.
    """
    attributes = arrays["attributes"]
    if not isinstance(attributes, dict):
        return attributes, None
    names = sorted(attributes)
    return np.stack([attributes[name] for name in names], axis=1), names


def face_labels(attributes):
    """The label of each face, from its attributes 0 and 1, (n, 40)."""
    male, smiling, glasses = (attributes[:, i] for i in (MALE, SMILING, EYEGLASSES))
    return FACES + 4 * male + 2 * smiling + glasses


def joined(loaded, kinds=KINDS):
    """All images and their targets, of these kinds one after the other."""
    return tuple(np.concatenate([loaded[kind][i] for kind in kinds]) for i in (0, 1))


def balanced(truth, predicted):
    """Balanced accuracy of a yes-or-no question in percent: the mean over both answers."""
    return 100.0 * float(np.mean([np.mean(predicted[truth == k] == k) for k in np.unique(truth)]))


def main():
    parser = classifier_recipe.parser(
        __doc__.splitlines()[0], 12, "images64", "oxford_flowers102_captions"
    )
    parser.add_argument("--faces", default="celeb_a_small", help="given as --data is, the flowers")
    parser.add_argument("--bedrooms", default="lsun/bedroom", help="given as --data is")
    parser.add_argument("--living-rooms", default="places_living_room", help="given as --data is")
    args = parser.parse_args()
    args.flowers = args.data
    train = load(args, held_out=False)
    data = kzoo.datasets.from_arrays(
        *joined(train, (*KINDS, "flowers", "living_rooms")),
        args.batch_size,
        seed=args.seed,
        drop_remainder=True,
    )
    extended = []

    def extend(classifier):
        extended.append(WithAttributes(classifier))
        return extended[0]

    classifier = classifier_recipe.train(
        args, build, augmentation, data, extend, loss, metrics=[accuracy]
    )
    held_out = load(args, held_out=True)
    images, targets = joined(train)
    test_images, _ = joined(held_out)
    classifier.reference = kzoo.metrics.measure_reference(
        classifier, images, targets[:, 0], test_images
    )
    classifier.save_to_preset(args.output)
    shares = train["faces"][1][:, 1:].mean(axis=0)
    write_card(args, classifier, extended[0].attributes, shares, held_out)


def accuracies(classifier, attributes, shares, held_out):
    """`(name, value, unit, protocol)` of what the classifier knows, on images held out.

    Args:
        classifier: the `kzoo.Classifier`.
        attributes: the trained layer from its features to the attributes' logits.
        shares: (attributes,), of the training faces that have each. An attribute is taken for
            there where its probability is above its share: most attributes are rare.
        held_out: as `load` returns it.
    """
    of = {kind: classifier.activations(images) for kind, (images, _) in held_out.items()}
    flowers, faces = held_out["flowers"][1][:, 0], held_out["faces"][1]
    species = of["flowers"][1][:, :SPECIES].argmax(axis=1)
    kernel, bias = attributes.get_weights()
    thresholds = np.log(shares / (1 - shares))  # of the logits
    answers = (of["faces"][0] @ kernel + bias > thresholds).astype(int)  # (n, attributes)
    each = [balanced(faces[:, 1 + i], answers[:, i]) for i in range(NUM_ATTRIBUTES)]
    by_class = of["faces"][1][:, FACES:].reshape(-1, 2, 2, 2)  # male, smiling, eyeglasses
    rooms = {
        kind: of[kind][1][:, [BEDROOM, LIVING_ROOM]].argmax(axis=1)
        for kind in ("bedrooms", "living_rooms")
    }
    right = np.mean(rooms["bedrooms"] == 0), np.mean(rooms["living_rooms"] == 1)
    every = [
        classifier_recipe.accuracy(classifier, images, targets[:, 0])
        for images, targets in held_out.values()
    ]
    sizes = [len(images) for images, _ in held_out.values()]
    count = {kind: f"{len(images):,}" for kind, (images, _) in held_out.items()}
    on_faces = f"the {count['faces']} faces held out"
    return [
        (
            "accuracy",
            float(np.average(every, weights=sizes)),
            "%",
            f"all {sum(sizes):,} photographs held out, {NUM_CLASSES} classes",
        ),
        (
            "species_accuracy",
            100.0 * float(np.mean(species == flowers)),
            "%",
            f"the {count['flowers']} flowers held out, {SPECIES} species",
        ),
        (
            "attribute_balanced_accuracy",
            float(np.mean(each)),
            "%",
            f"mean over {NUM_ATTRIBUTES} attributes and over both answers, {on_faces}; by the "
            "layer that is left out of the preset, yes where the probability is above the share "
            "in the training faces",
        ),
        *(
            (
                f"{name}_balanced_accuracy",
                balanced(faces[:, 1 + column], by_class.sum(axis=axes).argmax(axis=1)),
                "%",
                f"mean over both answers, {on_faces}; by the sum of the classes' probabilities",
            )
            for name, column, axes in [
                ("male", MALE, (2, 3)),
                ("smiling", SMILING, (1, 3)),
                ("eyeglasses", EYEGLASSES, (1, 2)),
            ]
        ),
        (
            "rooms_balanced_accuracy",
            100.0 * float(np.mean(right)),
            "%",
            f"bedroom against living room, mean over both, the {count['bedrooms']} bedrooms and "
            f"{count['living_rooms']} living rooms held out",
        ),
    ]


def write_card(args, classifier, attributes, shares, held_out):
    reference = classifier.reference
    train = f"{reference.num_train:,} training photographs"
    test = f"the {reference.num_test:,} photographs held out"
    classifier_recipe.write_card(
        args,
        classifier,
        accuracies(classifier, attributes, shares, held_out),
        {
            "inception_score": f"{test}, one split",
            "diversity_score": f"{test} against the labels of the {train}",
            "frechet_distance": f"{test} against the {train}",
        },
        title="Classifier, images64",
        description=f"Small convolutional classifier of 64x64 colour photographs into "
        f"{NUM_CLASSES} classes: {SPECIES} species of flowers (0 to 101), bedrooms (102), living "
        "rooms (103), and faces (104 + 4 male + 2 smiling + eyeglasses). A 4x4 convolution of "
        f"stride 2 with {STEM} channels; then, for {', '.join(map(str, WIDTHS))} channels, two 3x3 "
        "convolutions, the first of stride 2; each with batch normalization and ReLU; average "
        f"pooling to {classifier.num_features} features; dropout {classifier.dropout}; a linear "
        "layer.",
        command=COMMAND,
        data="Training splits of Oxford 102 flowers (TFDS oxford_flowers102_captions 1.0.0, 6,552 "
        "images), CelebA (celeb_a_small 1.0.0, 9,000, cropped to the square in the centre), LSUN "
        "bedroom (lsun/bedroom 3.1.0, 9,700) and Places365 living_room (places_living_room 1.0.0, "
        "5,000), all resized to 64x64. Held out are the flowers' and the faces' test split and "
        "the rooms' validation split. Flowers and living rooms are seen twice per epoch. In "
        "training, images are flipped at random, scaled up by up to 25 %, shifted by up to 4 "
        "pixels, and changed in brightness by up to 10 % and in contrast by up to 20 %. The "
        "features also learn the 40 attributes of CelebA in training.",
        notes="It judges generated photographs: `kzoo evaluate` takes the Frechet distance, the "
        "kernel distance, precision and recall of colour samples on its features, against real "
        "images of the data that the model learned. 32x32 images are enlarged bilinearly to 64x64 "
        "first. The statistics that the preset stores are those of all training photographs "
        "together. Flowers are a larger share of the photographs held out, and rooms a smaller "
        "one: that alone keeps the stored diversity score and Frechet distance from those of a "
        "perfect model. What the features see, and what not, is measured in applications/JUDGE.md. "
        "The photographs are from "
        "four collections, and the classifier may tell these apart also by how they were cropped "
        "and compressed; the same person may be among the faces of both splits. The "
        "distances are taken on this classifier's features: they are no FID and no KID, and "
        "comparable under this classifier only. Trained with TensorFlow on one CPU thread, in "
        "bfloat16 where layers allow it; weights are float32.",
    )


if __name__ == "__main__":
    main()
