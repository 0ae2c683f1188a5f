"""Pictures of the report of `cfg_study.py`: curves over time, sheets of samples."""

import shutil

from cfg_study_settings import METHODS, NETWORKS
from cfg_study_tables import SCORES, groups, mean_curve
from matplotlib.figure import Figure

COLORS = dict(zip(METHODS, ("C3", "C7", "C0", "C2")))


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
                values = {name: [row[name] for row in curve] for name in ("mean", "min", "max")}
                color = COLORS[method]
                axis.plot(x, values["mean"], ".-", color=color, label=METHODS[method])
                axis.fill_between(x, values["min"], values["max"], color=color, alpha=0.2, lw=0)
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


def copy_samples(runs, folder):
    """Copies the sheet of the first seed of each method; returns `[(label, file name), ...]`."""
    sheets = []
    for (data, network, method), members in groups(runs).items():
        drawn = [run for run in members if (run["folder"] / "samples.png").is_file()]
        if drawn:
            name = f"{data}-{network}-{method}.png"
            shutil.copyfile(drawn[0]["folder"] / "samples.png", folder / name)
            seed = drawn[0]["config"]["seed"]
            label = f"{data}, {network.replace('_', ' ')}, {METHODS[method]}, seed {seed}"
            sheets.append((label, name))
    return sheets
