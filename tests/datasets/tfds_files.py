"""Writes small prepared TFDS data sets for the tests."""

import numpy as np


def write(root, name, splits, image_shape):
    """Writes `root/name/1.0.0` with the features "image" and "label".

    Args:
        splits: {split: list of uint8 images}; the label of an image is its position.
        image_shape: as in `tfds.features.Image`, None where sizes vary.
    """
    import tensorflow_datasets as tfds

    features = {
        "image": tfds.features.Image(shape=image_shape),
        "label": tfds.features.Scalar(np.int64),
    }
    examples = {
        split: [{"image": image, "label": i} for i, image in enumerate(images)]
        for split, images in splits.items()
    }
    write_features(root, name, examples, features)


def write_features(root, name, splits, features):
    """Writes `root/name/1.0.0`.

    Args:
        splits: {split: list of examples}, dicts.
        features: dict of TFDS features.
    """
    import tensorflow as tf
    import tensorflow_datasets as tfds

    folder = root / name / "1.0.0"
    folder.mkdir(parents=True)
    features = tfds.features.FeaturesDict(features)
    infos = []
    for split, examples in splits.items():
        file = folder / f"{name}-{split}.tfrecord-00000-of-00001"
        with tf.io.TFRecordWriter(str(file)) as writer:
            for example in examples:
                writer.write(features.serialize_example(features.encode_example(example)))
        template = tfds.core.ShardedFileTemplate(
            data_dir=folder, dataset_name=name, split=split, filetype_suffix="tfrecord"
        )
        infos.append(
            tfds.core.SplitInfo(
                name=split,
                shard_lengths=[len(examples)],
                num_bytes=file.stat().st_size,
                filename_template=template,
            )
        )
    tfds.folder_dataset.write_metadata(data_dir=folder, features=features, split_infos=infos)


def write_pairs(root):
    """ "pairs": 10 sketches 8x12x1, their photos 8x12x3 with the same first channel, and more."""
    import tensorflow_datasets as tfds

    photos = np.random.default_rng(1).integers(0, 256, (10, 8, 12, 3), dtype=np.uint8)
    examples = [
        {
            "sketch": photo[..., :1],
            "photo": photo,
            "small": photo[:4, :6],
            "deep": photo[..., :1].astype("uint16"),
            "caption": f"number {i} \N{SNOWMAN}",
            "attributes": {"odd": i % 2 == 1},
            "words": ["a"] * i,
        }
        for i, photo in enumerate(photos)
    ]
    features = {
        "sketch": tfds.features.Image(shape=(8, 12, 1)),
        "photo": tfds.features.Image(shape=(8, 12, 3)),
        "small": tfds.features.Image(shape=(4, 6, 3)),
        "deep": tfds.features.Image(shape=(8, 12, 1), dtype=np.uint16),
        "caption": tfds.features.Text(),
        "attributes": {"odd": np.bool_},
        "words": tfds.features.Sequence(tfds.features.Text()),
    }
    write_features(root, "pairs", {"train": examples}, features)
    return photos


def write_examples(root):
    """ "grey_squares": 40 train and 10 test images 12x12x1. "colour_photos": 6 of varying size."""
    rng = np.random.default_rng(0)
    grey = list(rng.integers(0, 256, (50, 12, 12, 1), dtype=np.uint8))
    write(root, "grey_squares", {"train": grey[:40], "test": grey[40:]}, (12, 12, 1))
    photos = [rng.integers(0, 256, (10 + i, 14, 3), dtype=np.uint8) for i in range(6)]
    write(root, "colour_photos", {"train": photos}, (None, None, 3))
    return np.stack(grey), photos
