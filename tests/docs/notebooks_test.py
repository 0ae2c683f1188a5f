"""Every example is a notebook on the site: a valid one, whose code is that of the script."""

import ast
import json

import keras
import pytest

from tests.examples import gallery
from tests.examples.cfg_theory_test import SMALL

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="notebooks are made once; tests/examples run them"
)

each_script = pytest.mark.parametrize("path", gallery.SCRIPTS, ids=lambda path: path.stem)


@each_script
def test_code_of_a_notebook_is_that_of_its_script(path, hooks):
    cells = gallery.notebook(path)["cells"]
    code = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "code")
    script = ast.parse(path.read_text(encoding="utf-8"))
    script.body = [
        node
        for node in script.body
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    assert ast.dump(ast.parse(code)) == ast.dump(script)
    assert cells[0]["source"].startswith("# ") and cells[-1]["cell_type"] == "markdown"


@each_script
def test_a_notebook_is_valid(path, hooks):
    nbformat = pytest.importorskip("nbformat", reason="needs pip install nbformat")
    made = gallery.notebook(path)
    nbformat.validate(made)
    assert nbformat.reads(json.dumps(made), as_version=4).nbformat_minor == 5


def test_a_notebook_runs_in_jupyter(hooks, tmp_path):
    """One of them; `gallery.run` runs the cells of all without a kernel."""
    nbformat = pytest.importorskip("nbformat", reason="needs pip install nbformat")
    nbclient = pytest.importorskip("nbclient", reason="needs pip install nbclient ipykernel")
    path = gallery.FOLDER / "generative" / "cfg_theory.py"
    made = nbformat.reads(json.dumps(gallery.notebook(path)), as_version=4)
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    for cell in code:
        cell.source = ast.unparse(gallery.with_values(cell.source, SMALL))
    nbclient.NotebookClient(made, timeout=300, kernel_name="python3").execute(cwd=str(tmp_path))
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert list(tmp_path.rglob("*.png"))
