"""What the report of `cfg_study.py` says in numbers, computed from its runs."""

import csv
import math
import statistics

from cfg_study_folders import group_of, groups
from cfg_study_settings import GROWN

SCORES = {
    "inception_score": "inception score",
    "diversity_score": "diversity score",
    "frechet_distance": "Frechet distance",
}
BETTER = {"inception_score": max, "diversity_score": max, "frechet_distance": min}


def spread(values):
    """`{"mean", "std", "n"}` of numbers, without NaN; None if none is left.

    The standard deviation is that of a sample, with n - 1, and NaN for one number.
    """
    values = [value for value in values if not math.isnan(value)]
    if not values:
        return None
    std = statistics.stdev(values) if len(values) > 1 else math.nan
    return {"mean": statistics.fmean(values), "std": std, "n": len(values)}


def shown(value, digits=3):
    """A number as the page shows it, a string."""
    return f"{value:.{digits}g}"


def mean_curve(runs, column):
    """A column of the curves of runs that differ in their seed, point by point.

    Args:
        runs: of one data set, network and method.
        column: such as "inception_score".

    Returns:
        List of dicts: `"point"`, the share of the time; `"seconds"`, their mean; and `spread` of
        the runs that have this point.
    """
    points = {}
    for run in runs:
        for row in run["rows"]:
            points.setdefault(round(row["point"], 6), []).append(row)
    curve = []
    for point, rows in sorted(points.items()):
        values = spread([row.get(column, math.nan) for row in rows])
        if values:
            seconds = statistics.fmean(row["seconds"] for row in rows)
            curve.append({"point": point, "seconds": seconds, **values})
    return curve


def final_table(runs):
    """The outcome by data set, network and method.

    A diverged run counts with its last scores, or not at all where it has none. xICFG has two
    rows, of G_T and of its approximator, and so has the authors' code.

    Returns:
        List of dicts: `"data"`, `"network"`, `"method"`, `"drawn_from"`, `"seeds"`, `"diverged"`,
        the means of `"seconds"`, `"updates"` and `"images"`, and per score `spread` or None.
    """
    table = []
    for key, members in groups(runs).items():
        finals = [run["final"] for run in members]
        for suffix, source in sources_of(key[2]).items():
            table.append(
                {
                    **dict(zip(("data", "network", "method"), key)),
                    "drawn_from": source,
                    "seeds": [run["config"]["seed"] for run in members],
                    "diverged": sum(final["status"] == "diverged" for final in finals),
                    **{
                        name: statistics.fmean(final[name] for final in finals)
                        for name in ("seconds", "updates", "images")
                    },
                    **{
                        name: spread([final.get(name + suffix, math.nan) for final in finals])
                        for name in SCORES
                    },
                }
            )
    return table


def sources_of(method):
    """What the images of a method are drawn from: `{ending of the scores' names: name}`."""
    return {"": "G_T", "_0": "approximator"} if method in GROWN else {"": "generator"}


def histograms(runs):
    """How many images at the end of each finished run were classified as each class.

    Returns:
        List of dicts: `"data"`, `"network"`, `"method"`, `"seed"`, `"drawn_from"`, and `"counts"`,
        a list of ints. A run without scores at the end has none.
    """
    table = []
    for run in runs:
        data, network, method = group_of(run)
        for suffix, source in sources_of(method).items():
            counts = (run["final"] or {}).get(f"class_histogram{suffix}")
            if counts:
                row = {"data": data, "network": network, "method": method}
                row |= {"seed": run["config"]["seed"], "drawn_from": source, "counts": counts}
                table.append(row)
    return table


def orders(runs):
    """Who is how good, by data set, network and score.

    Two values are equal if the page shows them as the same number, see `shown`.

    Returns:
        List of dicts: `"data"`, `"network"`, `"score"`; `"order"`, lists of methods of equal means
        at the end, from the best to the worst; `"first_by_seed"` and `"first_by_point"`, how often
        each method is better than all others: at the end among runs of one seed, and in the mean
        over seeds at a point in time. A tie for the first place counts for none. Only seeds and
        points that at least two methods have count.
    """
    found = []
    for (data, network), members in groups(runs, 2).items():
        by_method = {key[2]: value for key, value in groups(members).items()}
        for score, better in BETTER.items():
            ends, seeds, points = {}, {}, {}
            for method, own in by_method.items():
                for run in own:
                    value = run["final"].get(score, math.nan)
                    if not math.isnan(value):
                        seeds.setdefault(run["config"]["seed"], {})[method] = value
                for row in mean_curve(own, score):
                    points.setdefault(row["point"], {})[method] = row["mean"]
                end = spread([run["final"].get(score, math.nan) for run in own])
                if end:
                    ends[method] = end["mean"]
            found.append(
                {
                    "data": data,
                    "network": network,
                    "score": score,
                    "order": _ranking(ends, better),
                    "first_by_seed": _first(seeds, better),
                    "first_by_point": _first(points, better),
                }
            )
    return found


def _ranking(values, better):
    """The methods of `{method: value}` from the best to the worst, those of a tie in one list."""
    ranks = {}
    for method, value in values.items():
        ranks.setdefault(float(shown(value)), []).append(method)
    return [ranks[value] for value in sorted(ranks, reverse=better is max)]


def _first(contests, better):
    """How often each method is the only best one of `{contest: {method: value}}`."""
    counts = {}
    for values in contests.values():
        if len(values) > 1:
            first = _ranking(values, better)[0]
            if len(first) == 1:
                counts[first[0]] = counts.get(first[0], 0) + 1
    return counts


def write_curves(runs, path):
    """Writes all points of all runs to one CSV file."""
    names = ("data", "network", "method", "seed")
    columns = list(dict.fromkeys(column for run in runs for row in run["rows"] for column in row))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, *columns])
        for run in runs:
            for row in run["rows"]:
                values = [row.get(column, math.nan) for column in columns]
                writer.writerow(
                    [
                        *(run["config"][name] for name in names),
                        *("" if math.isnan(value) else f"{value:.6g}" for value in values),
                    ]
                )


def write_final(table, path):
    """Writes what `final_table` returned to a CSV file."""
    plain = ("data", "network", "method", "drawn_from")
    counts = ("seconds", "updates", "images")
    parts = ("mean", "std")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        scores = [f"{name}_{part}" for name in SCORES for part in parts]
        writer.writerow([*plain, "runs", "diverged", *counts, *scores])
        for row in table:
            values = [(row[name] or {}).get(part, math.nan) for name in SCORES for part in parts]
            values = ["" if math.isnan(value) else f"{value:.6g}" for value in values]
            numbers = [f"{row[name]:.6g}" for name in counts]
            writer.writerow(
                [*(row[n] for n in plain), len(row["seeds"]), row["diverged"], *numbers, *values]
            )


def write_histograms(table, path):
    """Writes what `histograms` returned to a CSV file, a column for each class."""
    plain = ("data", "network", "method", "seed", "drawn_from")
    classes = max((len(row["counts"]) for row in table), default=0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*plain, *(f"class_{k}" for k in range(classes))])
        for row in table:
            writer.writerow([*(row[name] for name in plain), *row["counts"]])


def markdown(header, rows):
    """A table in Markdown."""
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])
