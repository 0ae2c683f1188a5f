"""Cached against naive sampling of the pixel models: the same weights, noise and process.

    python benchmarks/pixel_sampling.py
    python benchmarks/pixel_sampling.py --models gated_pixelcnn --sizes 16,32,64 --backends jax

"Cached" is `generate`: every pixel from what the earlier ones left in caches. "Naive" is
`generate(cached=False)`: the network on the whole image, one compiled program, for every value.
The naive sampler computes the first `--naive-rows` rows of pixels; its time is scaled to the
whole image, every value of which costs it the same. That both draw the same pixels is checked.
Every row of the table is a process of its own; weights are random. CPU only.
"""

import argparse
import json
import statistics
import time

import pixel_models
import processes


def draw(name, size, batch, naive_rows, repetitions):
    """Seconds for a batch of images, cached and naive; of the first draw, too."""
    import keras
    import numpy as np
    from keras import ops

    model = pixel_models.build(name, size)
    height, width, _ = model.image_shape
    noise = ops.convert_to_numpy(model.draw_noise(batch, keras.random.SeedGenerator(0)))
    given = np.zeros((batch, *model.image_shape), "float32")
    missing = np.ones((batch, height, width), bool)
    inputs = (noise, given, missing, {}, np.ones((), "float32"))

    def timed(function):
        start = time.perf_counter()
        result = function()
        return time.perf_counter() - start, result

    first, levels = timed(lambda: model.draw_images(*inputs))
    model.draw_images_naively(*inputs, rows=1)  # compiles
    cached = [timed(lambda: model.draw_images(*inputs))[0] for _ in range(repetitions)]
    whole, slowly = timed(lambda: model.draw_images_naively(*inputs, rows=naive_rows))
    same = float(np.mean(slowly[:, :naive_rows] == levels[:, :naive_rows]))
    return {
        "first": first,
        "cached": statistics.median(cached),
        "naive": whole * height / naive_rows,
        "same": same,
    }


def table(rows):
    """The rows as a Markdown table."""
    names = ["Model", "Image", "Backend", "Batch", "first, s", "cached, s", "naive, s", "ratio"]
    names += ["values alike"]
    lines = [
        [
            row["name"],
            "x".join(map(str, pixel_models.image_shape(row["name"], row["size"]))),
            row["backend"],
            str(row["batch"]),
            f"{row['first']:.1f}",
            f"{row['cached']:.3f}",
            f"{row['naive']:.1f}",
            f"{row['naive'] / row['cached']:.0f}",
            f"{100 * row['same']:.1f} %",
        ]
        for row in rows
    ]
    return processes.markdown(names, lines)


def parse(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    processes.add_options(parser, repetitions=3)
    parser.add_argument("--models", default=",".join(pixel_models.MODELS), help="comma-separated")
    parser.add_argument("--sizes", default="28,32", help="comma-separated heights (and widths)")
    parser.add_argument("--batches", default="1,16", help="comma-separated batch sizes")
    parser.add_argument("--naive-rows", type=int, default=2, help="rows that the naive one draws")
    options = processes.parse(parser, arguments)
    options.models = pixel_models.names(options.models, parser)
    for name in ("sizes", "batches"):
        processes.ints(parser, options, name)
    if not 1 <= options.naive_rows <= min(options.sizes):
        parser.error(f"--naive-rows must be in 1..{min(options.sizes)}, got {options.naive_rows}")
    return options


def main():
    options = parse()
    if options.work:
        return processes.answer(options.work, draw)
    axes = {"backend": options.backends, "name": options.models}
    axes |= {"size": options.sizes, "batch": options.batches}
    names = ("threads", "naive_rows", "repetitions")
    rows = processes.rows(__file__, axes, {name: getattr(options, name) for name in names})
    print(json.dumps(rows, indent=1) if options.json else table(rows))


if __name__ == "__main__":
    main()
