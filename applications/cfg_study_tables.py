"""What the report of `cfg_study.py` says in numbers, computed from the folders of the runs."""

import csv
import json
import math
import statistics

from cfg_study_settings import DATA, METHODS, NETWORKS

SCORES = {
    "inception_score": "inception score",
    "diversity_score": "diversity score",
    "frechet_distance": "Frechet distance",
}
BETTER = {"inception_score": max, "diversity_score": max, "frechet_distance": min}


def read(output):
    """All runs in a folder.

    Args:
        output: `pathlib.Path`, of `cfg_study.py`.

    Returns:
        List of dicts, in the order of data sets, networks, methods and seeds: `"config"`;
        `"final"`, None if the run is not finished; `"rows"`, the curve as a list of dicts of
        floats, NaN where there is no value; `"folder"`.
    """
    runs = []
    for path in output.glob("*/config.json"):
        folder = path.parent
        final, rows = None, []
        if (folder / "final.json").is_file():
            final = json.loads((folder / "final.json").read_text())
        if (folder / "curve.csv").is_file():
            with (folder / "curve.csv").open(newline="") as file:
                rows = [{k: _number(v) for k, v in row.items()} for row in csv.DictReader(file)]
        config = json.loads(path.read_text())
        runs.append({"config": config, "final": final, "rows": rows, "folder": folder})
    names = [list(DATA), list(NETWORKS), list(METHODS)]

    def place(run):
        key = group_of(run)
        return [order.index(k) for order, k in zip(names, key)], run["config"]["seed"]

    return sorted(runs, key=place)


def _number(text):
    return float(text) if text else math.nan


def group_of(run):
    """`(data, network, method)` of a run."""
    return tuple(run["config"][name] for name in ("data", "network", "method"))


def groups(runs, parts=3):
    """Finished runs by the first parts of `(data, network, method)`: `{key: [run, ...]}`."""
    found = {}
    for run in runs:
        if run["final"]:
            found.setdefault(group_of(run)[:parts], []).append(run)
    return found


def spread(values):
    """`{"mean", "min", "max", "n"}` of numbers, without NaN; None if none is left."""
    values = [value for value in values if not math.isnan(value)]
    if not values:
        return None
    return {
        "mean": statistics.fmean(values),
        "min": min(values),
        "max": max(values),
        "n": len(values),
    }


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
    rows, of G_T and of its approximator.

    Returns:
        List of dicts: `"data"`, `"network"`, `"method"`, `"drawn_from"`, `"seeds"`, `"diverged"`,
        the means of `"seconds"`, `"updates"` and `"images"`, and per score `spread` or None.
    """
    table = []
    for key, members in groups(runs).items():
        finals = [run["final"] for run in members]
        sources = {"": "G_T" if key[2] == "xicfg" else "generator"}
        if key[2] == "xicfg":
            sources["_0"] = "approximator"
        for suffix, source in sources.items():
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


def orders(runs):
    """Who is how good, by data set, network and score.

    Returns:
        List of dicts: `"data"`, `"network"`, `"score"`; `"order"`, the methods from the best mean
        at the end to the worst; `"first_by_seed"` and `"first_by_point"`, how often each method is
        the best one: at the end among runs of one seed, and in the mean over seeds at a point in
        time. Only seeds and points that at least two methods have count.
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
                    "order": sorted(ends, key=ends.get, reverse=better is max),
                    "first_by_seed": _first(seeds, better),
                    "first_by_point": _first(points, better),
                }
            )
    return found


def _first(contests, better):
    """How often each method is the best of `{contest: {method: value}}`."""
    counts = {}
    for values in contests.values():
        if len(values) > 1:
            best = better(values, key=values.get)
            counts[best] = counts.get(best, 0) + 1
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
    parts = ("mean", "min", "max")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        scores = [f"{name}_{part}" for name in SCORES for part in parts]
        writer.writerow([*plain, "runs", "diverged", *counts, *scores])
        for row in table:
            values = [
                f"{row[name][part]:.6g}" if row[name] else "" for name in SCORES for part in parts
            ]
            numbers = [f"{row[name]:.6g}" for name in counts]
            writer.writerow(
                [*(row[n] for n in plain), len(row["seeds"]), row["diverged"], *numbers, *values]
            )
