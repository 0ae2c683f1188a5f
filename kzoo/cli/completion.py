"""`kzoo completion`: what a shell needs to complete commands, options and names of presets."""

from kzoo._environment import optional
from kzoo.cli import common

SHELLS = ("bash", "zsh", "tcsh", "fish", "powershell")


def add_parser(commands):
    parser = common.add_command(
        commands,
        "completion",
        run,
        "print what a shell needs to complete commands, options and preset names",
        [
            'eval "$(kzoo completion bash)"             in ~/.bashrc',
            "kzoo completion zsh > FOLDER/_kzoo         FOLDER is one of zsh's $fpath",
            "kzoo completion fish > ~/.config/fish/completions/kzoo.fish",
        ],
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell")


def run(args):
    shtab = optional("shtab", "kzoo completion needs")
    from kzoo.presets.shipped import shipped_presets

    names = " ".join(preset.handle for preset in shipped_presets())
    (commands,) = (a for a in args.all_commands._actions if a.dest == "command")
    for command in commands.choices.values():
        for action in command._actions:
            if action.dest == "preset":
                action.complete = {"bash": "_kzoo_presets", "zsh": f"({names})"}
    words = f'_kzoo_presets() {{ compgen -W "{names}" -- "$1"; compgen -d -- "$1"; }}'
    print(shtab.complete(args.all_commands, args.shell, preamble={"bash": words}))
