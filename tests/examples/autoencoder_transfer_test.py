from tests.examples import gallery


def test_runs_to_its_end(mnist):
    variables = gallery.run(
        "generative/autoencoder_transfer.py",
        TRAIN_SPLIT="train[:400]",
        TEST_SPLIT="test[:100]",
        EPOCHS=1,
        LATENT_DIM=4,
        WIDTHS=(4,),
        LABELS_PER_CLASS=2,
        UPDATES=4,
    )
    assert sorted(variables["few_labels"]) == sorted(list(range(10)) * 2)
    assert len(variables["accuracies"]) == 6 and variables["same"]
    assert all(0 <= value <= 100 for value in variables["accuracies"].values())
    folder = mnist / "autoencoder_transfer"
    names = {"accuracies.png", "denoised.png", "preset"}
    assert {path.name for path in folder.iterdir()} == names
