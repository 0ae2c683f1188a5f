"""The folders of the runs of `cfg_study.py`: they are read, grouped, and their small files kept."""

import csv
import json
import math
import pathlib
import shutil

from cfg_study_settings import DATA, METHODS, NETWORKS, run_name

KEPT = ("config.json", "final.json", "curve.csv")  # of a finished run


def page_folder(page):
    """The folder of a page's tables, figures and samples: of its name in lower case, beside it."""
    page = pathlib.Path(page)
    return page.parent / page.stem.lower()


def kept_runs(page):
    """The folder where `keep` stores finished runs for later reports of a page."""
    return page_folder(page) / "runs"


def keep(runs, folder):
    """Copies the files `KEPT` of finished runs to a folder, each to one of its run's name."""
    for run in runs:
        target = folder / run_name(run["config"])
        if run["final"] and run["folder"].resolve() != target.resolve():
            target.mkdir(parents=True, exist_ok=True)
            for name in KEPT:
                shutil.copyfile(run["folder"] / name, target / name)


def read(*outputs):
    """All runs in some folders. Of runs of one name the first finished one counts.

    Args:
        outputs: `pathlib.Path`s, each an output folder of `cfg_study.py` or what `keep` wrote.

    Returns:
        List of dicts, in the order of data sets, networks, methods and seeds: `"config"`;
        `"final"`, None if the run is not finished; `"rows"`, the curve as a list of dicts of
        floats, NaN where there is no value; `"folder"`.
    """
    runs = {}
    for path in (path for output in outputs for path in output.glob("*/config.json")):
        folder = path.parent
        final, rows = None, []
        if (folder / "final.json").is_file():
            final = json.loads((folder / "final.json").read_text())
        if (folder / "curve.csv").is_file():
            with (folder / "curve.csv").open(newline="") as file:
                rows = [{k: _number(v) for k, v in row.items()} for row in csv.DictReader(file)]
        config = json.loads(path.read_text())
        name = run_name(config)
        if name not in runs or (final and not runs[name]["final"]):
            runs[name] = {"config": config, "final": final, "rows": rows, "folder": folder}
    names = [list(DATA), list(NETWORKS), list(METHODS)]

    def place(run):
        key = group_of(run)
        return [order.index(k) for order, k in zip(names, key)], run["config"]["seed"]

    return sorted(runs.values(), key=place)


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
