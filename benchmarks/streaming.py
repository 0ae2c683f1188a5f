"""A stream of images from TFRecords: its speed beside a GAN's, and its memory.

    python benchmarks/streaming.py --threads 1

Writes data sets of simple drawn images, 64x64 in colours and PNG, as TFDS writes its own: TFRecords
of 250 images each. A process for each of them, and for each backend,

* passes over it once with `kzoo.datasets.load`, which reads, decodes and batches, and no more;
* trains a small GAN of DCGAN's networks on it with `fit`, for `--steps` steps. The first step,
  which compiles, is not counted.

The images do not stay in memory (`cache=False`). They come in the order of the files: the buffer
that shuffles takes up to 1 GiB of images. `--shuffle` measures it too. Memory is the resident set
of the process before the pass and after so many percent of it. CPU only.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import processes
from sampling import resident

NAME = "drawn_images"
MIB = 2**20
SHARD = 250  # images; enough files that as many are open at once for every size
QUARTERS = (25, 50, 75, 100)  # percent of an epoch


def draw(rng, size):
    """A coloured disc before a slope of another colour: uint8 (size, size, 3)."""
    down, across = np.mgrid[:size, :size, :1][:2] / size
    back, front = rng.uniform(0, 255, (2, 3))
    centre, radius = rng.uniform(0.3, 0.7, 2), rng.uniform(0.1, 0.3)
    inside = np.hypot(down - centre[0], across - centre[1]) < radius
    noise = rng.normal(0, 4, (size, size, 3))
    return np.clip(np.where(inside, front, back * across) + noise, 0, 255).astype("uint8")


def write(folder, count, size):
    """Writes a prepared data set of so many images, which `kzoo.datasets.load` finds."""
    import tensorflow_datasets as tfds

    path = Path(folder, NAME, "1.0.0")
    path.mkdir(parents=True)
    identity = tfds.core.DatasetIdentity(
        name=NAME,
        version=tfds.core.Version("1.0.0"),
        data_dir=str(path),
        module_name=__name__,
    )
    features = tfds.features.FeaturesDict({"image": tfds.features.Image(shape=(size, size, 3))})
    info = tfds.core.DatasetInfo(builder=identity, features=features)
    writer = tfds.core.SequentialWriter(info, max_examples_per_shard=SHARD)
    writer.initialize_splits(["train"])
    rng = np.random.default_rng(0)
    for start in range(0, count, SHARD):
        images = [draw(rng, size) for _ in range(min(SHARD, count - start))]
        writer.add_examples({"train": [{"image": image} for image in images]})
    writer.close_all()


def read(data, batch):
    """Images per second of one pass, and the memory at its quarters."""
    count = len(data)
    marks = {count * percent // 100 for percent in QUARTERS}
    memory = []
    for i, _ in enumerate(data, 1):
        if i == 1:
            start = time.perf_counter()  # after the files are open
        if i in marks:
            memory.append(round(resident() / MIB, 1))
    return (count - 1) * batch / (time.perf_counter() - start), memory


def train(data, batch, size, width, steps):
    """Images per second of a GAN's `fit`, after an epoch that compiles it."""
    import kzoo

    model = kzoo.GAN(image_shape=(size, size, 3), width=width)
    model.compile()
    model.fit(data, steps_per_epoch=1, verbose=0)
    start = time.perf_counter()
    model.fit(data, steps_per_epoch=steps, verbose=0)
    return steps * batch / (time.perf_counter() - start)


def stream(folder, size, batch, width, steps, shuffle):
    """The figures of a row: of the input alone, and of a training on it."""
    import kzoo

    options = {"cache": False, "drop_remainder": True, "seed": 0, "data_dir": folder}
    data = kzoo.datasets.load(NAME, batch_size=batch, shuffle=shuffle, **options)
    before = resident() / MIB
    speed, memory = read(data, batch)
    training = train(data, batch, size, width, steps)
    return {"before": before, "memory": memory, "input": speed, "training": training}


def measure(options):
    """A row of figures for every number of images and backend."""
    rows = []
    names = ("size", "batch", "width", "steps", "shuffle", "threads")
    common = {name: getattr(options, name) for name in names}
    for count in options.images:
        with tempfile.TemporaryDirectory() as folder:
            write(folder, count, options.size)
            axes = {"images": [count], "backend": options.backends}
            rows += processes.rows(__file__, axes, {**common, "folder": folder})
    return rows


def table(rows):
    """The rows as a Markdown table."""
    names = ["Backend", "Images", "input, images / s", "training, images / s", "input / training"]
    names += ["MiB before", *(f"MiB at {percent} %" for percent in QUARTERS)]
    lines = [
        [
            row["backend"],
            f"{row['images']:,}",
            f"{row['input']:.0f}",
            f"{row['training']:.0f}",
            f"{row['input'] / row['training']:.1f}",
            *(f"{x:.0f}" for x in (row["before"], *row["memory"])),
        ]
        for row in rows
    ]
    return processes.markdown(names, lines)


def parse(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(repetitions=1, mixed_precision=False)
    parser.add_argument("--backends", default=",".join(processes.BACKENDS), help="comma-separated")
    parser.add_argument("--threads", type=int, default=2, help="threads and CPUs of each process")
    parser.add_argument("--json", action="store_true", help="prints JSON instead of a table")
    parser.add_argument("--work", type=json.loads, help="(internal) a process of one row")
    parser.add_argument("--images", default="10000,60000", help="comma-separated sizes of the data")
    parser.add_argument("--size", type=int, default=64, help="height and width of the images")
    parser.add_argument("--batch", type=int, default=64, help="images per batch")
    parser.add_argument("--width", type=int, default=16, help="of the GAN's networks")
    parser.add_argument("--steps", type=int, default=50, help="of the training")
    parser.add_argument("--shuffle", action="store_true", help="shuffles the images")
    options = processes.parse(parser, arguments)
    processes.ints(parser, options, "images")
    for name in ("size", "batch", "width", "steps"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1, got {getattr(options, name)}")
    if min(options.images) < 4 * options.batch:
        parser.error(f"--images must be at least 4 batches of {options.batch}")
    return options


def main():
    options = parse()
    if options.work:
        return processes.answer(options.work, stream)
    rows = measure(options)
    print(json.dumps(rows, indent=1) if options.json else table(rows))


if __name__ == "__main__":
    main()
