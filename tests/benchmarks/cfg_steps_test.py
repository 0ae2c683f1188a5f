import cfg_stage
import cfg_steps
import keras


def test_steps_of_a_stage():
    settings = {**cfg_stage.STAGE, **cfg_stage.NETWORKS["mnist"]}
    assert cfg_steps.counts(settings, "pool") == {
        "discriminator_step": 15,
        "functional_gradient_step": 150,
        "snapshot_step": 0,
        "approximator_step": 100,
    }
    assert cfg_steps.counts(settings, "fresh")["snapshot_step"] == 255


def test_rows(tiny):
    backend = keras.backend.backend()
    rows = cfg_steps.measure([backend], ["float32", "bfloat16"], tiny, threads=1, repetitions=2)
    assert [row["precision"] for row in rows] == ["float32", "bfloat16"]
    assert all(row[kind] > 0 for row in rows for kind in cfg_steps.KINDS)
    assert cfg_steps.table(rows, tiny).count("\n") == 3


def test_precisions():
    assert cfg_steps.parse([]).precisions == ["float32"]
    assert cfg_steps.parse(["--mixed-precision"]).precisions == ["float32", "bfloat16"]
