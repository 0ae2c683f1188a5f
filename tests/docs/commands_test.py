"""Commands that pages name exist, with their options; every figure of the lecture has one."""

import re
import shlex

import keras
import pytest

import kzoo
from kzoo import cli
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="pages are checked once; they run no model"
)

PAGES = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "examples/README.md")),
    *sorted((REPOSITORY / "docs").rglob("*.md")),
    *sorted(REPOSITORY.glob("applications/*.md")),
    *sorted(REPOSITORY.glob("benchmarks/*.md")),
]
LECTURE = [page for page in PAGES if page.parent.name == "lecture"]


def commands(text):
    """The commands of blocks of bash and of code within lines, each a list of words."""
    blocks = re.findall(r"^```(?:bash)?\n(.*?)^```$", text, re.M | re.S)
    within = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))
    for line in [line for block in blocks for line in block.splitlines()] + within:
        for part in line.split("&&"):
            part = re.sub(r"^\s*(?:[A-Z_]+=\S+ )*", "", part)
            if re.match(r"(kzoo|python)\s", part):
                yield shlex.split(part, comments=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_can_be_given(page, capsys):
    for words in commands(page.read_text(encoding="utf-8")):
        if words[0] == "kzoo" and (len(words) > 2 or words[1] not in ("train", "generate")):
            bare = len(words) == 2  # the name of a command that needs arguments
            try:
                cli.parser().parse_args(words[1:])
            except SystemExit as end:
                required = "arguments are required" in capsys.readouterr().err
                assert end.code == 0 or (bare and required), (page, words)
        elif words[0] == "python" and words[1].endswith(".py"):
            assert (REPOSITORY / words[1]).is_file(), (page, words)


@pytest.mark.parametrize("page", LECTURE, ids=lambda page: page.stem)
def test_every_figure_has_a_command(page):
    text = page.read_text(encoding="utf-8")
    for part in re.split(r"^(?=!\[)", text, flags=re.M)[1:]:
        beside = re.split(r"^#", part, flags=re.M)[0]  # up to the next figure or heading
        block = re.search(r"^```python\n.*?\bpath=.*?^```$", beside, re.M | re.S)
        named = re.search(r"`(kzoo |kzoo\.visualization|python )[^`]+`", beside)
        assert block or named, part.splitlines()[0]


@pytest.mark.parametrize("page", [p for p in PAGES if "docs" not in p.parts], ids=str)
def test_links_lead_to_files(page):
    """Those of pages of the repository; those of the site are checked when it is built."""
    text = re.sub(
        r"^```.*?^```$|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.M | re.S
    )
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'<img src="([^"]+)"', text)
    for link in links:
        path, _, part = link.partition("#")
        if not re.match(r"https?:", link):
            target = page.parent / path if path else page
            assert target.exists(), (page, link)
            if part:
                headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.M)
                names = {
                    re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings
                }
                assert part in names, (page, link)


def test_readme_names_every_model_and_preset():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert [name for name in kzoo._MODELS if f"`{name}`" not in text] == []
    handles = [preset["preset"] for preset in kzoo.list_presets()]
    shown = [handle for handle in handles if not handle.startswith("classifier/")]
    assert [handle for handle in shown if f"weights/{handle}/README.md" not in text] == []
