"""`kzoo list` and `kzoo show` describe presets, `kzoo doctor` this machine."""

import importlib.metadata
import importlib.util
import os
import pathlib
import platform

import kzoo
from kzoo import __version__, _environment
from kzoo.cli import common, pictures
from kzoo.evaluation.capabilities import can, takes_pairs

PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "tensorflow-datasets", "jax", "torch")
LEADERBOARD = """\
# Scores of the presets

Compare scores only if they are by one classifier, and of one number of samples.
"""
# What a CPU needs to compute fast in bfloat16, and for TensorFlow to choose oneDNN by itself.
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def add_list_parser(commands):
    parser = common.add_command(
        commands,
        "list",
        list_presets,
        "list the presets that come with kzoo, with their measured scores",
        ["kzoo list", "kzoo list --model CFGGAN", "kzoo list --markdown > scores.md"],
    )
    common.add_model(parser, "only presets of this class")
    form = parser.add_mutually_exclusive_group()
    common.add_json(form, "print all that is known about them, as JSON")
    form.add_argument(
        "--markdown",
        action="store_true",
        help="print a page of all scores and what they were measured on, in Markdown",
    )


def add_parsers(commands):
    parser = common.add_command(
        commands,
        "show",
        show,
        "show what a preset is, its scores and pictures, and the Python lines to use it",
        ["kzoo show cfggan/mnist", "kzoo show my_vae --json"],
    )
    common.add_preset(parser)
    common.add_json(parser, "print the preset's metadata as JSON")
    parser = common.add_command(
        commands,
        "doctor",
        doctor,
        "check backends, versions, processor and data folders, and say what is missing",
        ["kzoo doctor", "kzoo doctor --json"],
    )
    common.add_json(parser)


# What commands need beside a backend: packages, and what for.
OPTIONAL = {
    "shtab": "kzoo completion",
    "huggingface_hub": "presets of hf://",
    "kagglehub": "presets of kaggle://",
    "onnx": "kzoo export --format onnx and kzoo demo",
}


def list_presets(args):
    from kzoo.presets import shipped

    records = [r for r in shipped.list_presets() if args.model in (None, r["class"])]
    if args.json:
        common.print_json(records)
        return
    if not records:
        print(f"No presets{f' of {args.model}' if args.model else ''} come with this kzoo.")
        return
    if args.markdown:
        print(leaderboard(records))
        return
    rows = []
    for record in records:
        scores = record["scores"]
        row = [
            record["preset"],
            record["class"],
            f"{record['parameters']:,}",
            "x".join(map(str, record["image_shape"] or [])),
            "\n".join(score["name"] for score in scores),
            "\n".join(f"{score['value']:.4g} {score['unit']}".strip() for score in scores),
        ]
        rows.append(row)
    common.print_table(["preset", "class", "parameters>", "images", "scores", ">"], rows)


def leaderboard(records):
    """A page in Markdown: every score of the presets that `list_presets` tells of."""
    from kzoo.presets.card import table

    rows = [("Preset", "Parameters", "Score", "Value", "Measured on", "Printed by")]
    for record in records:
        first = record["preset"], f"{record['parameters']:,}"
        for score in record["scores"]:
            value = f"{score['value']:.4g} {score['unit']}".strip()
            command = f"`{score['command']}`"
            rows.append((*first, score["name"], value, score["protocol"], command))
    return f"{LEADERBOARD}\n{table(rows)}"


def show(args):
    common.import_keras()  # here, where its notices are muted
    from kzoo.presets import PresetMixin, preset, shipped

    find = preset.check_class if args.model else shipped.files_of
    files = find(args.preset, common.class_of(args, PresetMixin))
    metadata, config = files.read("metadata.json"), files.read("config.json")
    name = config.get("class_name", "GenerativeModel")
    if args.json:
        known = {"class": name, "files": files.location, **metadata}
        known["pictures"] = [str(path) for path in pictures.of_preset(files)]
        common.print_json(known)
        return
    screen = common.console()
    screen.print(metadata.get("title", args.preset), style="bold")
    screen.print(f"{name}, {metadata.get('parameter_count', 0):,} parameters, {files.location}")
    for key in ("description", "data", "notes"):
        if metadata.get(key):
            screen.print(f"\n{metadata[key]}")
    trained_on = metadata.get("trained_on") or {}
    names = trained_on.get("class_names") or config["config"].get("class_names")
    if names:
        screen.print("\nClasses: " + ", ".join(f"{k} {name}" for k, name in enumerate(names)))
    if metadata.get("command"):
        screen.print(f"\nTrained by: {metadata['command']}")
    rows = []
    for score in metadata.get("scores", ()):
        value = f"{score['value']:.5g} {score.get('unit') or ''}".strip()
        rows.append([score["name"], value, score.get("protocol", "")])
    if rows:
        screen.print()
        common.print_table(["score", "value>", "protocol~"], rows)
    found = pictures.of_preset(files)
    if found and screen.color_system:  # a terminal that knows colours
        screen.print()
        screen.print(pictures.drawn(found[0], screen.width), end="")
    if found:
        screen.print(f"\nPictures: {', '.join(map(str, found))}", soft_wrap=True)
    source = f"    import kzoo\n\n    model = kzoo.{name}.from_preset({args.preset!r})"
    screen.print(f"\nIn Python:\n\n{source}\n    {use_of(name)}")


