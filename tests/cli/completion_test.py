import shutil
import subprocess
import sys

import pytest


def test_a_missing_package_is_named(kzoo_main, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    code, out, err = kzoo_main("completion", "bash")
    assert code == 1 and out == "" and "pip install shtab" in err


@pytest.mark.parametrize("shell", ["zsh", "fish", "tcsh"])
def test_scripts_name_the_commands(kzoo_main, shell):
    pytest.importorskip("shtab", reason="needs pip install shtab")
    code, out, err = kzoo_main("completion", shell)
    assert (code, err) == (0, "") and "generate" in out


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("kzoo gen", {"generate"}),
        ("kzoo generate vae/mnist_i", {"vae/mnist_iaf", "vae/mnist_iwae"}),
        ("kzoo generate --temp", {"--temperature"}),
    ],
)
def test_bash_completes(kzoo_main, words, found):
    pytest.importorskip("shtab", reason="needs pip install shtab")
    script = kzoo_main("completion", "bash")[1]
    *before, last = words.split()
    ask = f"""
    COMP_WORDS=({words}); COMP_CWORD={len(before)}
    _shtab_kzoo kzoo {last} {before[-1]} 2>/dev/null; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script + ask], capture_output=True, text=True)
    assert set(done.stdout.split()) == found
