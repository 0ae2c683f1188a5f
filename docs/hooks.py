"""What the site is made of beside the pages in this folder; `mkdocs build` calls these functions.

* The pictures and pages of `weights/`, `applications/` and `benchmarks/` are read where they lie.
* `leaderboard.md` is written from the presets' metadata, and the gallery from `examples/`: each
  script becomes a page and a notebook.
* A line `@code kzoo.module.Class.method` in a page becomes the source of that function.
* The folder `kzoo-demo`, if `kzoo demo` has written it, becomes a part of the site; a line `@demo`
  becomes a link to it.
"""

import ast
import json
import re
from pathlib import Path

import jupytext
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples" / "generative"
DEMO = ROOT / "kzoo-demo"  # where `kzoo demo` writes its page by default
PAGES = {
    **{
        f"measurements/{name}.md": f"applications/{name}.md"
        for name in (
            *("CFG_STUDY", "CFG_STUDY_SVHN", "JUDGE", "REFINE", "TRANSFER_LEARNING"),
            *("TRANSLATION", "GAN_TRICKS"),
        )
    },
    "measurements/benchmarks.md": "benchmarks/README.md",
    "changes.md": "CHANGELOG.md",
}


def on_files(files, config):
    """Adds generated pages, and the pictures that pages show."""
    for folder in ("weights", "applications"):
        for path in sorted((ROOT / folder).rglob("*.png")):
            name = f"pictures/{path.relative_to(ROOT).as_posix()}"
            files.append(File.generated(config, name, abs_src_path=str(path)))
    for page, source in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        add(files, config, page, relinked(text, Path(source).parent, page))
    add(files, config, "leaderboard.md", leaderboard())
    titles = {}
    for path in sorted(EXAMPLES.glob("*.py")):
        cells = cells_of(path.read_text(encoding="utf-8"))
        titles[path.stem] = header = header_of(cells)
        add(files, config, f"gallery/{path.stem}.md", page_of(path.stem, header, cells))
        add(files, config, f"gallery/{path.stem}.ipynb", notebook_of(header, cells))
    add(files, config, "gallery.md", gallery(titles))
    for name, path in demo_files().items():
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def demo_files():
    """`{address: path}` of the demo; nothing until it is whole, which its list of models says."""
    if not (DEMO / "demo.json").is_file():
        return {}
    paths = [path for path in sorted(DEMO.rglob("*")) if path.is_file()]
    return {f"try/{path.relative_to(DEMO).as_posix()}": path for path in paths}


def add(files, config, name, text):
    files.append(File.generated(config, name, content=text))


def on_page_markdown(markdown, page, config, files):
    link = demo_link(page.file.src_uri)
    markdown = re.sub(r"^@demo$", lambda found: link, markdown, flags=re.M)
    return re.sub(r"^@code (\S+)$", lambda found: source_of(found[1]), markdown, flags=re.M)


def demo_link(page):
    """What a page says in place of `@demo`."""
    if not demo_files():
        return "This copy of the site was built without the demo. `kzoo demo` shows it."
    up = "../" * page.count("/")
    return f"[Open the demo in this browser]({up}try/index.html){{ .md-button }}"