def use_of(name):
    """The line that uses a model, by the name of its class."""
    known = name in {*kzoo._NAMES, *common.preset_models()}  # else of a package not imported here
    model_class = common.model_class(name) if known else None
    if not can(model_class, "generate"):
        methods = ("activations", "reconstruct", "embed_images")
        return next(
            (f"model.{m}(images)" for m in methods if can(model_class, m)), "model.summary()"
        )
    if takes_pairs(model_class):
        return "model.generate(sources=images, seed=0)"
    if name in kzoo._MODELS_OF_CAPTIONS:
        return "model.generate(captions=captions, seed=0)"
    return "model.generate(64, seed=0)"


def doctor(args):
    """Prints what the machine has, and what to install if something is missing."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    cpu = versions.pop("tensorflow-cpu")  # the same without CUDA
    versions["tensorflow"] = versions["tensorflow"] or cpu
    installed = _environment.installed_backends()
    backend = _environment.configured_backend()
    data = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    report = {
        "kzoo": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": versions,
        "backend": backend,
        "devices": _devices() if backend in installed else [],
        "cores": os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "processor": _processor_flags(),
        "data": {"folder": data, "found": _data_sets(data)},
        "advice": _advice(backend, installed, versions),
        "optional": _optional(backend if backend in installed else None),
    }
    if args.json:
        common.print_json(report)
        return
    rows = [["kzoo", report["kzoo"]], ["Python", report["python"]], ["system", report["system"]]]
    rows += [[name, version or "not installed"] for name, version in versions.items()]
    rows += [
        ["backend", backend],
        ["devices", ", ".join(report["devices"]) or "none"],
        ["cores", f"{report['cores']}, OMP_NUM_THREADS={report['threads'] or 'not set'}"],
        ["processor", ", ".join(report["processor"]) or "no AVX2 or AVX-512 known"],
        ["data folder", f"{data}: {', '.join(report['data']['found']) or 'no data sets'}"],
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:{width}}  {value}")
    for line in report["advice"] or ["Everything that kzoo needs is here."]:
        print(line)
    for packages, purpose in report["optional"].items():
        print(f"For {purpose}: pip install {packages}.")


def _devices():
    common.import_keras()
    from kzoo import backend

    return backend.devices()


def _processor_flags():
    """Those of `FLAGS` that the processor has; none where there is no Linux to tell."""
    try:
        found = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return []
    return [flag for flag in FLAGS if flag in found]


def _data_sets(folder):
    folder = pathlib.Path(folder).expanduser()
    found = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return [name for name in found if (folder / name).is_dir() and name != "downloads"]


def _optional(backend):
    """`{packages that are missing: what needs them}`; the exporter depends on the backend."""
    found = {}
    for package, purpose in OPTIONAL.items():
        if package == "onnx" and backend:
            from kzoo.models.exporting import missing_packages

            missing = missing_packages("onnx")
        else:
            missing = [package] if importlib.util.find_spec(package) is None else []
        if missing:
            found[" ".join(missing)] = purpose
    return found


def _advice(backend, installed, versions):
    """What to do about what is missing, a sentence each."""
    advice = []
    if not installed:
        advice.append("No backend is installed: pip install tensorflow, or jax, or torch.")
    elif backend not in installed:
        advice.append(
            f"Keras would use {backend!r}, which is not installed: set KERAS_BACKEND to one of "
            f"{', '.join(installed)}, or pip install {backend}."
        )
    if not versions["tensorflow-datasets"]:
        advice.append(
            "For data sets by name (--data mnist): pip install tensorflow tensorflow-datasets. "
            "Folders of images and .npz files need neither."
        )
    return advice
