"""The data and classifiers that a preset is measured with, if the command line names none."""

import functools
import re

from kzoo.cli import common
from kzoo.cli.trained_on import TrainedOn
from kzoo.evaluation.capabilities import can

CLASSIFIERS = {  # by data set
    "fashion_mnist": "fashion_mnist",
    "lsun/bedroom": "rooms",
    "mnist": "mnist",
    "svhn_cropped": "svhn",
}
IMAGE_JUDGE = "images64"
JUDGES = {(32, 32, 3): IMAGE_JUDGE, (64, 64, 3): IMAGE_JUDGE}  # by image shape
NO_JUDGE = "none"

_NAME = re.compile(r"\w[\w.+-]*(/\w[\w.+-]*)?")  # no path and no address


def is_name(preset):
    """Whether a string is a preset's name or that of a folder here, and no other path."""
    return isinstance(preset, str) and _NAME.fullmatch(preset) is not None


class Defaults:
    """What belongs to a preset, looked up when it is asked for.

    Args:
        metadata: dict, the content of `metadata.json`. "trained_on" and "dataset" name the data
            (see `kzoo.cli.trained_on`), "classifier" a preset of `kzoo.Classifier`.
        image_shape: `(height, width, channels)` of the model's images.
        by_pixel: whether the model draws its images pixel by pixel, which is too slow for thousands
            of them unless the user asks for it.
        feature: as in `TrainedOn`.

    Attributes:
        trained_on: a `TrainedOn`.
    """

    def __init__(self, metadata, image_shape, by_pixel=False, feature=None):
        self._metadata = metadata
        self._image_shape = tuple(image_shape)
        self._by_pixel = by_pixel
        self.trained_on = TrainedOn(metadata, feature)

    def judge(self, args):
        """The name of the classifier's preset on whose features samples are scored as well."""
        if args.judge is not None:
            return args.judge
        return NO_JUDGE if self._by_pixel else JUDGES.get(self._image_shape, NO_JUDGE)

    def classifier(self, args):
        """The name of the classifier's preset.

        Raises:
            ValueError: if neither the command nor the metadata name one, and none comes with kzoo
                for the data.
        """
        recorded = self._metadata.get("classifier")
        if args.classifier is None and recorded is not None and not is_name(recorded):
            raise ValueError(f"metadata.json: expected a name as 'classifier', got {recorded!r}")
        source = args.data or self.trained_on.data
        name = args.classifier or recorded or CLASSIFIERS.get(source)
        if name is None:
            where = "records neither data nor a classifier"
            raise ValueError(
                f"the preset {where if source is None else f'names no classifier of {source}'}: "
                "name one with --classifier (kzoo train classifier makes one)"
            )
        return name

    def gives(self, args, name):
        """Whether the argument "classifier" or "judge" would be the same if it were left out."""
        without = type(args)(**{**vars(args), name: None})
        try:
            return getattr(args, name) == getattr(self, name)(without)
        except ValueError:  # without a default
            return False


def of_preset(args, model):
    """The `Defaults` of the preset `args.preset`, whose model is `model`."""
    from kzoo.cli import pairs
    from kzoo.presets import PresetMixin, read_metadata

    metadata = read_metadata(args.preset, common.class_of(args, PresetMixin))
    feature = functools.partial(pairs.image_feature, model)
    return Defaults(metadata, model.image_shape, can(model, "complete"), feature)
