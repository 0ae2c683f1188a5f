"""`kzoo list`: the presets that come with kzoo."""

import json

from kzoo.cli import common
from kzoo.presets import shipped


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
        "--json", action="store_true", help="print all that is known about them, as JSON"
    )


def run(args):
    records = [r for r in shipped.list_presets() if args.model in (None, r["class"])]
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
            "x".join(map(str, record["image_shape"] or [])),
            "\n".join(score["name"] for score in scores),
            "\n".join(f"{score['value']:.4g} {score['unit']}".strip() for score in scores),
        ]
        rows.append(row)
    common.print_table(["preset", "class", "parameters>", "images", "scores", ">"], rows)
