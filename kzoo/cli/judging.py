"""The classifiers that score a model's samples, and the real images they compare them with."""

import pathlib
import zipfile

from kzoo.cli import data, defaults
from kzoo.cli.trained_on import TrainedOn, held_out_split


def check_there(args):
    """Checks that there are the presets and files which `--classifier` and `--judge` name.

    Raises:
        ValueError: if there is no such preset, or it is none of a classifier.
        FileNotFoundError: if there is no such file.
    """
    from kzoo import Classifier
    from kzoo.presets.preset import check_class

    if args.classifier is not None:
        check_class(args.classifier, Classifier)
    if args.judge in (None, defaults.NO_JUDGE):
        return
    path = pathlib.Path(args.judge).expanduser()
    if path.suffix != ".keras":
        check_class(args.judge, Classifier)
    elif not path.is_file():
        raise FileNotFoundError(f"--judge: there is no file {args.judge!r}")


def check_classifier(preset):
    """`ValueError` unless metadata can name this classifier, and there is one."""
    from kzoo import Classifier
    from kzoo.presets.preset import check_class

    if not defaults.is_name(preset):
        raise ValueError(
            f"--classifier {preset}: expected the name of a preset or of a folder here, such as "
            "classifier-photos, for the metadata to remember"
        )
    check_class(preset, Classifier)


def both_parts(model, args, trained_on):
    """Real images as a model takes them: `(training, held out)`, `(images, text)` each."""
    training = trained_on.images(args.data, training=True)
    held_out = trained_on.images(args.data, args.split)
    if training[:3] == held_out[:3]:
        raise ValueError(
            f"{held_out.source!r} has no images beside those that samples are compared with: train "
            "with --validation-split, or give a .npz file with the arrays x_train and x_test"
        )
    return [data.load_images(model, images)[::2] for images in (training, held_out)]


def load_features(name):
    """What gives features: a `kzoo.Classifier`, by its preset, or the model of a .keras file.

    Raises:
        ValueError: if there is no such preset or file, or the model gives no features.
    """
    from kzoo import Classifier
    from kzoo.evaluation.classifier_metric import resolve_features

    path = pathlib.Path(name).expanduser()
    if path.suffix != ".keras":
        return Classifier.from_preset(name)
    import keras

    if not zipfile.is_zipfile(path):
        raise ValueError(f"{name!r} is damaged, or not a .keras file")
    return resolve_features(keras.saving.load_model(path, compile=False))


def load_judge(name, model, args, trained_on):
    """The `kzoo.evaluation.judge.Judge` of a model's samples, with the real images of its data."""
    from kzoo.evaluation.judge import Judge

    features = load_features(name)
    real, held_out = both_parts(model, args, trained_on)
    return Judge(features, pathlib.PurePath(name).name, real, held_out)


def measure_images(args):
    """`(scores, class_histogram or None)` of the images of `--samples`, of any origin.

    They and the real images of `--data` are resized to the judge's size.

    Raises:
        ValueError: if there are no real images or no judge.
    """
    from kzoo.evaluation.judge import Judge

    if args.data is None:
        raise ValueError("--samples: name the real images with --data")
    name = args.judge or defaults.IMAGE_JUDGE
    if name == defaults.NO_JUDGE:
        raise ValueError("--samples: expected a Classifier preset or a .keras file as --judge")
    features = load_features(name)

    def load(source, split, most=None):
        return data.load_images(features, data.Images(source, split), most)[::2]

    samples, text = load(args.samples, "train", args.num_samples)
    real = load(args.data, "train" if args.split is None else args.split)
    held_out = None
    if args.split is None and data.has_splits(args.data):
        held_out = load(args.data, held_out_split(args.data))
    judge = Judge(features, pathlib.PurePath(name).name, real, held_out)
    scores, histogram = judge.measure([samples], text)
    return [s._replace(protocol=f"{judge.text}; {s.protocol}") for s in scores], histogram


def load_classifier(name, model, args, trained_on):
    """The classifier of a model's samples, with statistics of the chosen data.

    It keeps its stored statistics if they are of these data, or if no data are known.

    Returns:
        `(classifier, text, own)`: text says what samples are compared with; own is whether the
        classes of the data are its own, as far as that is known.
    """
    from kzoo import Classifier
    from kzoo.metrics import measure_reference
    from kzoo.presets import read_metadata

    classifier = Classifier.from_preset(name)
    theirs = TrainedOn(read_metadata(name, Classifier))
    same = trained_on.is_same_data(theirs) if args.data is None else theirs.holds(args.data)
    own = same or None in (theirs.data, args.data or trained_on.data)
    if classifier.reference is not None and own and (same or args.data is None):
        kind = "images" if theirs.data is None else f"images of {theirs.name}"
        known = trained_on.knows_training_images(theirs)
        stored = classifier.reference
        against = f"{stored.num_train:,} {kind}, {known}; real value: {stored.num_test:,} others"
    else:
        (images, text), (held_out, held_out_text) = both_parts(model, args, trained_on)
        classifier.reference = measure_reference(classifier, images, None, held_out)
        against = f"{text}; real value: {held_out_text}"
    return classifier, f"classifier {name}, against {against}", own
