import csv
import json
import math
import shutil

import pytest


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def fabricated(study, tmp_path):
    """Two seeds of xICFG and of GAN1, of which the second diverged."""
    curves = {
        ("xicfg", 0): [(0.5, 30, 2.0, 40.0), (1.0, 60, 6.0, 10.0)],
        ("xicfg", 1): [(0.5, 32, 3.0, 20.0), (1.0, 62, 8.0, 4.0)],
        ("gan1", 0): [(0.5, 30, 4.0, 25.0), (1.0, 60, 7.0, 5.0)],
        ("gan1", 1): [(0.5, 30, 4.0, 15.0)],
    }
    for (method, seed), rows in curves.items():
        config = study.settings.run_config(method, "convolutional", "mnist", seed, minutes=1)
        folder = tmp_path / study.settings.run_name(config)
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(config))
        with (folder / "curve.csv").open("w") as file:
            file.write("point,seconds,inception_score,frechet_distance,d_loss,scale\n")
            for row in rows:
                scale = "0.25" if method == "gan1" else ""
                file.write(",".join(map(str, row)) + f",1.5,{scale}\n")
        scores = {"inception_score": rows[-1][2], "frechet_distance": rows[-1][3]}
        final = {
            "status": "finished" if rows[-1][0] == 1.0 else "diverged",
            "reason": None,
            "seconds": rows[-1][1],
            "updates": 100 * (seed + 1),
            "images": 10,
            "class_histogram": [4, 0, 6] if method == "gan1" else [3, 3, 4],
            **scores,
            "reference": {"inception_score": 9.9, "diversity_score": 1, "frechet_distance": 0.1},
            "machine": {"processor": "none"},
        }
        (folder / "final.json").write_text(json.dumps(final))
    return tmp_path


def test_report_against_hand_computed_means(study, fabricated):
    tables = study.tables
    runs = study.folders.read(fabricated)
    members = study.folders.groups(runs)
    curve = tables.mean_curve(members["mnist", "convolutional", "xicfg"], "frechet_distance")
    assert curve == [
        {"point": 0.5, "seconds": 31.0, "mean": 30.0, "std": pytest.approx(200**0.5), "n": 2},
        {"point": 1.0, "seconds": 61.0, "mean": 7.0, "std": pytest.approx(18**0.5), "n": 2},
    ]
    grown, approximator, gan1 = tables.final_table(runs)
    # Two values that differ by d have the standard deviation d / sqrt(2).
    assert grown["inception_score"] == {"mean": 7.0, "std": pytest.approx(2**0.5), "n": 2}
    assert (grown["drawn_from"], grown["updates"], grown["diverged"]) == ("G_T", 150.0, 0)
    assert approximator["inception_score"] is None
    assert gan1["frechet_distance"] == {"mean": 10.0, "std": pytest.approx(50**0.5), "n": 2}
    assert gan1["diverged"] == 1
    inception, _, distance = tables.orders(runs)
    assert (inception["order"], distance["order"]) == ([["xicfg"], ["gan1"]],) * 2
    assert inception["first_by_seed"] == {"gan1": 1, "xicfg": 1}  # 7 against 6, 4 against 8
    assert distance["first_by_seed"] == {"gan1": 1, "xicfg": 1}
    assert inception["first_by_point"] == {"gan1": 1}  # 4 against 2.5, then a tie at 7
    # 20 against 30, then 5 against 7.
    assert distance["first_by_point"] == {"gan1": 2}

    page = fabricated / "page" / "STUDY.md"
    study.report.write(fabricated, page)
    text = page.read_text()
    assert "| mnist | convolutional | xICFG | 2 | 7 ± 1.4 | - | 7 ± 4.2 | 150 |" in text
    assert "| GAN1 | 0.5 | 30 | 0.25 ± 0 | 1.5 ± 0 | 4 ± 0 |" in text
    assert "| xICFG > GAN1 | xICFG 1, GAN1 1 | GAN1 2 |" in text
    assert "| xICFG > GAN1 | xICFG 1, GAN1 1 | GAN1 1 |" in text
    missing = "GAN1, seed 1: none of 10 images at the end is classified as 1."
    assert missing in text and "xICFG, seed 0: none of" not in text
    folder = page.parent / "study"
    assert {path.name for path in folder.iterdir()} == {
        "curves.csv",
        "final.csv",
        "histograms.csv",
        "runs",
        "inception_score.png",
        "diversity_score.png",
        "frechet_distance.png",
    }
    final = rows_of(folder / "final.csv")
    assert (final[0]["inception_score_mean"], final[2]["frechet_distance_std"]) == ("7", "7.07107")
    histograms = rows_of(folder / "histograms.csv")
    assert len(histograms) == 4 and list(histograms[3].values()) == [
        *("mnist", "convolutional", "gan1", "1", "generator"),
        *("4", "0", "6"),
    ]
    curves = rows_of(folder / "curves.csv")
    assert len(curves) == 7 and curves[0]["method"] == "xicfg" and curves[0]["scale"] == ""


