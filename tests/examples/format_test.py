"""The rules of the Keras examples gallery, which its converter and its guide state."""

import ast
import datetime
import importlib.util
import re

import pytest

from tests.examples import gallery

FIELDS = ["Title", "Author", "Date created", "Last modified", "Description", "Accelerator"]

each_script = pytest.mark.parametrize("path", gallery.SCRIPTS, ids=lambda path: path.stem)


def test_there_are_scripts():
    names = {path.relative_to(gallery.FOLDER).as_posix() for path in gallery.SCRIPTS}
    assert {"generative/vae_mnist.py", "generative/cfggan_mnist.py"} <= names
    listed = (gallery.FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"({name})" in listed for name in names)


@each_script
def test_header(path):
    kind, header = gallery.cells(path.read_text(encoding="utf-8"))[0]
    fields = dict(line.split(": ", 1) for line in header.splitlines())
    assert kind == "text" and list(fields) == FIELDS
    created, modified = (
        datetime.datetime.strptime(fields[name], "%Y/%m/%d")
        for name in ("Date created", "Last modified")
    )
    assert created <= modified
    assert fields["Accelerator"] in ("GPU", "TPU", "None")
    description = fields["Description"]
    assert description[0].isupper() and description.endswith(".") and len(description) <= 100


@each_script
def test_cells(path):
    source = path.read_text(encoding="utf-8")
    cells = gallery.cells(source)
    for kind, content in cells:
        if kind == "code":  # a cell of a notebook is compiled on its own
            compile(content, str(path), "exec")
    # Text cells are strings without effect: the code cells alone are the program.
    code = ast.parse("\n".join(content for kind, content in cells if kind == "code"))
    script = ast.parse(source)
    script.body = [
        node
        for node in script.body
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    assert ast.dump(code) == ast.dump(script)
    count = sum(
        bool(line.strip()) and not line.strip().startswith("#")
        for kind, content in cells
        for line in content.splitlines()
        if kind == "code"
    )
    assert 0 < count <= 300


@each_script
def test_text(path):
    cells = gallery.cells(path.read_text(encoding="utf-8"))
    texts = [content for kind, content in cells[1:] if kind == "text"]
    headings = re.findall(r"^## (.+)$", "\n".join(texts), flags=re.MULTILINE)
    assert headings[:2] == ["Introduction", "Setup"] and headings[-1] == "Conclusion"
    assert cells[-1][1].startswith("## Conclusion")
    setup = next(text for text in texts if re.search("^## Setup$", text, re.M))
    assert re.search(r"^A full run takes about .{,20} on one core of a CPU, with ", setup, re.M)
    for text in texts:
        assert "$" not in text and "\\" not in text  # LaTeX
        assert "//arxiv.org/pdf/" not in text
        assert text.count("```") % 2 == 0  # fences are closed
        for prose in text.split("```")[::2]:
            # Code and links on one line; an empty line before a list.
            assert all(line.count("`") % 2 == 0 for line in prose.splitlines())
            assert not re.search(r"\]\s*\n|\]\(\s*\n", prose)
            assert not re.search(r"^(?!- |  |\n).+\n- ", prose, flags=re.MULTILINE)


@each_script
def test_style(path):
    source = path.read_text(encoding="utf-8")
    lines = source.split("\n")
    assert not [line for line in lines if line.endswith(" ")]
    assert not [line for line in lines if len(line) > 90 and "](http" not in line]
    assert "__name__" not in source
    imports = [node for node in ast.parse(source).body if isinstance(node, ast.ImportFrom)]
    assert not imports  # modules are imported, not objects


def test_cells_and_constants_of_a_script(tmp_path, monkeypatch):
    source = (
        '"""\nTitle: A\nDescription: B\n"""\n\n"""\n## Text\n"""\n\nSIZE = 3\nsize = SIZE + 1\n'
    )
    assert gallery.cells(source) == [
        ("text", "Title: A\nDescription: B"),
        ("text", "## Text"),
        ("code", "SIZE = 3\nsize = SIZE + 1"),
    ]
    with pytest.raises(ValueError, match="not closed"):
        gallery.cells('"""\nTitle: A\n')
    with pytest.raises(ValueError, match="line 1"):
        gallery.cells('"""Title: A"""\n')
    (tmp_path / "script.py").write_text(source)
    hooks = gallery.load_hooks() if importlib.util.find_spec("mkdocs") else None
    monkeypatch.setattr(gallery, "load_hooks", lambda: hooks)
    monkeypatch.setattr(gallery, "FOLDER", tmp_path)
    assert gallery.run("script.py")["size"] == 4
    assert gallery.run("script.py", SIZE=10)["size"] == 11
    with pytest.raises(ValueError, match="no WIDTH"):
        gallery.run("script.py", WIDTH=1)
