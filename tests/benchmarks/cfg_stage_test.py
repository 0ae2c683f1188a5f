import cfg_gan_pt
import cfg_stage
import keras
import numpy as np
import pytest


@pytest.mark.parametrize("fixed_pool", (True, False))
def test_one_call_is_one_stage(tiny, monkeypatch, fixed_pool):
    import kzoo

    models = []
    monkeypatch.setattr(
        kzoo, "CFGGAN", lambda make=kzoo.CFGGAN, **kw: models.append(make(**kw)) or models[-1]
    )
    images = cfg_stage.random_images(tiny)
    assert images.shape == (8, 8, 8, 1) and images.dtype == np.uint8
    stage = cfg_stage.kzoo_stages(tiny, images, fixed_pool)()
    (model,) = models
    assert model.fixed_pool is fixed_pool
    for count in (1, 2):
        stage()
        assert int(keras.ops.convert_to_numpy(model.stage)) == count


def test_rows_from_processes_that_take_turns(tiny):
    tasks = cfg_stage.make_tasks([keras.backend.backend()], ["pool"], tiny, threads=1)
    (row,) = cfg_stage.measure(tasks, repetitions=2)
    assert (row["code"], row["algorithm"], row["ratio"]) == ("kzoo", "pool", None)
    assert 0 < row["fastest"] <= row["seconds"] <= row["slowest"]
    assert row["first"] > 0
    assert cfg_stage.table([row], tiny).count("\n") == 2


def test_rows_of_both_precisions(tiny):
    """The authors' code stays in the precision that it was published in."""
    tasks = cfg_stage.make_tasks(
        ["torch"], ["pool"], tiny, 1, path="cfg-gan-pt", precisions=["float32", "bfloat16"]
    )
    keys = [tuple(task[key] for key in cfg_stage.KEYS) for task in tasks]
    assert keys == [
        ("kzoo", "torch", "pool", "float32"),
        ("kzoo", "torch", "pool", "bfloat16"),
        ("cfg-gan-pt", "torch", "fresh", "float32"),
    ]


def test_a_process_that_fails_is_an_error():
    tasks = cfg_stage.make_tasks(["torch"], ["pool"], {"num_steps": 1}, threads=1)
    with pytest.raises(RuntimeError, match="num_steps.* ended with 1"):
        cfg_stage.measure(tasks, repetitions=1)


def test_ratios_and_gradients():
    rows = [{"code": "kzoo", "seconds": 2.0}, {"code": "cfg-gan-pt", "seconds": 3.0}]
    assert [row["ratio"] for row in cfg_stage.with_ratios(rows)] == [1.5, 1.0]
    settings = {**cfg_stage.STAGE, **cfg_stage.NETWORKS["mnist"]}
    assert cfg_stage.gradients(settings, "pool") == 150
    assert cfg_stage.gradients(settings, "fresh") == 150 + sum(range(15))


@pytest.mark.parametrize(
    "arguments, message",
    (
        (["--backends", "theano"], "unknown backend 'theano'"),
        (["--repetitions", "0"], "at least 1, got 0"),
        (["--cfg-gan-pt", "nowhere"], "checkout with netdef.py, got nowhere"),
    ),
)
def test_wrong_options(capsys, arguments, message):
    with pytest.raises(SystemExit):
        cfg_stage.parse(arguments)
    assert message in capsys.readouterr().err


def test_stand_ins():
    stand_ins = cfg_gan_pt.STAND_INS
    nested = stand_ins["nested_dict"]["nested_dict"]({"a": {"b": {"c": 1}, "d": None}, "e": 2})
    assert dict(nested.items_flat()) == {("a", "b", "c"): 1, ("a", "d"): None, ("e",): 2}
    meter = stand_ins["torchnet"]["meter"].AverageValueMeter()
    meter.add(1.0)
    meter.add(4.0)
    assert meter.value()[0] == 2.5
    meter.reset()
    meter.add(7.0)
    assert meter.value()[0] == 7.0
