"""What a model was trained on: the record in its preset's metadata, and how it is used."""

import hashlib
import pathlib
import re

import numpy as np

from kzoo.cli import data

# What is known of images, as protocols say it.
TRAINING = "training images"
HELD_OUT = "held out"
NOT_KNOWN = "not known whether trained on"

_HELD_OUT_SPLITS = {"lsun/bedroom": "validation"}  # by data set; "test" of all others
_DATA_SET = re.compile(r"\w[\w.+-]*(/\w[\w.+-]*)*(:[\w.*]+)?")  # a TFDS name: no path, no address
_TYPES = {
    "data": str,
    "split": str,
    "num_images": int,
    "sha256": str,
    "sources": str,
    "validation_split": float,
    "seed": int,
    "class_names": list,
    "earlier": dict,
}


def held_out_split(source):
    """The split of what `--data` names that models do not train on."""
    return _HELD_OUT_SPLITS.get(source, "test")


def fingerprint(source, split, feature="image"):
    """SHA-256 of the images of a folder or file: of the names and sizes of files, or of an array.

    Args:
        source, split: as in `kzoo.cli.data.open_data`.
        feature: name of the array of an .npz file, as in `kzoo.datasets.from_arrays`.

    Returns:
        Hexadecimal digits; equal images have equal ones, whatever their folder or file is called.
    """
    from kzoo.datasets import image_files, npz

    path = pathlib.Path(source).expanduser()
    digest = hashlib.sha256()
    if path.is_dir():
        for file in image_files.find(path):
            line = f"{file.relative_to(path).as_posix()}\0{file.stat().st_size}\n"
            digest.update(line.encode())
        return digest.hexdigest()
    array = np.atleast_1d(npz.read(path, split, (feature,))[feature])
    digest.update(f"{array.dtype} {array.shape[:3]}".encode())  # grey images have 3 or 4 axes
    for image in array:
        digest.update(np.ascontiguousarray(image))
    return digest.hexdigest()


def record(args, dataset, feature="image", earlier=None):
    """The record of a training, as `metadata.json` keeps it under "trained_on".

    Args:
        args: the arguments of `kzoo train`.
        dataset: the data set of the training images.
        feature: as in `fingerprint`.
        earlier: the record of the preset that the training went on from, `{}` if it has none;
            `None` for a training from new weights.
    """
    entry = {"data": args.data, "split": args.split}
    if data.is_file(args.data):
        entry["num_images"] = dataset.num_examples
        entry["sha256"] = fingerprint(args.data, args.split, feature)
    else:
        entry["num_images"] = _num_examples(args.data, args.split)
    options = {
        "sources": args.sources,
        "validation_split": args.validation_split,
        "seed": args.validation_split and args.seed,
        "class_names": getattr(dataset, "class_names", None),
    }
    entry |= {name: value for name, value in options.items() if value is not None}
    return entry if earlier is None or earlier == entry else {**entry, "earlier": earlier}


def _num_examples(source, split):
    """The number of images of a data set's split; `None` if there is no such split."""
    from kzoo.datasets import catalog

    data.import_tensorflow(source)
    with catalog.quiet():
        builder = catalog.find_builder(source)
        catalog.prepare(builder)
    try:
        return catalog.num_examples(builder, split)
    except ValueError:
        return None