def relinked(text, folder, page):
    """A page of the repository with links to pictures of the site; others become plain text."""
    up = "../" * page.count("/")

    def link(found):
        bang, label, target = found.groups()
        if re.match(r"https?:|#", target):
            return found[0]
        path = (ROOT / folder / target.split("#")[0]).resolve().relative_to(ROOT).as_posix()
        if bang:
            return f"![{label}]({up}pictures/{path})"
        pages = {source: name for name, source in PAGES.items()}
        return f"[{label}]({up}{pages[path]})" if path in pages else f"{label} (`{path}`)"

    return re.sub(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", link, text)


def source_of(name):
    """The source of a function of kzoo as a block of code, without its docstring."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        path = ROOT.joinpath(*parts[:cut]).with_suffix(".py")
        if path.is_file():
            break
    else:
        raise PluginError(f"@code {name}: there is no such module")
    text = path.read_text(encoding="utf-8")
    node = ast.parse(text)
    for part in parts[cut:]:
        inside = [n for n in node.body if getattr(n, "name", None) == part]
        if not inside:
            raise PluginError(f"@code {name}: {path.relative_to(ROOT)} has no {part!r}")
        node = inside[0]
    lines = text.splitlines()
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    body = lines[first - 1 : node.end_lineno]
    if ast.get_docstring(node) is not None:
        quoted = node.body[0]
        del body[quoted.lineno - first : quoted.end_lineno - first + 1]
    indent = min(len(line) - len(line.lstrip()) for line in body if line.strip())
    code = "\n".join(line[indent:] for line in body).strip()
    return f'```python title="{path.relative_to(ROOT).as_posix()}"\n{code}\n```'


def cells_of(source):
    """`[(whether it is code, text)]` of a script in the format of the Keras examples gallery."""
    pieces = re.split(r'^"""\n', source, flags=re.M)  # code and text take turns
    return [(i % 2 == 0, piece.strip()) for i, piece in enumerate(pieces) if piece.strip()]


def header_of(cells):
    return dict(line.split(": ", 1) for line in cells[0][1].splitlines())


def page_of(name, header, cells):
    start = f"# {header['Title']}\n\n{header['Description']} [As a notebook]({name}.ipynb)"
    parts = [f"```python\n{text}\n```" if code else text for code, text in cells[1:]]
    return "\n\n".join([start, *parts]) + "\n"


def notebook_of(header, cells):
    """The script as a Jupyter notebook, which jupytext makes of its "percent" format."""
    title = f"# {header['Title']}\n\n{header['Description']}"
    pieces = []
    for code, text in [(False, title), *cells[1:]]:
        lines = text if code else re.sub("^", "# ", text, flags=re.M)
        pieces.append(f"# %%{'' if code else ' [markdown]'}\n{lines}")
    notebook = jupytext.reads("\n\n".join(pieces), fmt="py:percent")
    notebook.metadata.kernelspec = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # jupytext draws one: the site would differ in every build
    return jupytext.writes(notebook, fmt="ipynb")


GALLERY = """\
# Gallery

Each tutorial is a script in `examples/generative/`, in the format of the Keras examples gallery.

| Example | What it shows |
| --- | --- |
"""

LEADERBOARD = """\
# Presets

Every preset that comes with kzoo. Its card, `weights/<model>/<preset>/README.md`, has the command
that printed its scores. `kzoo evaluate MODEL/PRESET` measures them again. Compare scores only
if they are by one classifier and of one number of samples.
"""


def gallery(headers):
    """The list of the examples, from their headers `{name: header}`."""
    return GALLERY + "".join(
        f"| [{header['Title']}](gallery/{name}.md) | {header['Description']} |\n"
        for name, header in headers.items()
    )


def leaderboard():
    """Every preset with its first picture, size and scores, from `metadata.json` alone."""
    parts = [LEADERBOARD]
    for path in sorted((ROOT / "weights").glob("*/*/metadata.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        handle = path.parent.relative_to(ROOT / "weights").as_posix()
        parts.append(f"## {record.get('title', handle)}\n")
        parameters = f"{record['parameter_count']:,} parameters"
        parts.append(f"`{handle}`, {parameters}. {record.get('description', '')}\n")
        for name in ("growth", "samples", "manifold"):
            if (path.parent / f"{name}.png").is_file():
                picture = f"pictures/weights/{handle}/{name}.png"
                parts.append(f"![Images of {handle}]({picture}){{ width=400 }}\n")
                break
        if record.get("scores"):
            parts.append(table(record["scores"]))
    return "\n".join(parts)


def table(scores):
    lines = ["| Score | Value | Real images | Measured on |", "| --- | ---: | ---: | --- |"]
    for score in scores:
        real = "" if score.get("reference") is None else f"{score['reference']:.4g}"
        value = f"{score['value']:.4g} {score.get('unit') or ''}".strip()
        name = score["name"].replace("_", " ")
        lines.append(f"| {name} | {value} | {real} | {score['protocol']} |")
    return "\n".join(lines) + "\n"
