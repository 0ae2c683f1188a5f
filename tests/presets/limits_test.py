import concurrent.futures

import keras
import pytest

from kzoo.presets.limits import MOST_LAYERS, at_most, check_listed, check_size, most_bytes
from tests.presets.tiny import Tiny


def build(units):
    keras.layers.Dense(units).build((None, 3))  # 4 * units parameters


def test_twice_as_many_parameters_may_be_made():
    with at_most(10):
        build(5)
        with pytest.raises(ValueError, match=r"a weight of shape \(3, 1000000000\)"):
            build(10**9)
    build(50)
    with at_most(10), pytest.raises(ValueError, match="more than twice as many parameters"):
        for _ in range(100):
            build(1)


def test_layers_are_counted():
    with at_most(10), pytest.raises(ValueError, match="more than 1,000 layers"):
        for _ in range(MOST_LAYERS + 1):
            keras.layers.ReLU()
    with at_most(10):
        for _ in range(MOST_LAYERS):
            keras.layers.ReLU()


def test_other_threads_are_free():
    with at_most(1), concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(build, 50).result()


@pytest.mark.parametrize("number", [None, -1, 2**29 + 1, 1.0, "7"])
def test_listed(number):
    assert check_listed(2**29, "here") == 2**29
    with pytest.raises(ValueError, match=f"here: parameter_count is {number!r}"):
        check_listed(number, "here")


def test_size_of_weights():
    for size in (1_937, 400_000, most_bytes(10**6)):
        check_size(size, 10**6, "here")
    for size in (1_936, most_bytes(10**6) + 1):
        with pytest.raises(ValueError, match=f"here has {size:,} bytes, expected 1,937 to"):
            check_size(size, 10**6, "here")


def test_a_preset_is_as_large_as_it_says(tmp_path, monkeypatch):
    monkeypatch.setattr("kzoo.presets.limits.MOST_PARAMETERS", 19)
    with pytest.raises(ValueError, match="The model 'tiny.* parameter_count is 20"):
        Tiny().save_to_preset(tmp_path / "tiny")
    assert not (tmp_path / "tiny").exists()
