import csv
import json

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
            **scores,
            "reference": {"inception_score": 9.9, "diversity_score": 1, "frechet_distance": 0.1},
            "machine": {"processor": "none"},
        }
        (folder / "final.json").write_text(json.dumps(final))
    return tmp_path


def test_report_against_hand_computed_means(study, fabricated):
    tables = study.tables
    runs = tables.read(fabricated)
    members = tables.groups(runs)
    curve = tables.mean_curve(members["mnist", "convolutional", "xicfg"], "frechet_distance")
    assert curve == [
        {"point": 0.5, "seconds": 31.0, "mean": 30.0, "min": 20.0, "max": 40.0, "n": 2},
        {"point": 1.0, "seconds": 61.0, "mean": 7.0, "min": 4.0, "max": 10.0, "n": 2},
    ]
    grown, approximator, gan1 = tables.final_table(runs)
    assert grown["inception_score"] == {"mean": 7.0, "min": 6.0, "max": 8.0, "n": 2}
    assert (grown["drawn_from"], grown["updates"], grown["diverged"]) == ("G_T", 150.0, 0)
    assert approximator["inception_score"] is None
    assert gan1["frechet_distance"] == {"mean": 10.0, "min": 5.0, "max": 15.0, "n": 2}
    assert gan1["diverged"] == 1
    inception, _, distance = tables.orders(runs)
    assert (inception["order"], distance["order"]) == (["xicfg", "gan1"], ["xicfg", "gan1"])
    assert inception["first_by_seed"] == {"gan1": 1, "xicfg": 1}  # 7 against 6, 4 against 8
    assert inception["first_by_point"] == {"gan1": 1, "xicfg": 1} == distance["first_by_seed"]
    # 20 against 30, then 5 against 7.
    assert distance["first_by_point"] == {"gan1": 2}

    page = fabricated / "page" / "STUDY.md"
    study.report.write(fabricated, page)
    text = page.read_text()
    assert "| mnist | convolutional | xICFG | 2 | 7 (6 .. 8) | - | 7 (4 .. 10) | 150 |" in text
    assert "| GAN1 | 0.5 | 30 | 0.25 (0.25 .. 0.25) | 1.5 (1.5 .. 1.5) | 4 (4 .. 4) |" in text
    assert "| xICFG > GAN1 | xICFG 1, GAN1 1 | GAN1 2 |" in text
    folder = page.parent / "study"
    assert {path.name for path in folder.iterdir()} == {
        "curves.csv",
        "final.csv",
        "inception_score.png",
        "diversity_score.png",
        "frechet_distance.png",
    }
    final = rows_of(folder / "final.csv")
    assert (final[0]["inception_score_mean"], final[2]["frechet_distance_max"]) == ("7", "15")
    curves = rows_of(folder / "curves.csv")
    assert len(curves) == 7 and curves[0]["method"] == "xicfg" and curves[0]["scale"] == ""


def test_damaged_notes(study, tmp_path):
    page = tmp_path / "STUDY.md"
    page.write_text("Written by somebody.")
    with pytest.raises(ValueError, match="Expected .* once each in .*STUDY.md"):
        study.report.write(tmp_path, page)
    assert page.read_text() == "Written by somebody."


def test_empty_folder(study, tmp_path):
    study.report.write(tmp_path / "runs", tmp_path / "STUDY.md")
    assert "## Protocol" in (tmp_path / "STUDY.md").read_text()
