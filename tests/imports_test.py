"""The house rules of CONTRIBUTING.md that can be read from the imports: arrows down, no circles."""

import ast
import graphlib
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "kzoo").rglob("*.py")
}
ABOVE_MODELS = {"callbacks", "cli", "demo", "evaluation", "latents", "metrics", "visualization"}
#: What each of these folders and files may not import.
NOT_BELOW = {
    name: {"models", "classifier", "presets", *ABOVE_MODELS}
    for name in (
        *("backend", "batching", "checks", "conditions", "configs", "datasets", "distributions"),
        *("images", "layers", "losses", "networks", "paths"),
    )
}
NOT_BELOW |= {name: ABOVE_MODELS for name in ("models", "classifier", "presets")}
NOT_BELOW |= {name: {"cli", "demo"} for name in ABOVE_MODELS - {"cli", "demo"}}


def imported(path):
    """The modules of kzoo that a file imports, within functions too; not the package itself."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in FILES else node.module for name in names]
        else:
            continue
        yield from (name for name in names if name.startswith("kzoo."))


def test_there_are_no_circles():
    graph = {name: set(imported(path)) - {name} for name, path in FILES.items()}
    graphlib.TopologicalSorter(graph).prepare()  # its error names the circle


def test_imports_point_down():
    wrong = [
        (name, other)
        for name, path in FILES.items()
        for other in imported(path)
        if other.split(".")[1] in NOT_BELOW.get((*name.split("."), "")[1], ())
    ]
    assert wrong == []
