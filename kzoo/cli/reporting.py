"""What `kzoo evaluate` prints: scores, as a table or as JSON."""

from kzoo.cli import common


def report(args, scores, histogram, **facts):
    """Prints scores, with what they are scores of, as a table or as JSON."""
    found = {
        **facts,
        "scores": [score._asdict() for score in scores],
        "class_histogram": None if histogram is None else histogram.tolist(),
    }
    if args.json:
        common.print_json(found)
    else:
        show(found)


def value_of(score):
    """The value, with its deviation where there is one: 1.234 ± 0.056."""
    if score["deviation"] is None:
        return f"{score['value']:.5g}"
    return f"{score['value']:.5g} ± {score['deviation']:.2g}"


def show(report):
    """Prints the scores as a table."""
    screen = common.console()
    if "samples" in report:
        screen.print(f"images {report['samples']}")
    else:
        screen.print(f"{report['class']} {report['preset']}, {report['parameters']:,} parameters")
    references = any(score["reference"] is not None for score in report["scores"])
    rows = []
    for score in report["scores"]:
        real = "" if score["reference"] is None else f"{score['reference']:.5g}"
        row = [
            score["name"],
            f"{value_of(score)} {score['unit']}".strip(),
            *[real] * references,
            score["protocol"],
        ]
        rows.append(row)
    common.print_table(["score", "value>", *["real>"] * references, "protocol~"], rows)
    if report["class_histogram"]:
        counts = ", ".join(f"{k}: {n:,}" for k, n in enumerate(report["class_histogram"]))
        screen.print(f"images per class: {counts}")
