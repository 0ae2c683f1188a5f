"""The benchmark of the VAE's training, on a model that takes no time."""

import keras
import pytest
import vae_training


@pytest.fixture(autouse=True)
def tiny_networks(monkeypatch):
    arguments = {"widths": (4,), "latent_dim": 2}
    monkeypatch.setitem(vae_training.NETWORKS, "fully_connected", arguments)


def test_both_loops_train_alike():
    backend = keras.backend.backend()
    row = vae_training.train("fully_connected", 4, 64, steps=3, repetitions=1, backend=backend)
    ours, native = row["losses"]
    assert ours == pytest.approx(native, rel=0.1)  # other noise
    assert row["fit"] > 0 and row["native"] > 0
    row |= {"backend": backend, "name": "fully_connected"}
    assert vae_training.table([row]).count("\n") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--networks", "gan"], "unknown networks 'gan'"),
        (["--batch", "0"], "--batch must be at least 1, got 0"),
    ],
)
def test_wrong_options(capsys, arguments, message):
    with pytest.raises(SystemExit):
        vae_training.parse(arguments)
    assert message in capsys.readouterr().err
