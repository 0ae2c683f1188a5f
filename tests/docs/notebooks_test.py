"""Every example is a notebook on the site: a valid one, whose code is that of the script."""

import ast
import json

import keras
import pytest

from tests.examples import gallery

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="notebooks are made once; the scripts have tests"
)

each_script = pytest.mark.parametrize("path", gallery.SCRIPTS, ids=lambda path: path.stem)


def notebook(hooks, path):
    cells = hooks.cells_of(path.read_text(encoding="utf-8"))
    return json.loads(hooks.notebook_of(hooks.header_of(cells), cells))


@each_script
def test_code_of_a_notebook_is_that_of_its_script(path, hooks):
    cells = notebook(hooks, path)["cells"]
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
    made = notebook(hooks, path)
    nbformat.validate(made)
    assert nbformat.reads(json.dumps(made), as_version=4).nbformat_minor == 5
