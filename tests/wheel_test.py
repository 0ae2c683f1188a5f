import importlib.util
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
spec = importlib.util.spec_from_file_location("hatch_build", REPOSITORY / "hatch_build.py")
hatch_build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hatch_build)


def test_the_wheel_stays_below_60_megabytes():
    files = hatch_build.contents(REPOSITORY)
    assert sum(Path(file).stat().st_size for file in files) < 58e6  # the code is below 2 MB
    code = [p for p in (REPOSITORY / "kzoo").rglob("*") if p.is_file() and p.suffix != ".pyc"]
    assert sum(path.stat().st_size for path in code) < 2e6


def test_the_wheel_holds_every_preset_and_the_first_one_whole():
    there = set(hatch_build.contents(REPOSITORY).values())
    for config in (REPOSITORY / "weights").glob("*/*/config.json"):
        folder = f"kzoo/presets/weights/{config.parent.parent.name}/{config.parent.name}"
        assert {f"{folder}/config.json", f"{folder}/metadata.json"} <= there
    assert "kzoo/presets/weights/cfggan/mnist/model.weights.h5" in there
    assert "kzoo/presets/weights/cfggan/lsun_bedroom/model.weights.h5" not in there
