"""`kzoo list`: the presets that come with kzoo."""

import json
import pathlib

from kzoo.cli import common

# The package's own presets, then those of the checkout around it. The folders are read here, and
# not through `kzoo.presets`, since that takes seconds to import Keras and needs a backend.
_PACKAGE = pathlib.Path(__file__).resolve().parents[1]
ROOTS = [_PACKAGE / "presets" / "weights"]
if (_PACKAGE.parent / "pyproject.toml").is_file():
    ROOTS.append(_PACKAGE.parent / "weights")


def add_parser(commands):
    parser = common.add_command(
        commands,
        "list",
        run,
        "list the presets that come with kzoo, with their measured scores",
        ["kzoo list", "kzoo list --model CFGGAN", "kzoo list --json"],
    )
    common.add_model(parser, "only presets of this class")
    parser.add_argument(
        "--json", action="store_true", help="everything that is known of them, as JSON"
    )


def run(args):
    records = [r for r in shipped() if args.model in (None, r["class"])]
    if args.json:
        print(json.dumps(records, indent=2))
        return
    if not records:
        print(f"No presets{f' of {args.model}' if args.model else ''} come with this kzoo.")
        return
    rows = []
    for record in records:
        scores = record["scores"]
        row = [
            record["preset"],
            record["class"],
            f"{record['parameters']:,}",
            "x".join(map(str, record["image_shape"])),
            "\n".join(score["name"] for score in scores),
            "\n".join(f"{score['value']:.4g} {score['unit']}".strip() for score in scores),
        ]
        rows.append(row)
    common.print_table(["preset", "class", "parameters>", "images", "scores", ">"], rows)


def shipped():
    """What `kzoo.list_presets()` returns, and the images' shape as `"image_shape"`."""
    found = {}
    for root in ROOTS:
        for path in sorted(root.glob("*/*/config.json")):
            found.setdefault(f"{path.parent.parent.name}/{path.parent.name}", path.parent)
    records = []
    for handle, folder in sorted(found.items()):
        config, metadata = (
            json.loads((folder / name).read_text(encoding="utf-8"))
            for name in ("config.json", "metadata.json")
        )
        records.append(
            {
                "preset": handle,
                "class": config["class_name"],
                "name": folder.name,
                "parameters": metadata["parameter_count"],
                "image_shape": config["config"]["image_shape"],
                "description": metadata.get("description", ""),
                "data": metadata.get("data", ""),
                "scores": metadata.get("scores", []),
            }
        )
    return records