class TrainedOn:
    """What a preset records of the images that its model was trained on.

    The entry "trained_on" of the metadata has "data" and "split" as `kzoo train` was given them,
    "num_images" and, of a folder or file, "sha256" (see `fingerprint`) and "validation_split" with
    its "seed"; of a training that went on from a preset, "earlier" is the record of that. Of a
    preset without "trained_on", "dataset" names the data only.

    Args:
        metadata: dict, the content of `metadata.json`.
        feature: function `(source, split)` that returns the name of the images' array; `None` for
            "image".

    Raises:
        ValueError: if the record is not one that `kzoo train` writes.
    """

    def __init__(self, metadata, feature=None):
        entry = metadata.get("trained_on")
        if entry is None:
            entry = {"data": metadata.get("dataset")}
        for name, kind in _TYPES.items():
            value = entry.get(name) if isinstance(entry, dict) else entry
            if not isinstance(value, kind | None):
                raise ValueError(
                    f"metadata.json: expected {kind.__name__} as {name!r} of what the model was "
                    f"trained on, got {value!r}"
                )
        self.data, self.split = entry.get("data"), entry.get("split")
        self.num_images, self.sha256 = entry.get("num_images"), entry.get("sha256")
        self.sources, self.class_names = entry.get("sources"), entry.get("class_names")
        self.parts = entry.get("validation_split"), entry.get("seed", 0)
        earlier = entry.get("earlier")
        self.earlier = None if earlier is None else TrainedOn({"trained_on": earlier}, feature)
        if self.data is not None and not self.sha256 and not _DATA_SET.fullmatch(self.data):
            raise ValueError(
                f"metadata.json: expected the name of a TensorFlow data set, got {self.data!r}"
            )
        self.name = self.data and data.Images(self.data, self.split or "train").name
        self._feature = feature or (lambda source, split: "image")
        self._hashes = {}

    def images(self, source=None, split=None, training=False):
        """Images to measure on: those given, or else those that the record tells of.

        Args:
            source: what `--data` names; `None` for what the model was trained on.
            split: `None` for images that are held out, if the source has any.
            training: whether `None` as the split stands for the images trained on instead.

        Returns:
            `kzoo.cli.data.Images`; `known` says whether the model was trained on them.

        Raises:
            ValueError: without a source, if none is recorded or it has changed since.
            FileNotFoundError: without a source, if that which is recorded is not there.
        """
        if source is None:
            source = self._check()
        same, part = self.holds(source), None
        if same and self.parts[0] is not None and split in (None, self.split):
            part = data.Part(*self.parts, held_out=split is None and not training)
            split = self.split
        elif split is None:
            split = "train"
            if training and same:
                split = self.split or "train"
            elif not training and data.has_splits(source):
                split = held_out_split(source)
        sources = self.sources if same else None
        images = data.Images(source, split, part, sources, self.class_names)
        return images._replace(known=self.known(images))

    def known(self, images):
        """Whether the model was trained on some images: `TRAINING`, `HELD_OUT` or `NOT_KNOWN`."""
        is_file = data.is_file(images.source)
        known = self._known_of_file(images) if is_file else self._known_of_data_set(images)
        if self.earlier is None or known == TRAINING:
            return known
        before = self.earlier.known(images)
        return before if TRAINING == before or before == known else NOT_KNOWN

    def holds(self, source):
        """Whether a source has, as the recorded split, the images that are recorded."""
        if not data.is_file(source):
            return self.sha256 is None and source == self.data
        return self.sha256 is not None and self._hash(source, self.split) == self.sha256

    def is_same_data(self, other):
        """Whether another record tells of the same data, by their hash or, without one, name.

        Data sets of one name with different numbers of images are different data.
        """
        if self.sha256 or other.sha256:
            return self.sha256 == other.sha256
        same = self.split != other.split or self.num_images == other.num_images
        return self.data is not None and self.data == other.data and same

    def knows_training_images(self, other):
        """Whether the model was trained on all images of another record; a word as of `known`."""
        same = self.split is not None and self.is_same_data(other)
        if not self.sha256:
            same = same and self.split == other.split
        whole = self.parts[0] is None or self.parts == other.parts
        return TRAINING if same and whole else NOT_KNOWN

    def _check(self):
        """The source that is recorded, if it is there as it was."""
        name = self.data
        if name is None:
            raise ValueError(
                "the preset does not record what its model was trained on: name images with --data"
            )
        if self.sha256 is None:
            if data.is_file(name):
                raise ValueError(
                    f"the model was trained on the data set {name!r}, but there is a file or "
                    "folder of this name: say with --data what to measure on"
                )
        elif not pathlib.Path(name).expanduser().exists():
            raise FileNotFoundError(
                f"the model was trained on {name!r}, which is not here: say with --data where it is"
            )
        elif not self.holds(name):
            raise ValueError(
                f"{name!r} has changed since the model was trained on it: give --data {name} to "
                "measure on it as it is now"
            )
        return name

    def _hash(self, source, split):
        key = source, split
        if key not in self._hashes:
            try:
                self._hashes[key] = fingerprint(source, split, self._feature(source, split))
            except ValueError:  # an .npz file without that split
                self._hashes[key] = None
        return self._hashes[key]

    def _known_of_file(self, images):
        if self.sha256 is None:
            return NOT_KNOWN
        if self._hash(images.source, images.split) == self.sha256:
            if self.parts[0] is None:
                return TRAINING
            if images.part is None or images.part[:2] != self.parts:
                return NOT_KNOWN
            return HELD_OUT if images.part.held_out else TRAINING
        return HELD_OUT if self.holds(images.source) else NOT_KNOWN

    def _known_of_data_set(self, images):
        if self.split is None or not self.holds(images.source):
            return NOT_KNOWN
        # A data set may have been prepared otherwise on another machine.
        if _num_examples(images.source, self.split) != self.num_images:
            return NOT_KNOWN
        if images.split == self.split:
            return TRAINING
        trained, other = (
            set(re.findall(r"\w+", re.sub(r"\[.*?\]", "", split)))
            for split in (self.split, images.split)
        )
        return NOT_KNOWN if trained & other or "all" in trained | other else HELD_OUT
