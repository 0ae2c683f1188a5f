"""The report of `cfg_study.py`: a page in Markdown, and beside it tables, figures and samples.

Nothing on the page is written by hand but what stands between the two lines `NOTES`: that is kept
when the page is written anew.
"""

import pathlib

from cfg_study_figures import copy_samples, figure
from cfg_study_settings import METHODS
from cfg_study_tables import (
    SCORES,
    final_table,
    group_of,
    groups,
    mean_curve,
    orders,
    read,
    write_curves,
    write_final,
)

NOTES = ("<!-- notes: what stands from here on is kept -->", "<!-- end of notes -->")


def write(output, page):
    """Writes the report on all runs in a folder.

    Args:
        output: folder of the runs.
        page: .md file; tables, figures and samples go to the folder of its name in lower case.
    """
    page = pathlib.Path(page)
    folder = page.parent / page.stem.lower()
    folder.mkdir(parents=True, exist_ok=True)
    runs = read(pathlib.Path(output))
    table = final_table(runs)
    write_curves([run for run in runs if run["final"]], folder / "curves.csv")
    write_final(table, folder / "final.csv")
    pictures = []
    if table:
        pictures = [
            figure(runs, "inception_score", folder / "inception_score.png"),
            figure(runs, "frechet_distance", folder / "frechet_distance.png"),
            figure(runs, "diversity_score", folder / "diversity_score.png"),
        ]
    sheets = copy_samples(runs, folder)
    sections = [
        "# xICFG, GAN0, GAN1 and WGAN-GP at equal time",
        "The comparison of Johnson, Zhang 2018 (arXiv:1801.06309), section 4, by "
        "`python applications/cfg_study.py`. All numbers are in "
        f"[final.csv]({folder.name}/final.csv) and [curves.csv]({folder.name}/curves.csv).",
        f"{NOTES[0]}{notes(page)}{NOTES[1]}",
        "## Outcome",
        outcome_section(runs, table),
        "## Order",
        order_section(orders(runs)),
        "## Curves",
        "A line is the mean over seeds. Its band goes from the smallest to the largest value. "
        "The dotted line is the score of real test images.",
        *(f"![{path.stem}]({folder.name}/{path.name})" for path in pictures),
        "## Start of the GANs",
        start_section(runs),
        "## Samples at the end",
        *(f"{label}\n\n![{label}]({folder.name}/{name})" for label, name in sheets),
        "## Protocol",
        protocol_section(runs),
    ]
    part = page.with_name(f".{page.name}")
    part.write_text("\n\n".join(sections) + "\n")
    part.replace(page)


def notes(page):
    """The text that somebody wrote on the page between the lines `NOTES`."""
    if not page.is_file():
        return "\n"
    text = page.read_text()
    if text.count(NOTES[0]) != 1 or text.count(NOTES[1]) != 1:
        raise ValueError(f"Expected {NOTES[0]!r} and {NOTES[1]!r} once each in {page}.")
    return text.partition(NOTES[0])[2].partition(NOTES[1])[0]


def markdown(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])


def cell(spread, digits=3):
    """Mean and range over seeds, such as "9.12 (9.05 .. 9.20)"."""
    if spread is None:
        return "-"
    mean, low, high = (f"{spread[name]:.{digits}g}" for name in ("mean", "min", "max"))
    return mean if spread["n"] == 1 else f"{mean} ({low} .. {high})"


def outcome_section(runs, table):
    rows = []
    for row in table:
        count = str(len(row["seeds"])) + (f", {row['diverged']} diverged" * bool(row["diverged"]))
        name = METHODS[row["method"]]
        name += ", approximator alone" if row["drawn_from"] == "approximator" else ""
        rows.append(
            [
                row["data"],
                row["network"].replace("_", " "),
                name,
                count,
                *(cell(row[score]) for score in SCORES),
                f"{row['updates']:,.0f}",
                f"{row['images']:,.0f}",
            ]
        )
    for (data, network), members in groups(runs, 2).items():
        real = members[0]["final"]["reference"]
        values = [f"{real[score]:.3g}" for score in SCORES]
        names = [data, network.replace("_", " "), "real test images", "-"]
        rows.append([*names, *values, "-", "-"])
    header = ["data", "network", "method", "runs", *SCORES.values(), "updates", "images seen"]
    parts = [
        "Each score is the mean over seeds (smallest .. largest) at the end of the training "
        "time. An update is one of the generator; for xICFG it is one stage.",
        markdown(header, rows),
    ]
    for run in runs:
        name = run["folder"].name
        if run["final"] is None:
            parts.append(f"* {name}: not finished, left out.")
        elif run["final"]["status"] == "diverged":
            seconds, reason = run["final"]["seconds"], run["final"]["reason"]
            parts.append(f"* {name}: diverged after {seconds:,.0f} s ({reason}); its last scores.")
    return "\n\n".join(parts)


