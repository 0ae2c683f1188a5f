"""What the wheel holds of `weights/`: all presets, without the large weights files.

The rest comes from where the environment variable `KZOO_WEIGHTS` says, when it is first used. So
the wheel stays below 60 MB.
"""

from pathlib import Path

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # the tests look at `contents` without hatchling
    BuildHookInterface = object

LARGEST = 3 * 2**20  # bytes of a weights file that comes with the wheel


def contents(root):
    """`{file of the repository: file of the wheel}`, both as strings."""
    weights = Path(root) / "weights"
    chosen = {}
    for path in sorted(p for p in weights.rglob("*") if p.is_file() and not p.name.startswith(".")):
        name = path.relative_to(weights)
        if path.suffix != ".h5" or path.stat().st_size <= LARGEST:
            chosen[str(path)] = f"kzoo/presets/weights/{name.as_posix()}"
    return chosen


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version, build_data):
        if version != "editable":
            build_data["force_include"].update(contents(self.root))
