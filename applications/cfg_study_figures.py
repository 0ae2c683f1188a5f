"""Pictures of the report of `cfg_study.py`: curves over time, sheets of samples."""

import shutil

from cfg_study_folders import groups
from cfg_study_settings import METHODS, NETWORKS, run_name
from cfg_study_tables import SCORES, mean_curve
from matplotlib.figure import Figure

COLORS = dict(zip(METHODS, ("C3", "C7", "C0", "C2", "C1")))


def figure(runs, score, path):
    """Draws a score over time: a panel per data set and network, a line per method.

    Returns:
        The path.
    """
    panels = groups(runs, 2)
    rows = list(dict.fromkeys(data for data, _ in panels))
    columns = [name for name in NETWORKS if any(name == network for _, network in panels)]
    figure = Figure(figsize=(5 * len(columns), 3.4 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), len(columns), squeeze=False)
    for i, data in enumerate(rows):
        for j, network in enumerate(columns):
            axis = axes[i][j]
            if (data, network) not in panels:
                axis.remove()
                continue
            members = panels[data, network]
            for (*_, method), own in groups(members).items():
                curve = mean_curve(own, score)
                if not curve:
                    continue
                x = [row["seconds"] / 60 for row in curve]
                means = [row["mean"] for row in curve]
                low, high = band(curve)
                color = COLORS[method]
                axis.plot(x, means, ".-", color=color, label=METHODS[method])
                axis.fill_between(x, low, high, color=color, alpha=0.2, lw=0)
            axis.axhline(members[0]["final"]["reference"][score], color="black", lw=1, ls=":")
            axis.set_title(f"{data}, {network.replace('_', ' ')}")
            axis.set_xlabel("minutes of updates")
            axis.set_ylabel(SCORES[score])
            if score == "frechet_distance":
                axis.set_yscale("log")
            if axis.get_legend_handles_labels()[0]:
                axis.legend(fontsize="small")
    figure.savefig(path, dpi=100)
    return path


def band(curve):
    """The mean minus and plus the standard deviation; NaN, and so no band, where there is none.

    Args:
        curve: of `mean_curve`.

    Returns:
        Two lists of floats. A Frechet distance is positive and its axis logarithmic: a lower end
        that is not positive is a hundredth of the mean.
    """
    low = [row["mean"] - row["std"] for row in curve]
    low = [row["mean"] / 100 if end <= 0 else end for row, end in zip(curve, low)]
    return low, [row["mean"] + row["std"] for row in curve]


def copy_samples(runs, folder):
    """Copies the sheet of the first seed of each method that has one, or takes an earlier copy.

    Returns:
        `[(label, file name), ...]`.
    """
    sheets = []
    for (data, network, method), members in groups(runs).items():
        for run in members:
            sheet, copy = run["folder"] / "samples.png", folder / f"{run_name(run['config'])}.png"
            if sheet.is_file():
                shutil.copyfile(sheet, copy)
            if copy.is_file():
                label = f"{data}, {network.replace('_', ' ')}, {METHODS[method]}"
                sheets.append((f"{label}, seed {run['config']['seed']}", copy.name))
                break
    return sheets
