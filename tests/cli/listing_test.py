import json
import re
import shutil
import sys

import pytest

from kzoo.presets import list_presets, shipped

SCORES = [
    {"name": "inception_score", "value": 9.7312345, "unit": "", "protocol": "p", "command": "c"},
    {"name": "nll", "value": 86.7312345, "unit": "nats", "protocol": "p", "command": "c"},
]


@pytest.fixture(autouse=True)
def weights(saved, tmp_path, monkeypatch):
    root = tmp_path / "weights"
    for family in ("vae", "cfggan"):
        shutil.copytree(saved / family, root / family / "a-rather-long-name-of-a-preset")
    metadata = root / "vae" / "a-rather-long-name-of-a-preset" / "metadata.json"
    content = json.loads(metadata.read_text())
    metadata.write_text(json.dumps({**content, "scores": SCORES, "data": "squares"}))
    (root / "vae" / "unfinished").mkdir()
    monkeypatch.setattr(shipped, "folders", lambda: [tmp_path / "none", root])


def test_table_is_complete(kzoo_main):
    code, out, err = kzoo_main("list")
    assert (code, err) == (0, "")
    assert "…" not in out
    cfggan, vae, more = (line.split() for line in out.splitlines()[1:] if line.strip())
    assert cfggan[:2] == ["cfggan/a-rather-long-name-of-a-preset", "CFGGAN"]
    assert vae[:2] == ["vae/a-rather-long-name-of-a-preset", "VAE"]
    assert vae[3:] == ["8x8x1", "inception_score", "9.731"]
    assert more == ["nll", "86.73", "nats"]


def test_a_narrow_terminal_cuts_nothing_off(kzoo_main, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    code, out, _ = kzoo_main("list")
    assert code == 0 and "…" not in out
    assert re.search(
        r"\nvae/a-rather-long-name-of-a-preset +VAE +[0-9,]+ +8x8x1 +inception_score", out
    )


def test_json_is_what_list_presets_returns(kzoo_main):
    records = json.loads(kzoo_main("list", "--json")[1])
    assert [record["image_shape"] for record in records] == [[8, 8, 1]] * 2
    assert records == list_presets()


def test_a_page_of_scores(kzoo_main):
    code, out, err = kzoo_main("list", "--markdown")
    assert (code, err) == (0, "")
    heading, line, *rows = [text.split(" | ") for text in out.splitlines() if text[:1] == "|"]
    assert {len(row) for row in (heading, line, *rows)} == {6}
    assert [row[0] for row in rows] == ["| vae/a-rather-long-name-of-a-preset"] * 2
    assert [row[2:] for row in rows] == [
        ["inception_score", "9.731", "p", "`c` |"],
        ["nll", "86.73 nats", "p", "`c` |"],
    ]
    assert kzoo_main("list", "--markdown", "--json")[0] == 2


def test_one_class(kzoo_main):
    code, out, _ = kzoo_main("list", "--model", "vae", "--json")
    assert code == 0 and [record["class"] for record in json.loads(out)] == ["VAE"]
    assert kzoo_main("list", "--model", "GAN")[1] == "No presets of GAN come with this kzoo.\n"