def test_damaged_notes(study, tmp_path):
    page = tmp_path / "STUDY.md"
    page.write_text("Written by somebody.")
    with pytest.raises(ValueError, match="Expected .* once each in .*STUDY.md"):
        study.report.write(tmp_path, page)
    assert page.read_text() == "Written by somebody."


def test_deviation_over_seeds(study):
    spread = study.tables.spread([2.0, 4.0, 9.0, math.nan])
    assert spread == {"mean": 5.0, "std": pytest.approx(13**0.5), "n": 3}  # (9 + 1 + 16) / 2
    assert study.report.cell(spread) == "5 ± 3.6"
    one = study.tables.spread([2.0])
    assert math.isnan(one["std"]) and study.report.cell(one) == "2"
    assert study.report.cell(study.tables.spread([math.nan])) == "-"


def test_band(study):
    curve = [{"mean": mean, "std": std} for mean, std in ((4.0, 1.0), (2.0, 3.0), (5.0, math.nan))]
    low, high = study.figures.band(curve)
    assert low[:2] == [3.0, 0.02] and high[:2] == [5.0, 5.0]
    assert math.isnan(low[2]) and math.isnan(high[2])


def test_ties(study):
    """Equal in three digits is a tie, and nobody's first place."""
    contests = {
        0: {"xicfg": 1.0, "gan0": 1.0004, "gan1": 0.9},
        1: {"xicfg": 9.37, "gan0": 1.0, "gan1": 9.38},
        2: {"xicfg": 9.371, "gan0": 9.369},
        3: {"gan1": 5.0},
    }
    assert study.tables._first(contests, max) == {"gan1": 1}
    assert study.tables._first(contests, min) == {"gan1": 1, "gan0": 1}
    values = {"wgan_gp": 2.0, "xicfg": 9.0, "gan1": 9.001}
    assert study.tables._ranking(values, max) == [["xicfg", "gan1"], ["wgan_gp"]]
    row = {"data": "mnist", "network": "convolutional", "score": "inception_score"}
    row["order"] = study.tables._ranking(values, max)
    text = study.report.order_section(
        [{**row, "first_by_seed": {}, "first_by_point": {"xicfg": 2}}]
    )
    assert "| xICFG = GAN1 > WGAN-GP | - | xICFG 2 |" in text


def test_no_missing_class(study):
    row = {"data": "mnist", "network": "convolutional", "seed": 0, "counts": [1, 2]}
    rows = [{**row, "method": "gan1", "drawn_from": "generator"}]
    assert study.report.missing_classes(rows) == (
        "No run that has scores at the end misses a class there."
    )


def test_runs_of_several_sessions(study, fabricated):
    """A report is on the runs that an earlier one has kept, and on those of its output folder."""
    page = fabricated / "page" / "STUDY.md"
    moved = fabricated / "later"
    moved.mkdir()
    for folder in fabricated.glob("*-seed1"):
        shutil.move(folder, moved / folder.name)
    study.report.write(fabricated, page)
    first = page.read_text()
    assert "| xICFG | 1 | 6 |" in first
    study.report.write(moved, page)
    assert "| xICFG | 2 | 7 ± 1.4 |" in page.read_text()
    study.report.write(fabricated / "nothing", page)
    assert "| xICFG | 2 | 7 ± 1.4 |" in page.read_text()

    # A finished run of the output folder goes before the kept one of its name.
    name = "mnist-convolutional-xicfg-seed1"
    final = json.loads((moved / name / "final.json").read_text())
    (moved / name / "final.json").write_text(json.dumps({**final, "inception_score": 6.0}))
    study.report.write(moved, page)
    assert "| xICFG | 2 | 6 ± 0 |" in page.read_text()
    (moved / name / "final.json").unlink()
    study.report.write(moved, page)
    assert "| xICFG | 2 | 6 ± 0 |" in page.read_text()


def test_no_finished_run(study, fabricated, tmp_path):
    for path in fabricated.glob("*/final.json"):
        path.unlink()
    with pytest.raises(ValueError, match="Expected finished runs in .*; no report"):
        study.report.write(fabricated, tmp_path / "STUDY.md")
    assert not (tmp_path / "STUDY.md").exists() and not (tmp_path / "study").exists()
