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
    from kzoo.presets.card import per_class

    screen = common.console()
    if "samples" in report:
        screen.print(f"images {report['samples']}")
    else:
        screen.print(f"{report['class']} {report['preset']}, {report['parameters']:,} parameters")
    intervals = any(score["interval"] is not None for score in report["scores"])
    references = any(score["reference"] is not None for score in report["scores"])
    rows = []
    for score in report["scores"]:
        real = "" if score["reference"] is None else f"{score['reference']:.5g}"
        low_high = score["interval"] or ()
        row = [
            score["name"],
            f"{value_of(score)} {score['unit']}".strip(),
            *[" to ".join(f"{end:.5g}" for end in low_high)] * intervals,
            *[real] * references,
            score["protocol"],
        ]
        rows.append(row)
    columns = [*["95 % interval>"] * intervals, *["real>"] * references]
    common.print_table(["score", "value>", *columns, "protocol~"], rows)
    if report["class_histogram"]:
        screen.print(f"images per class: {per_class(report['class_histogram'])}")
