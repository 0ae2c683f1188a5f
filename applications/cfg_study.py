"""The comparison of Johnson, Zhang 2018, section 4: xICFG, GAN0, GAN1 and WGAN-GP at equal time.

    python applications/cfg_study.py --data mnist --minutes 30 --jobs 2
    taskset -c 0,1 python applications/cfg_study.py --data mnist=mnist.npz svhn=svhn.npz --jobs 2
    python applications/cfg_study.py --minutes 20 --clock wall --mixed-precision   # on a GPU
    python applications/cfg_study.py --authors PATH   # with a checkout of riejohnson/cfg-gan-pt
    python applications/cfg_study.py --report-only

Methods, networks, data sets and seeds form a grid; every run of it is trained for the same time of
updates, in a process of its own, and scored along the way (`cfg_study_runs.py`). The settings are
in `cfg_study_settings.py`. The authors' PyTorch code, as xICFG's convolutional networks on MNIST,
is one more method where `--authors` names a checkout of it (`cfg_study_authors.py`).

At the end, and with `--report-only`, `cfg_study_report.py` writes tables, figures and a page. It
copies the small files of every finished run to `runs/` in the page's folder, and reports on the
runs there and in the output folder. So seeds and methods can be added later, on any machine.

A finished run is not done again; one that was interrupted starts afresh. A run that diverges counts
as finished, with its last scores. With `--jobs` above 1 every process has one thread and a core of
its own, of those that this one may use; with 1 there are no limits but that of `--one-thread`.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

from cfg_study_folders import kept_runs
from cfg_study_settings import DATA, METHODS, NETWORKS, check_checkout, run_config, run_name

HERE = pathlib.Path(__file__).resolve().parent
RUNS = HERE / "cfg_study_runs.py"
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}
ONE_XLA_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def positive(kind):
    def parse(text):
        number = kind(text)
        if not 0 < number < float("inf"):
            raise argparse.ArgumentTypeError(f"expected a positive number, got {text!r}")
        return number

    parse.__name__ = kind.__name__
    return parse


def named(text):
    """`name` or `name=value` as a pair."""
    name, _, value = text.partition("=")
    if name not in DATA:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(DATA)}, got {name!r}")
    return name, value or None


def parser():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    add = parser.add_argument
    add("--methods", nargs="+", choices=METHODS, default=list(METHODS)[:-1], help="are compared")
    add(
        "--authors",
        type=pathlib.Path,
        metavar="PATH",
        help="a checkout of riejohnson/cfg-gan-pt: adds the method authors (mnist, convolutional)",
    )
    add("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), help="of the generator")
    add(
        "--data",
        nargs="+",
        type=named,
        default=[("mnist", None)],
        metavar="NAME[=FILE]",
        help=f"of {', '.join(DATA)}; from TFDS, or from a .npz or .npy file, without TensorFlow",
    )
    add(
        "--classifiers",
        nargs="+",
        type=named,
        default=[],
        metavar="DATA=PRESET",
        help="Classifier presets other than the default ones",
    )
    add("--seeds", nargs="+", type=int, default=[0, 1, 2], help="a run for each")
    add("--minutes", type=positive(float), default=30.0, help="of updates, per run")
    add(
        "--evaluations",
        type=positive(int),
        default=8,
        help="points of a curve, even in time; 1/32, 1/16 and 1/8 of it come in addition",
    )
    add("--num-samples", type=positive(int), default=10_000, help="images scored at the end")
    add("--curve-samples", type=positive(int), default=2560, help="images scored before it")
    add("--width", type=positive(int), help="of the networks; None: 32 for mnist, 64 for others")
    add("--jobs", type=positive(int), default=1, help="runs at a time")
    add("--one-thread", action="store_true", help="per process; always so where --jobs is above 1")
    add("--clock", choices=("process", "wall"), default="process", help="wall on a GPU")
    add("--mixed-precision", action="store_true", help="train in bfloat16")
    add(
        "--gan-optimizer",
        choices=("adam", "rmsprop"),
        default="adam",
        help="of GAN0 and GAN1: DCGAN's, or that of the paper's experiments",
    )
    add("--output", type=pathlib.Path, default=pathlib.Path("runs/cfg_study"), help="of the runs")
    add(
        "--page",
        type=pathlib.Path,
        default=HERE / "CFG_STUDY.md",
        help="the report; tables and figures go to a folder of its name beside it",
    )
    add("--report-only", action="store_true", help="only write the report on the runs done so far")
    return parser


def grid(args):
    """The configs of all runs; of one seed after the other, so that an early report is complete."""
    classifiers = dict(args.classifiers)
    methods = [name for name in args.methods if name != "authors"]
    methods += ["authors"] * (args.authors is not None)
    return [
        run_config(
            method,
            network,
            data,
            seed,
            minutes=args.minutes,
            evaluations=args.evaluations,
            num_samples=args.num_samples,
            curve_samples=args.curve_samples,
            width=args.width,
            source=source,
            classifier=classifiers.get(data),
            clock=args.clock,
            threads=1 if args.one_thread or args.jobs > 1 else None,
            mixed_precision=args.mixed_precision,
            gan_optimizer=args.gan_optimizer,
            backend=os.environ.get("KERAS_BACKEND", "tensorflow"),
        )
        for data, source in args.data
        for seed in args.seeds
        for network in args.networks
        for method in methods
        if method != "authors" or (data, network) == ("mnist", "convolutional")
    ]


def pending(configs, *folders):
    """Those of the configs whose runs are finished in none of the folders.

    Raises:
        ValueError: if a finished run had another config.
    """
    left = []
    for config in configs:
        places = [folder / run_name(config) for folder in folders]
        finished = [place for place in places if (place / "final.json").is_file()]
        if not finished:
            left.append(config)
            continue
        folder = finished[0]
        done = json.loads((folder / "config.json").read_text())
        differences = [
            f"{key}={done.get(key)!r}, now {value!r}"
            for key, value in json.loads(json.dumps(config)).items()
            if done.get(key) != value
        ]
        if differences:
            raise ValueError(
                f"The finished run in {folder} had {'; '.join(differences)}. Remove it, or choose "
                "another --output and --page."
            )
    return left


def free_cores(jobs):
    """A core for each job, of those that this process may use; `None`s where there is one job.

    Raises:
        ValueError: if there are fewer cores than jobs.
    """
    if jobs == 1 or not hasattr(os, "sched_getaffinity"):
        return [None] * jobs
    cores = sorted(os.sched_getaffinity(0))
    if jobs > len(cores):
        raise ValueError(f"--jobs must be at most {len(cores)}, the cores at hand; got {jobs}.")
    return cores[:jobs]


def launch(folder, config, core, authors=None):
    """Starts the run of a folder; returns its `subprocess.Popen`."""
    environment = {**os.environ, "KERAS_BACKEND": config["backend"]}
    if config["threads"] == 1:
        flags = f"{environment.get('XLA_FLAGS', '')} {ONE_XLA_THREAD}".strip()
        environment.update(ONE_THREAD, XLA_FLAGS=flags)
    command = [sys.executable, str(RUNS), "run", str(folder)]
    if core is not None:
        command += ["--core", str(core)]
    if config["method"] == "authors":
        command += ["--authors", str(authors)]
    with (folder / "log.txt").open("w") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)


def do_runs(configs, output, jobs, authors=None):
    """Does runs, `jobs` at a time.

    Args:
        configs: of the runs.
        output: folder of their folders.
        jobs: how many processes.
        authors: the checkout of the authors' code.

    Returns:
        The names of those that ended with an error.
    """
    cores, waiting, running, failed = free_cores(jobs), list(configs), [], []
    try:
        while waiting or running:
            while waiting and cores:
                config, core = waiting.pop(0), cores.pop(0)
                folder = output / run_name(config)
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
                process = launch(folder, config, core, authors)
                running.append((folder, core, process))
            for entry in [entry for entry in running if entry[2].poll() is not None]:
                folder, core, process = entry
                running.remove(entry)
                cores.append(core)
                if process.returncode:
                    failed.append(folder.name)
                left = f"{len(waiting) + len(running)} to go"
                print(f"{folder.name}: {outcome(folder, process.returncode)}; {left}", flush=True)
            if running:
                time.sleep(0.5)
    finally:
        for _, _, process in running:
            process.terminate()
    return failed


def outcome(folder, code):
    """One line on a run whose process has ended."""
    if code:
        return f"failed (exit {code}), see {folder / 'log.txt'}"
    final = json.loads((folder / "final.json").read_text())
    names = ("inception_score", "frechet_distance")
    scores = ", ".join(f"{name} {final[name]:.3f}" for name in names if name in final)
    return f"{final['status']} after {final['updates']:,} updates, {scores or 'no scores'}"


def prepare(args):
    """Writes the images of every data set to the output folder, each in a process of its own."""
    for name, source in args.data:
        path = args.output / "data" / f"{name}.npy"
        if source is None and path.is_file():
            continue
        command = [sys.executable, str(RUNS), "prepare", name, source or "tfds", str(path)]
        subprocess.run(command, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""}, check=True)


def main(arguments=None):
    args = parser().parse_args(arguments)
    failed = []
    if not args.report_only:
        try:
            free_cores(args.jobs)
            if args.authors or "authors" in args.methods:
                check_checkout(args.authors)
            left = pending(grid(args), args.output, kept_runs(args.page))
        except ValueError as error:
            sys.exit(f"cfg_study.py: {error}")
        print(f"{len(left)} runs to do, {args.minutes:g} minutes each, {args.jobs} at a time.")
        if left:
            prepare(args)
        failed = do_runs(left, args.output, args.jobs, args.authors)
    import cfg_study_report

    try:
        cfg_study_report.write(args.output, args.page)
        print(f"Report: {args.page}")
    except ValueError as error:
        failed.append(f"the report ({error})")
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
