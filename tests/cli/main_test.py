"""Exit codes, help and error messages of all commands."""

import os
import shutil
import subprocess
import sys

import pytest

import kzoo
from kzoo import cli


def test_version(kzoo_main):
    assert kzoo_main("--version") == (0, f"kzoo {kzoo.__version__}\n", "")


@pytest.mark.parametrize("command", ["list", "train", "generate", "evaluate", "neighbors"])
def test_help_has_examples(kzoo_main, command):
    code, out, _ = kzoo_main(command, "--help")
    assert code == 0
    assert f"examples:\n  kzoo {command}" in out


def test_no_command_is_wrong_usage(kzoo_main):
    code, out, err = kzoo_main()
    assert code == 2 and out == "" and "usage: kzoo" in err and "generate" in err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["paint"], "invalid choice: 'paint'"),
        (["generate"], "required: PRESET"),
        (["generate", "x", "-n", "0"], "expected an integer >= 1, got '0'"),
        (["generate", "x", "--seed", str(2**31)], "expected an integer in 0..2147483647, got"),
        (["generate", "x", "--seed", "one"], "expected an integer in 0..2147483647, got 'one'"),
        (["generate", "x", "-o", "sheet.jpg"], "expected the name of a .png file, got 'sheet.jpg'"),
        (["generate", "x", "--separate", "a", "--npz", "b.npz"], "not allowed with"),
        (["generate", "x", "--model", "DALLE"], "expected one of Autoencoder, BEGAN, "),
        (["train", "transformer"], "expected one of autoencoder, began, "),
        (["train", "vae", "--validation-split", "1"], "expected a number between 0 and 1, got '1'"),
        (["train", "vae", "--set", "latent_dim"], "expected NAME=VALUE, got 'latent_dim'"),
        (["train", "vae", "--image-size", "8x8x1"], "expected N or HEIGHTxWIDTH, got '8x8x1'"),
    ],
)
def test_wrong_usage(kzoo_main, arguments, message):
    code, out, err = kzoo_main(*arguments)
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["generate", "vae/mnits"], "'vae/mnits' is neither a folder nor a preset"),
        (["generate", "ftp://x/y"], "Cannot read the preset address 'ftp://x/y'"),
        (["evaluate", "nothing"], "'nothing' is neither a folder nor a preset"),
        (["generate", "{saved}/classifier"], "is a Classifier, not a GenerativeModel"),
        (["generate", "{saved}/gan", "--model", "vae"], "is a GAN, not a VAE"),
        (["generate", "{saved}/gan", "--steps", "1"], "--steps: a GAN takes none"),
        (["generate", "{saved}/cfggan", "--steps", "9"], "steps must be an int in 0 .. 2, got 9"),
        (["evaluate", "{saved}/vae", "--data", "no.npz"], "no.npz"),
        (["evaluate", "{saved}/vae", "--data", "./none"], "no file or folder './none'"),
        (["evaluate", "hf://a/b", "--write"], "--write needs a preset in a local folder"),
        (["evaluate", "{saved}/gan", "--classifier", "no"], "'no' is neither a folder"),
    ],
)
def test_a_mistake_is_one_line(kzoo_main, saved, arguments, message):
    code, out, err = kzoo_main(*(argument.format(saved=saved) for argument in arguments))
    assert (code, out) == (1, "")
    assert err.startswith("kzoo: error: ") and err.count("\n") == 1
    assert message in err


def test_the_choice_of_a_backend_is_said_by_commands_that_need_one(kzoo_main, monkeypatch, caplog):
    monkeypatch.setattr("kzoo._environment._chosen", "jax")
    assert kzoo_main("list")[0] == 0 and not caplog.records
    for _ in range(2):
        assert kzoo_main("generate", "vae/mnits")[0] == 1
    assert [record.getMessage()[:50] for record in caplog.records] == [
        "TensorFlow, Keras's default backend, is not instal"
    ]


def test_damaged_presets(kzoo_main, saved, tmp_path):
    shutil.copytree(saved / "vae", tmp_path / "vae")
    weights = tmp_path / "vae" / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:-100])
    code, _, err = kzoo_main("generate", tmp_path / "vae")
    assert code == 1 and "model.weights.h5 is damaged" in err and err.count("\n") == 1
    weights.unlink()
    code, _, err = kzoo_main("generate", tmp_path / "vae")
    assert code == 1 and "model.weights.h5 is missing" in err and err.count("\n") == 1
    (tmp_path / "vae" / "config.json").write_text("{")
    assert "is not valid JSON" in kzoo_main("generate", tmp_path / "vae")[2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["vae"]  # no half of a sheet


def test_debug_shows_the_traceback(kzoo_main, monkeypatch):
    monkeypatch.setenv("KZOO_DEBUG", "1")
    with pytest.raises(ValueError, match="neither a folder"):
        kzoo_main("generate", "nothing")


@pytest.mark.parametrize(
    "error, code, message",
    [
        (KeyboardInterrupt(), 130, "kzoo: interrupted\n"),
        (ImportError("needs\n  the extra"), 1, "kzoo: error: needs the extra\n"),
        (RuntimeError(), 1, "kzoo: error: RuntimeError\n"),
    ],
)
def test_errors_of_commands(kzoo_main, monkeypatch, error, code, message):
    def fail(args):
        raise error

    monkeypatch.setattr(cli.showing, "list_presets", fail)
    assert kzoo_main("list") == (code, "", message)


def test_a_bug_keeps_its_traceback(kzoo_main, monkeypatch):
    monkeypatch.setattr(cli.showing, "list_presets", lambda args: {}["bug"])
    with pytest.raises(KeyError):
        kzoo_main("list")


def run(*command, **kwargs):
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=100, **kwargs
    )


REPOSITORY = os.path.dirname(os.path.dirname(kzoo.__file__))


def test_a_process_prints_no_traceback(tmp_path):
    done = run("-m", "kzoo", "generate", "vae/none", cwd=REPOSITORY)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("kzoo: error: ") and done.stderr.count("\n") == 1


def test_help_and_list_do_without_keras():
    code = (
        "import sys; sys.argv[0] = 'kzoo'\n"
        "sys.modules.update({name: None for name in ('keras', 'tensorflow', 'jax', 'torch')})\n"
        "from kzoo.cli import main, parser\n"
        "parser().format_help()\n"
        "sys.exit(main(['list', '--json']))\n"
    )
    done = run("-c", code, cwd=REPOSITORY)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a full device")
def test_output_that_cannot_be_written():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kzoo", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )
    assert done.returncode != 0 and "Traceback" not in done.stderr


def test_a_reader_that_has_gone():
    process = subprocess.Popen(
        [sys.executable, "-m", "kzoo", "list", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    process.stdout.close()
    _, err = process.communicate()
    assert process.returncode == 1 and err == ""