def order_section(found):
    def counts(numbers):
        return ", ".join(f"{METHODS[m]} {numbers[m]}" for m in METHODS if m in numbers) or "-"

    rows = [
        [
            row["data"],
            row["network"].replace("_", " "),
            SCORES[row["score"]],
            " > ".join(METHODS[method] for method in row["order"]),
            counts(row["first_by_seed"]),
            counts(row["first_by_point"]),
        ]
        for row in found
    ]
    header = [
        "data",
        "network",
        "score",
        "best mean first",
        "first, seeds",
        "first, points in time",
    ]
    return (
        "First, seeds: for how many seeds a method is best at the end. First, points in time: "
        "at how many points in time its mean over seeds is best.\n\n" + markdown(header, rows)
    )


def start_section(runs):
    rows = []
    for (data, network, method), members in groups(runs).items():
        scale = mean_curve(members, "scale")
        inception = {row["point"]: row for row in mean_curve(members, "inception_score")}
        loss = {row["point"]: row for row in mean_curve(members, "d_loss")}
        for row in scale:
            point = row["point"]
            rows.append(
                [
                    data,
                    network.replace("_", " "),
                    METHODS[method],
                    f"{point:.3g}",
                    f"{row['seconds']:,.0f}",
                    cell(row, 2),
                    cell(loss.get(point), 2),
                    cell(inception.get(point)),
                ]
            )
    header = ["data", "network", "method", "share of time", "seconds"]
    header += ["E s(G(z))", "d_loss", "inception score"]
    return (
        "s(x) = sigmoid(D(x)) is the factor that the gradient of GAN0's generator loss has in each "
        "image; GAN1's has 1 - s(x) instead. d_loss is the discriminator's loss.\n\n"
        + markdown(header, rows)
    )


def protocol_section(runs):
    finished = [run for run in runs if run["final"]]
    rows = []
    for (data,), members in groups(runs, 1).items():

        def values(read, members=members):
            return "; ".join(dict.fromkeys(str(read(run)) for run in members))

        rows.append(
            [
                data,
                values(lambda run: run["config"]["source"]),
                values(lambda run: f"{run['config']['minutes']:g}"),
                values(lambda run: run["config"]["width"]),
                values(lambda run: run["config"]["classifier"]),
                values(lambda run: f"{run['config']['curve_samples']:,}"),
                values(lambda run: f"{run['config']['num_samples']:,}"),
                values(lambda run: run["config"]["precision"]),
                values(lambda run: run["config"]["clock"]),
                values(lambda run: run["config"]["threads"] or "no limit"),
                values(lambda run: run["config"]["backend"]),
            ]
        )
    header = ["data", "images", "minutes", "width", "classifier", "images scored on the way"]
    header += ["at the end", "precision", "clock", "threads", "backend"]
    machines = dict.fromkeys(
        ", ".join(f"{k} {v}" for k, v in run["final"]["machine"].items()) for run in finished
    )
    described = {}
    for run in finished:
        data, network, method = group_of(run)
        config = run["config"]
        text = (described_settings(config), described_optimizer(config))
        key = (network.replace("_", " "), METHODS[method], *text)
        described.setdefault(key, []).append(data)
    settings = [
        [network, method, ", ".join(dict.fromkeys(data)), text, optimizer]
        for (network, method, text, optimizer), data in described.items()
    ]
    return "\n\n".join(
        [
            "Networks: those of DCGAN, with the paper's 1x1 convolutions and the same width for "
            "all methods. A fully connected generator has two layers of 512 units; its "
            "discriminator is the convolutional one. The convolutional networks have batch "
            "norm, except for WGAN-GP's critic. They start from N(0, .01^2) for xICFG and from "
            "DCGAN's N(0, .02^2) for the other methods. The fully connected generator starts "
            "from N(0, .01^2). Latents are N(0, I) of length 100, and mini-batches have 64 "
            "images. There are no latent codes, no decay of the learning rate and no averages "
            "of weights.",
            "Only updates count as training time. This includes the approximator's "
            "initialization, and the compilation at the first update. It does not include "
            "drawing and scoring images. The process clock is the processor time of the run's "
            "process, over all of its threads.",
            "Scores are measured with the Classifier preset, on images clipped to [-1, 1], from "
            "seed 0, in one split. More images are scored at the end than on the way, and in "
            "float32. A Frechet distance of fewer images is larger. A mean over seeds at a "
            "point in time is that of the runs that reached it.",
            markdown(header, rows),
            "\n".join(f"* {machine}" for machine in machines),
            markdown(["network", "method", "data", "arguments", "optimizer of both"], settings),
        ]
    )


def described_settings(config):
    return ", ".join(f"{k}={v!r}" for k, v in config["arguments"].items())


def described_optimizer(config):
    options = ", ".join(f"{k}={v:g}" for k, v in config["optimizer"]["config"].items())
    return f"{config['optimizer']['class_name']}({options})"
