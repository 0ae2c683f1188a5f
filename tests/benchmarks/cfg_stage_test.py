import importlib.util
import pathlib

import keras
import numpy as np
import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"
TINY = {
    "latent_dim": 3,
    "num_steps": 2,
    "discriminator_steps": 1,
    "pool_size": 8,
    "batch_size": 4,
    "approximator_epochs": 1,
    "image_shape": (8, 8, 1),
    "width": 2,
    "step_size": 0.5,
}


def load(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def cfg_stage():
    return load("cfg_stage")


@pytest.mark.parametrize("fixed_pool", (True, False))
def test_one_call_is_one_stage(cfg_stage, monkeypatch, fixed_pool):
    import kzoo

    models = []
    monkeypatch.setattr(
        kzoo, "CFGGAN", lambda make=kzoo.CFGGAN, **kw: models.append(make(**kw)) or models[-1]
    )
    images = cfg_stage.random_images(TINY)
    assert images.shape == (8, 8, 8, 1) and images.dtype == np.uint8
    stage = cfg_stage.kzoo_stages(TINY, images, fixed_pool)()
    (model,) = models
    assert model.fixed_pool is fixed_pool
    for count in (1, 2):
        stage()
        assert int(keras.ops.convert_to_numpy(model.stage)) == count


def test_rows_from_processes_that_take_turns(cfg_stage):
    tasks = cfg_stage.make_tasks([keras.backend.backend()], ["pool"], TINY, threads=1)
    (row,) = cfg_stage.measure(tasks, repetitions=2)
    assert (row["code"], row["algorithm"], row["ratio"]) == ("kzoo", "pool", None)
    assert 0 < row["fastest"] <= row["seconds"] <= row["slowest"]
    assert row["first"] > 0
    assert cfg_stage.table([row], TINY).count("\n") == 2


def test_a_process_that_fails_is_an_error(cfg_stage):
    tasks = cfg_stage.make_tasks(["torch"], ["pool"], {"num_steps": 1}, threads=1)
    with pytest.raises(RuntimeError, match="num_steps.* ended with 1"):
        cfg_stage.measure(tasks, repetitions=1)


def test_ratios_and_gradients(cfg_stage):
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
def test_wrong_options(cfg_stage, capsys, arguments, message):
    with pytest.raises(SystemExit):
        cfg_stage.parse(arguments)
    assert message in capsys.readouterr().err


def test_stand_ins():
    stand_ins = load("cfg_gan_pt").STAND_INS
    nested = stand_ins["nested_dict"]["nested_dict"]({"a": {"b": {"c": 1}, "d": None}, "e": 2})
    assert dict(nested.items_flat()) == {("a", "b", "c"): 1, ("a", "d"): None, ("e",): 2}
    meter = stand_ins["torchnet"]["meter"].AverageValueMeter()
    meter.add(1.0)
    meter.add(4.0)
    assert meter.value()[0] == 2.5
    meter.reset()
    meter.add(7.0)
    assert meter.value()[0] == 7.0
