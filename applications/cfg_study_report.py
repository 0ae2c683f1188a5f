"""The report of `cfg_study.py`: a page in Markdown, and beside it tables, figures and samples.

Nothing on the page is written by hand but what stands between the two lines `NOTES`: that is kept
when the page is written anew.
"""

import pathlib

from cfg_study_figures import copy_samples, figure
from cfg_study_folders import groups, keep, kept_runs, page_folder, read
from cfg_study_protocol import protocol_section
from cfg_study_settings import METHODS
from cfg_study_tables import (
    SCORES,
    final_table,
    histograms,
    markdown,
    mean_curve,
    orders,
    shown,
    write_curves,
    write_final,
    write_histograms,
)

NOTES = ("<!-- notes: what stands from here on is kept -->", "<!-- end of notes -->")


def write(output, page):
    """Writes the report on all runs in a folder, and on those that earlier reports have kept.

    Args:
        output: folder of the runs.
        page: .md file; tables, figures, samples and `kept_runs` go to its `page_folder`.

    Raises:
        ValueError: if no run is finished, or the notes of the page are damaged. Nothing is written
            then.
    """
    page = pathlib.Path(page)
    by_hand = notes(page)
    folder = page_folder(page)
    runs = read(pathlib.Path(output), kept_runs(page))
    table = final_table(runs)
    if not table:
        raise ValueError(f"Expected finished runs in {output} or {kept_runs(page)}; no report.")
    folder.mkdir(parents=True, exist_ok=True)
    keep(runs, kept_runs(page))
    write_curves([run for run in runs if run["final"]], folder / "curves.csv")
    write_final(table, folder / "final.csv")
    write_histograms(histograms(runs), folder / "histograms.csv")
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
        f"[final.csv]({folder.name}/final.csv), [curves.csv]({folder.name}/curves.csv) and "
        f"[histograms.csv]({folder.name}/histograms.csv).",
        f"{NOTES[0]}{by_hand}{NOTES[1]}",
        "## Outcome",
        outcome_section(runs, table),
        "## Order",
        order_section(orders(runs)),
        "## Curves",
        "A line is the mean over seeds. Its band is one standard deviation (n - 1) to each side. "
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


def cell(spread, digits=3):
    """Mean and standard deviation over seeds, such as "9.12 ± 0.081"; of one seed its value."""
    if spread is None:
        return "-"
    mean = shown(spread["mean"], digits)
    return mean if spread["n"] == 1 else f"{mean} ± {shown(spread['std'], 2)}"


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
        values = [shown(real[score]) for score in SCORES]
        names = [data, network.replace("_", " "), "real test images", "-"]
        rows.append([*names, *values, "-", "-"])
    header = ["data", "network", "method", "runs", *SCORES.values(), "updates", "images seen"]
    parts = [
        "Each score is the mean over seeds ± their standard deviation (n - 1) at the end of the "
        "training time. An update is one of the generator; for xICFG it is one stage.",
        markdown(header, rows),
    ]
    counted = histograms(runs)
    if counted:
        parts.append(missing_classes(counted))
    for run in runs:
        name = run["folder"].name
        if run["final"] is None:
            parts.append(f"* {name}: not finished, left out.")
        elif run["final"]["status"] == "diverged":
            seconds, reason = run["final"]["seconds"], run["final"]["reason"]
            parts.append(f"* {name}: diverged after {seconds:,.0f} s ({reason}); its last scores.")
    return "\n\n".join(parts)


def missing_classes(table):
    """A sentence for each run that draws no image of some class, or one that there is none."""
    lines = []
    for row in table:
        missing = [k for k, count in enumerate(row["counts"]) if not count]
        if missing and row["drawn_from"] != "approximator":
            name = f"{row['data']}, {row['network'].replace('_', ' ')}, {METHODS[row['method']]}"
            classes = ", ".join(map(str, missing))
            lines.append(
                f"* {name}, seed {row['seed']}: none of {sum(row['counts']):,} images at the end "
                f"is classified as {classes}."
            )
    return "\n".join(lines) or "No run that has scores at the end misses a class there."


def order_section(found):
    def counts(numbers):
        return ", ".join(f"{METHODS[m]} {numbers[m]}" for m in METHODS if m in numbers) or "-"

    rows = [
        [
            row["data"],
            row["network"].replace("_", " "),
            SCORES[row["score"]],
            " > ".join(" = ".join(METHODS[m] for m in tied) for tied in row["order"]),
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
        "First, seeds: for how many seeds a method is better than all others at the end. First, "
        "points in time: at how many points in time its mean over seeds is. Numbers that are "
        "equal in three digits are a tie (=), and a tie is nobody's first place.\n\n"
        + markdown(header, rows)
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
