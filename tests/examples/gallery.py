"""Reads and runs scripts in the format of the Keras examples gallery."""

import ast
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "examples"
SCRIPTS = sorted(FOLDER.glob("*/*.py"))
FENCE = '"""'


def cells(source):
    """The cells of a script, `("text" or "code", content)` each; the first one is the header.

    Raises:
        ValueError: if a text cell is not closed, or its fences do not have lines of their own.
    """
    found, lines, text = [], [], False
    for number, line in enumerate(source.splitlines(), start=1):
        if not line.startswith(FENCE):
            lines.append(line)
            continue
        if line != FENCE:
            raise ValueError(f"line {number}: expected {FENCE} alone on its line, got {line!r}")
        found.append(("text" if text else "code", "\n".join(lines).strip()))
        lines, text = [], not text
    if text:
        raise ValueError("the last text cell is not closed")
    found.append(("code", "\n".join(lines).strip()))
    return [(kind, content) for kind, content in found if content]


def constants(tree):
    """The assignments to names in capitals at the top level of a script, `{name: node}`."""
    return {
        node.targets[0].id: node
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id.isupper()
    }


def run(name, **values):
    """Runs a script in the current folder with other values of its constants.

    Args:
        name: the script's path below `examples/`.
        **values: literals, by the names of constants that the script assigns.

    Returns:
        The script's variables, a dict.

    Raises:
        ValueError: if the script has no such constant.
    """
    path = FOLDER / name
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    assigned = constants(tree)
    for constant, value in values.items():
        if constant not in assigned:
            raise ValueError(f"{name} assigns no {constant}; it assigns {', '.join(assigned)}")
        node = assigned[constant]
        node.value = ast.copy_location(ast.parse(repr(value), mode="eval").body, node.value)
    variables = {"__name__": "__main__"}
    exec(compile(ast.fix_missing_locations(tree), str(path), "exec"), variables)
    return variables
