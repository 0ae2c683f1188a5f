"""Curves, tables and the page of `transfer_learning.py`."""

import csv

import numpy as np
import transfer_learning_settings as study
from matplotlib.figure import Figure

NAMES = {
    "random": "random",
    "autoencoder": "autoencoder",
    "denoising": "denoising autoencoder",
    "vae": "VAE",
}
TITLES = {"mnist": "MNIST", "svhn": "SVHN (subset)"}


def rows_of(path):
    """The rows of the CSV file, dicts of strings."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def collect(rows):
    """`{(data, mode, encoder, labels): accuracies}` of rows of the CSV file."""
    found = {}
    for row in rows:
        key = (row["data"], row["mode"], row["encoder"], int(row["labels"]))
        found.setdefault(key, []).append(float(row["accuracy"]))
    return found


def curves(found, data, path):
    """Draws accuracy over labels, one plot per mode, with the standard deviation of the draws."""
    figure = Figure(figsize=(4 * len(study.MODES), 3.6), layout="constrained")
    axes = figure.subplots(1, len(study.MODES), sharey=True)
    for axis, mode in zip(axes, study.MODES):
        for encoder in study.ENCODERS:
            counts = [n for n in study.UPDATES if (data, mode, encoder, n) in found]
            values = [found[data, mode, encoder, n] for n in counts]
            mean, spread = [np.mean(v) for v in values], [np.std(v) for v in values]
            axis.errorbar(counts, mean, spread, marker="o", capsize=3, label=NAMES[encoder])
        axis.set_xscale("log")
        shown = sorted({key[3] for key in found if key[0] == data})
        axis.set_xticks(shown, [f"{n:,}" for n in shown])
        axis.minorticks_off()
        axis.set_title(f"{TITLES[data]}, {mode}")
        axis.set_xlabel("labels")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("test accuracy, %")
    axes[0].legend()
    figure.savefig(path, dpi=90)


def table(found, data):
    """A Markdown table: a row for every mode and encoder, a column for every number of labels."""
    counts = [n for n in study.UPDATES if any(key[0] == data and key[3] == n for key in found)]
    lines = [f"| Mode | Encoder | {' | '.join(f'{n:,} labels' for n in counts)} |"]
    lines.append("| --- " * (2 + len(counts)) + "|")
    for mode in study.MODES:
        for encoder in study.ENCODERS:
            cells = [cell(found.get((data, mode, encoder, n))) for n in counts]
            if any(cells):
                lines.append(f"| {mode} | {NAMES[encoder]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(values):
    return f"{np.mean(values):.1f} ± {np.std(values):.1f}" if values else ""


def gains(found, data, count=100):
    """A sentence for every mode, and one on all: the best trained encoder against the random."""
    sentences, trained, untrained = [], {}, {}
    for mode in study.MODES:
        random = found.get((data, mode, "random", count))
        others = {
            encoder: np.mean(found[data, mode, encoder, count])
            for encoder in study.ENCODERS[1:]
            if (data, mode, encoder, count) in found
        }
        if random and others:
            best = max(others, key=others.get)
            trained[f"{NAMES[best]}, {mode}"] = others[best]
            untrained[mode] = np.mean(random)
            difference = others[best] - np.mean(random)
            sentences.append(
                f"- {mode}: {NAMES[best]} {others[best]:.1f} %, random {np.mean(random):.1f} %, "
                f"a difference of {difference:+.1f} points over {len(random)} draws."
            )
    if trained:
        best, mode = max(trained, key=trained.get), max(untrained, key=untrained.get)
        sentences.append(
            f"- the best of all modes: {best} {trained[best]:.1f} %; random, {mode} "
            f"{untrained[mode]:.1f} %."
        )
        if trained[best] < untrained[mode] + 1:
            sentences.append(
                "- Training without labels gains nothing here. An encoder learns colours and "
                "light, which rebuild an image. They do not tell its class."
            )
    return "\n".join(sentences)


def protocol(found):
    draws = max(map(len, found.values()))
    network = study.NETWORK
    widths = ", ".join(map(str, network["widths"]))
    updates = ", ".join(f"{n:,}: {u:,}" for n, u in study.UPDATES.items())
    return f"""\
- Encoder, the same for all: 3x3 convolutions of stride 2 with {widths} channels, a \
hidden layer of {network["dense_width"]} ({network["activation"]}), a linear code of \
{study.LATENT_DIM}.
- Training without labels: all training images, Adam({study.PRETRAINING_RATE:g}), batches of \
{study.PRETRAINING_BATCH}, {study.EPOCHS["mnist"]} epochs on MNIST and {study.EPOCHS["svhn"]} on \
SVHN, once. Cross-entropy (Bernoulli) on the grey values of MNIST, squared error (Gaussian) on \
SVHN. The denoising autoencoder does not see {study.MASKED:.0%} of the values.
- A random encoder has new weights in every draw.
- frozen code: a linear layer on the code (of the VAE, the posterior's mean). frozen hidden: on \
the hidden layer. fine-tuned: all weights up to the hidden layer, and the linear layer on it.
- Learning from labels: Adam, learning rate {study.RATES["frozen code"]:g} frozen and \
{study.RATES["fine-tuned"]:g} fine-tuned, batches of {study.BATCH}; updates by labels: {updates}. \
No augmentation, no validation set, no early stopping: the last weights are tested.
- Labels: {draws} draws, equally many of each class, the same for all encoders. A cell gives mean \
± standard deviation over the draws of the accuracy on all test images.
- SVHN is a subset: 9,000 training and 1,000 test images of the official test set, so the last \
column uses all 9,000 labels."""


def write(folder):
    """Writes the curves into `folder` and the page beside it, on the rows there are.

    Returns:
        The path of the page.

    Raises:
        ValueError: if there are no rows.
    """
    found = collect(rows_of(folder / "results.csv"))
    if not found:
        raise ValueError(f"{folder / 'results.csv'} holds no results")
    parts = [
        "# Transfer learning from autoencoders",
        "Accuracy with few labels, of encoders that were trained without labels and of random "
        "ones. Written by `python applications/transfer_learning.py`.",
    ]
    for data in dict.fromkeys(key[0] for key in found):
        curves(found, data, folder / f"{data}.png")
        parts += [
            f"## {TITLES[data]}",
            f"![Accuracy over labels]({folder.name}/{data}.png)",
            table(found, data),
            "With 100 labels:",
            gains(found, data),
        ]
    parts += ["## Protocol", protocol(found)]
    page = folder.with_name(folder.name.upper() + ".md")
    page.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")
    return page
