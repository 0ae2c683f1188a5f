"""Which data set and which classifier belong to a preset, where the command line names none."""

import re

from kzoo.cli import common

# By image shape: the data sets that the shipped presets learned.
DATASETS = {
    (28, 28, 1): "mnist",
    (32, 32, 1): "mnist",
    (32, 32, 3): "svhn_cropped",
    (64, 64, 3): "lsun/bedroom",
}
CLASSIFIERS = {"mnist": "mnist", "svhn_cropped": "svhn", "lsun/bedroom": "rooms"}  # by data set
JUDGES = {(32, 32, 3): "images64", (64, 64, 3): "images64"}  # by image shape
HELD_OUT = {"lsun/bedroom": "validation"}  # by data set; "test" of all others
NO_JUDGE = "none"

_NAME = re.compile(r"\w[\w.+-]*(/\w[\w.+-]*)?")  # no path and no address


def held_out_split(data):
    """The split of a data set (what `--data` names) that models do not train on."""
    return HELD_OUT.get(data, "test")


class Defaults:
    """What belongs to a preset, looked up when it is asked for.

    The entries `dataset` (a TFDS name) and `classifier` (the name of a `kzoo.Classifier` preset)
    of the preset's `metadata.json` come first, as `save_to_preset(folder, dataset=...,
    classifier=...)` writes them; then the image shape decides.

    Args:
        metadata: dict, the content of `metadata.json`.
        image_shape: `(height, width, channels)` of the model's images.
        by_pixel: whether the model draws its images pixel by pixel: too slow to draw thousands of
            them unless the user asks for it.
    """

    def __init__(self, metadata, image_shape, by_pixel=False):
        self._metadata = metadata
        self._image_shape = tuple(image_shape)
        self._by_pixel = by_pixel

    @property
    def judge(self):
        """The name of the classifier's preset on whose features samples are scored as well."""
        return NO_JUDGE if self._by_pixel else JUDGES.get(self._image_shape, NO_JUDGE)

    @property
    def data(self):
        """The TFDS name of the data set.

        Raises:
            ValueError: if the metadata name none, or no proper one, and none has this shape.
        """
        return self._recorded("dataset") or self._lookup(
            DATASETS, self._image_shape, "data set", "images of shape", "--data"
        )

    @property
    def classifier(self):
        """The name of the classifier's preset.

        Raises:
            ValueError: if the metadata name none, or no proper one, and none fits the data set.
        """
        recorded = self._recorded("classifier")
        if recorded:
            return recorded
        dataset = self._recorded("dataset") or DATASETS.get(self._image_shape)
        if dataset is None:
            return self._lookup(
                DATASETS, self._image_shape, "classifier", "images of shape", "--classifier"
            )
        return self._lookup(CLASSIFIERS, dataset, "classifier", "the data set", "--classifier")

    def fill(self, args, *names):
        """Sets the arguments among `names` that are None: "data", "split", "classifier", ..."""
        for name in names:
            if getattr(args, name) is None:
                setattr(args, name, self._value(args, name))

    def gives(self, args, name):
        """Whether an argument would be the same had the user left it out."""
        try:
            return getattr(args, name) == self._value(args, name)
        except ValueError:  # without a default
            return False

    def _value(self, args, name):
        if name == "split":
            return held_out_split(self.data if args.data is None else args.data)
        return getattr(self, name, None)

    def _recorded(self, key):
        value = self._metadata.get(key)
        if value is not None and not (isinstance(value, str) and _NAME.fullmatch(value)):
            raise ValueError(f"metadata.json: expected a name as {key!r}, got {value!r}")
        return value

    def _lookup(self, table, key, what, of, option):
        if key not in table:
            known = ", ".join(map(str, table))
            raise ValueError(
                f"no {what} belongs to {of} {key}, only to {known}: name one with {option}"
            )
        return table[key]


def of_preset(args, model):
    """The `Defaults` of the preset `args.preset`, whose model is `model`."""
    from kzoo.evaluation.capabilities import can
    from kzoo.presets import PresetMixin, read_metadata

    base = common.model_class(args.model) if args.model else PresetMixin
    return Defaults(
        read_metadata(args.preset, base), model.image_shape, by_pixel=can(model, "complete")
    )
