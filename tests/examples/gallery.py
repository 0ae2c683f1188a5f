"""Reads and runs scripts in the format of the Keras examples gallery."""

import ast
import importlib.util
import json
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


def load_hooks():
    """`docs/hooks.py` as a module.

    Raises:
        ImportError: without the packages that the site needs.
    """
    spec = importlib.util.spec_from_file_location("hooks", FOLDER.parent / "docs" / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def notebook(path):
    """The notebook that the site makes of a script, a dict as in its file, but for whole texts."""
    hooks = load_hooks()
    parts = hooks.cells_of(path.read_text(encoding="utf-8"))
    made = json.loads(hooks.notebook_of(hooks.header_of(parts), parts))
    for cell in made["cells"]:
        cell["source"] = "".join(cell["source"])  # a list of lines
    return made


def code_of(path):
    """The code cells of a script's notebook; the script, where packages of the site are missing."""
    try:
        made = notebook(path)["cells"]
    except ImportError:
        return [path.read_text(encoding="utf-8")]
    return [cell["source"] for cell in made if cell["cell_type"] == "code"]


def with_values(code, values):
    """The syntax tree of code, with other values of its constants."""
    tree = ast.parse(code)
    for constant, node in constants(tree).items():
        if constant in values:
            value = ast.parse(repr(values[constant]), mode="eval").body
            node.value = ast.copy_location(value, node.value)
    return ast.fix_missing_locations(tree)


def run(name, **values):
    """Runs an example's notebook in the current folder, with other values of its constants.

    Args:
        name: the script's path below `examples/`.
        **values: literals, by the names of constants that the script assigns.

    Returns:
        The variables, a dict.

    Raises:
        ValueError: if the script has no such constant.
    """
    path = FOLDER / name
    assigned = constants(ast.parse(path.read_text(encoding="utf-8"), str(path)))
    for constant in values:
        if constant not in assigned:
            raise ValueError(f"{name} assigns no {constant}; it assigns {', '.join(assigned)}")
    variables = {"__name__": "__main__"}
    for number, code in enumerate(code_of(path), start=1):
        exec(compile(with_values(code, values), f"{path}, cell {number}", "exec"), variables)
    return variables
